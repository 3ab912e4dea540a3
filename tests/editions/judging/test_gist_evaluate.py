"""How good gists are: figures that were made by hand, and files that people give."""

from __future__ import annotations

import json

import pytest

from flows.editions.gist import gist
from flows.editions.judging.gist_evaluate import compare, evaluate, read
from flows.outcomes import Problem
from tests.editions.test_gist import FLOCK


def test_a_gist_that_is_the_summary_has_a_rouge_of_one() -> None:
    report = compare([("We ring a bell.", "We ring a bell."), ("We ring.", "They drum.")])

    assert (report.papers, report.rouge1.value, report.rouge2.value) == (2, 0.5, 0.5)
    assert report.rouge1.low <= 0.5 <= report.rouge1.high
    assert report.characters == 15


def test_papers_are_read_and_judged_by_line() -> None:
    row = {
        "title": "Woolly: Counting",
        "abstract": FLOCK,
        "ai_summary": "Woolly counts sheep by the sound of their bells.",
    }
    report = evaluate(
        gist, read([json.dumps(row), "", json.dumps(row | {"reference": "A counter that tells sheep apart"})])
    )

    assert report.papers == 2
    assert report.rouge1.value > 0.3


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "Line 1 is not JSON"),
        ("[]", "Line 1 is not a JSON object"),
        ('{"title": "a", "abstract": "b"}', "Line 1: reference must be a text"),
        ('{"title": 3, "abstract": "b", "reference": "c"}', "Line 1: title must be a text"),
        ("", "The file holds no papers"),
    ],
)
def test_a_bad_line_is_named(line: str, problem: str) -> None:
    with pytest.raises(Problem, match=problem):
        read([line])
