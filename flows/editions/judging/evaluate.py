"""How well papers are classified: against labels that people, or the papers' authors, gave."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flows.editions.model import Classified
from flows.editions.topics import Classifier
from flows.outcomes import Problem
from flows.papers.model import Paper, PaperId

ROUNDS = 1000
_SEED = 20260609
_NO_DAY = dt.date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Example:
    """A paper with the topic that it belongs to, and others that would be acceptable too."""

    paper: Paper
    label: str
    alternates: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share of 1, and the interval that it lies in with 95 % confidence."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often a paper of one topic was put under another."""

    label: str
    given: str
    count: int


@dataclass(frozen=True, slots=True)
class TopicScore:
    """One topic: how many papers have it as their label, and how well they are found."""

    topic: str
    papers: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class TopicsReport:
    """How a classifier did. `macro_f1` is over the topics that occur as labels, each counting the same."""

    papers: int
    exact: Estimate
    acceptable: Estimate
    macro_f1: Estimate
    topics: tuple[TopicScore, ...]
    """By slug."""
    confusions: tuple[Confusion, ...]
    """The most frequent first."""


def read(lines: Iterable[str], known_topics: Collection[str] | None = None) -> tuple[Example, ...]:
    """The examples of a JSON Lines file; empty lines are passed over.

    Raises Problem with the number of the first bad line; for an unknown label only if `known_topics` are given.
    """
    found = tuple(_example(n, line, known_topics) for n, line in enumerate(lines, 1) if line.strip())
    if not found:
        raise Problem("The file holds no labelled papers: give one JSON object with id, title and label a line.")
    return found


def evaluate(classifier: Classifier, examples: Iterable[Example]) -> TopicsReport:
    """Classify every example and compare. The same examples give the same report, intervals included."""
    return compare((example, classifier.classify(example.paper)) for example in examples)


def compare(answers: Iterable[tuple[Example, Classified]]) -> TopicsReport:
    """The report on examples and what they were classified as, by one classifier or by one for each fold."""
    results: Counter[_Result] = Counter()
    for example, given in answers:
        good = given.topic == example.label or given.topic in example.alternates
        results[example.label, given.topic, good] += 1
    samples = [_figures(sample) for sample in _resampled(results)]
    exact, acceptable, macro_f1 = (
        _share(value, sorted(sample[n] for sample in samples)) for n, value in enumerate(_figures(results))
    )
    wrong = Counter({(label, given): n for (label, given, _), n in results.items() if label != given})
    return TopicsReport(
        papers=results.total(),
        exact=exact,
        acceptable=acceptable,
        macro_f1=macro_f1,
        topics=_by_topic(results),
        confusions=tuple(
            Confusion(label, given, n) for (label, given), n in sorted(wrong.items(), key=lambda e: (-e[1], e[0]))
        ),
    )


_Result = tuple[str, str, bool]
"""Label, given topic, acceptable."""


def _resampled(results: Counter[_Result]) -> Iterable[Counter[_Result]]:
    """As many papers drawn anew with replacement, many times: the bootstrap. The seed is fixed on purpose."""
    draw = random.Random(_SEED)  # noqa: S311 - a sample, not a secret
    kinds, counts = list(results), list(results.values())
    for _ in range(ROUNDS if kinds else 0):
        yield Counter(draw.choices(kinds, weights=counts, k=results.total()))


def _figures(results: Counter[_Result]) -> tuple[float, float, float]:
    """Exact, acceptable and macro-F1."""
    papers = results.total() or 1
    scores = _by_topic(results)
    return (
        sum(n for (label, given, _), n in results.items() if label == given) / papers,
        sum(n for (_, _, good), n in results.items() if good) / papers,
        sum(score.f1 for score in scores) / (len(scores) or 1),
    )


def _by_topic(results: Counter[_Result]) -> tuple[TopicScore, ...]:
    labelled: Counter[str] = Counter()
    assigned: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for (label, given, _), n in results.items():
        labelled[label] += n
        assigned[given] += n
        if label == given:
            right[label] += n
    return tuple(
        TopicScore(
            topic=topic,
            papers=papers,
            precision=right[topic] / (assigned[topic] or 1),
            recall=right[topic] / papers,
            f1=2 * right[topic] / (papers + assigned[topic]),
        )
        for topic, papers in sorted(labelled.items())
    )


def _share(value: float, samples: list[float]) -> Estimate:
    """The value with the 2.5th and the 97.5th percentile of its samples."""
    if not samples:
        return Estimate(value, value, value)
    last = len(samples) - 1
    return Estimate(value, samples[round(0.025 * last)], samples[round(0.975 * last)])


def _example(number: int, line: str, known_topics: Collection[str] | None) -> Example:
    try:
        data = json.loads(line)
    except ValueError as error:
        raise Problem(f"Line {number} is not JSON ({error}): correct it or take it out.") from error
    except RecursionError as error:
        raise Problem(f"Line {number} is nested too deeply: correct it or take it out.") from error
    if not isinstance(data, dict):
        raise Problem(f"Line {number} is not a JSON object: write {{…}} with id, title and label.")
    label, alternates = _text(number, data, "label"), _texts(number, data, "alternates")
    for topic in (label, *alternates):
        if known_topics is not None and topic not in known_topics:
            raise Problem(f"Line {number}: the topic {topic[:60]!r} is unknown: use the slug of a topic file.")
    paper = Paper(
        id=PaperId(_text(number, data, "id")),
        title=_text(number, data, "title"),
        abstract=_text(number, data, "abstract", ""),
        categories=_texts(number, data, "categories"),
        keywords=_texts(number, data, "keywords"),
        day=_NO_DAY,
        sources=(),
    )
    return Example(paper, label, frozenset(alternates))


def _text(number: int, data: Mapping[str, Any], field: str, default: str | None = None) -> str:
    value = data.get(field, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise Problem(f"Line {number}: {field} must be a text, not {repr(value)[:60]}: correct it.")
    return value


def _texts(number: int, data: Mapping[str, Any], field: str) -> tuple[str, ...]:
    value = data.get(field, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Problem(f"Line {number}: {field} must be a list of texts, not {repr(value)[:60]}: correct it.")
    return tuple(value)
