from __future__ import annotations

import json
from pathlib import Path

from tests.commands.calls import Run


def test_gists_are_evaluated_for_people_and_for_programs(run: Run, home: Path) -> None:
    paper = {
        "title": "Bells",
        "abstract": "Sheep stray. In this paper, we propose bells that are heard at night on all of the hills.",
        "reference": "We propose bells that are heard at night on all of the hills.",
    }
    (home / "papers.jsonl").write_text(json.dumps(paper) + "\n")
    shown = run("gists", "evaluate", "papers.jsonl")
    assert shown.status == 0
    assert "ROUGE-1  1.000  (1.000 to 1.000)" in shown.out
    found = json.loads(run("gists", "evaluate", "papers.jsonl", "--json").out)
    assert (found["papers"], found["rouge1"], found["rouge2"]) == (1, 1.0, 1.0)
    assert found["characters"] == len(paper["reference"])
