"""`paperround topics …`, `gists …` and `forecast …`: each reads papers as JSON Lines and says how good a model is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands.calls import Run

PAPER = {"id": "1", "title": "Agents that use tools in a browser", "abstract": "We let agents use tools. They act."}
LINES: dict[str, list[dict[str, Any]]] = {
    "topics": [PAPER | {"label": "agents"}],
    "gists": [PAPER | {"reference": "Agents use tools."}],
    "forecast": [
        PAPER | {"authors": ["Ada Brook"], "picked": True},
        PAPER | {"id": "2", "authors": ["Ben"], "picked": False},
    ],
}


@pytest.mark.parametrize("group", LINES)
def test_papers_are_judged_for_people_and_for_machines(run: Run, home: Path, group: str) -> None:
    lines = "".join(json.dumps(line) + "\n" for line in LINES[group])
    (home / "papers.jsonl").write_text(lines)
    shown = run(group, "evaluate", "papers.jsonl")
    assert (shown.status, shown.err) == (0, "")
    with pytest.raises(ValueError, match=r"Expecting|Extra"):
        json.loads(shown.out)
    found = json.loads(run(group, "evaluate", "papers.jsonl", "--json").out)
    assert found["papers"] == len(LINES[group])


@pytest.mark.parametrize("group", LINES)
@pytest.mark.parametrize(
    ("line", "words"), [("[]", "Line 1"), ("{", "Line 1 is not JSON"), ('{"title": 7}', "Line 1"), ("", "no ")]
)
def test_a_line_that_is_wrong_is_named(run: Run, home: Path, group: str, line: str, words: str) -> None:
    (home / "papers.jsonl").write_text(line)
    assert words in run(group, "evaluate", "papers.jsonl").error


@pytest.mark.parametrize("group", LINES)
def test_a_group_alone_shows_what_it_has(run: Run, group: str) -> None:
    shown = run(group)
    assert "evaluate" in shown.out
    assert ("explain" in shown.out) is (group == "topics")
