from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from flows.commands import explain_topics
from flows.outcomes import Problem
from tests.commands.calls import SAMPLE, Run, rows


def test_a_stored_paper_s_topic_is_explained(run: Run, home: Path) -> None:
    run("preview", *SAMPLE, "--out", "out")
    (identity, *_), *_ = rows(home, "(SELECT paper_id FROM sighting ORDER BY 1)")
    ended = run("topics", "explain", f"arXiv:{identity}v3")
    assert ended.status == 0
    assert ended.out.startswith(f"{identity}  ")
    for word in ("\nTopic ", "\nRunner-up ", "\nBecause ", "\nScores "):
        assert word in ended.out
    scores = [float(score) for score in re.findall(r"  (\d+\.\d+)$", ended.out, re.MULTILINE)]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)


LABELLED = (
    {"id": "1", "title": "Agents that use tools in a browser", "abstract": "LLM agents.", "label": "agents"},
    {"id": "2", "title": "Text-to-video diffusion", "abstract": "Video generation.", "label": "video"},
    {
        "id": "3",
        "title": "Galaxies at high redshift",
        "abstract": "Stars.",
        "categories": ["astro-ph.GA"],
        "label": "3d",
    },
)


def test_labelled_papers_are_evaluated_for_people_and_for_programs(run: Run, home: Path) -> None:
    (home / "labels.jsonl").write_text("".join(json.dumps(paper) + "\n" for paper in LABELLED))
    shown = run("topics", "evaluate", "labels.jsonl")
    assert shown.status == 0
    assert "exact       0.667  (" in shown.out
    assert "   1  3d → astronomy" in shown.out
    found = json.loads(run("topics", "evaluate", "labels.jsonl", "--json").out)
    assert (found["papers"], round(found["exact"], 3), round(found["acceptable"], 3)) == (3, 0.667, 0.667)
    assert found["confusions"] == [{"label": "3d", "given": "astronomy", "count": 1}]
    assert found["intervals"]["macro_f1"][0] <= found["macro_f1"] <= found["intervals"]["macro_f1"][1]


def test_a_label_that_is_no_topic_is_told_with_its_line(run: Run, home: Path) -> None:
    (home / "labels.jsonl").write_text(json.dumps({**LABELLED[0], "label": "knitting"}))
    assert run("topics", "evaluate", "labels.jsonl").error.startswith("Line 1: the topic 'knitting' is unknown")


async def test_one_labelled_paper_is_enough_to_evaluate(home: Path) -> None:
    labelled = home / "one.jsonl"
    labelled.write_text('{"id": "1", "title": "Untitled", "label": "other"}')
    assert "exact       1.000  (1.000 to 1.000)" in explain_topics.evaluate_topics(labelled, as_json=False)
    assert "Confused" not in explain_topics.evaluate_topics(labelled, as_json=False)


@pytest.mark.parametrize(
    "page",
    [
        "https://arxiv.org/abs/2606.00001v2",
        "http://www.arxiv.org/pdf/2606.00001.pdf",
        "https://export.arxiv.org/abs/2606.00001/",
        "https://arxiv.org/html/2606.00001v1#S2",
        "https://huggingface.co/papers/2606.00001?utm_source=x",
        " https://huggingface.co/papers/2606.00001 ",
    ],
)
async def test_a_paper_may_be_named_by_its_page(home: Path, page: str) -> None:
    with pytest.raises(Problem, match=r"^The paper 2606\.00001 is not stored"):
        await explain_topics.explain(page)


@pytest.mark.parametrize("page", ["https://example.org/abs/2606.00001", "https://arxiv.org/list/cs.CL", "2606"])
async def test_what_names_no_paper_is_told_with_what_does(home: Path, page: str) -> None:
    with pytest.raises(Problem, match=r"is not an arXiv identifier such as .*, nor the address of its page on"):
        await explain_topics.explain(page)


async def test_a_paper_that_was_never_stored_is_told_with_what_to_do(home: Path) -> None:
    with pytest.raises(Problem, match=r"is not stored: collect its day first, with `paperround preview --date DAY"):
        await explain_topics.explain("2606.00001")
