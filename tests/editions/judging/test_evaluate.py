from __future__ import annotations

import json

import pytest

from flows.config.catalogue import topics
from flows.editions.judging.evaluate import evaluate, read
from flows.editions.topics import Classifier
from flows.outcomes import Problem

CLASSIFIER = Classifier(topics())


def line(**changes: object) -> str:
    fields: dict[str, object] = {"id": "x", "title": "Speech recognition", "abstract": "", "label": "audio"}
    return json.dumps(fields | changes)


def test_a_report_counts_what_is_right_acceptable_and_confused() -> None:
    right, near, wrong = line(), line(label="society", alternates=["audio"]), line(label="health")
    report = evaluate(CLASSIFIER, read([right, "", near, wrong, wrong]))

    assert report.papers == 4
    assert report.exact.value == pytest.approx(0.25)
    assert report.acceptable.value == pytest.approx(0.5)
    assert report.macro_f1.value == pytest.approx((2 / 5) / 3)
    assert [(c.label, c.given, c.count) for c in report.confusions] == [("health", "audio", 2), ("society", "audio", 1)]
    assert {score.topic: score.papers for score in report.topics} == {"audio": 1, "health": 2, "society": 1}
    assert report == evaluate(CLASSIFIER, read([right, near, wrong, wrong]))


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ("{", "Line 2 is not JSON"),
        ("[" * 100_000, "Line 2"),
        ("[]", "Line 2 is not a JSON object"),
        (line(title=None), "Line 2: title must be a text"),
        (line(label=" "), "Line 2: label must be a text"),
        (line(categories="cs.CL"), "Line 2: categories must be a list"),
        (line(alternates=[1]), "Line 2: alternates must be a list"),
        (line(label="sports"), "Line 2: the topic 'sports' is unknown"),
    ],
)
def test_a_bad_line_is_named(bad: str, sentence: str) -> None:
    with pytest.raises(Problem, match=sentence):
        read([line(), bad], {"audio"})


def test_a_file_without_papers_is_named() -> None:
    with pytest.raises(Problem, match="no labelled papers"):
        read(["", " "])
