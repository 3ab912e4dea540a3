"""Train the linear model that helps to group papers.

`python -m flows.commands.learning.train_topics LABELLED.jsonl … --out FILE`

The files are in the form that `paperround topics evaluate` reads. The model learns what terms, likeness and categories
leave open, so train it anew when the topics' files change. With `--judge FILE`, whose papers may be among those to
train on, it also says how good the whole classifier is on papers that its model has not seen (cross-validation): the
papers to judge are split so that each part holds its share of every topic, the model is trained anew without each part,
and all parts are judged together.
"""

from __future__ import annotations

import argparse
import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from flows.config.catalogue import topics
from flows.editions.judging.evaluate import Example, TopicsReport, compare, read
from flows.editions.linear import NO_MODEL, packed, unpacked
from flows.editions.model import OTHER, Classified
from flows.editions.topics import Classifier
from flows.editions.words import word_counts, words
from flows.outcomes import Problem

LEAST = 3
"""A word in fewer papers than this is left out: it is noise, or a name."""
MOST = 16_000
"""So many words at most, the most frequent: half a megabyte."""
ROUNDS = 5
"""How often each paper is seen: more fits the training papers and no others."""
ALTERNATES = 0.2
"""What share of a paper belongs to the other topics that would be acceptable. Borders between topics are drawn by
taste; a model that is told so errs less often on the far side of them."""
RATE = 0.3
BALANCE = 0.5
"""How far topics with few papers are raised: 0 not at all, 1 to the same weight as those with many."""
_SEED = 20260609
_NEGLIGIBLE = 1e-3


@dataclass(frozen=True, slots=True)
class TopicLesson:
    """A labelled paper as the training sees it."""

    example: Example
    counts: Mapping[str, int]
    evidence: Mapping[str, float]
    """For each topic what speaks for it without the model."""


def lessons(examples: Iterable[Example]) -> list[TopicLesson]:
    """Those of examples whose topic can be learned: not of `other`, which is what is left."""
    classifier = Classifier(topics(), NO_MODEL)
    return [
        TopicLesson(example, word_counts(example.paper), classifier.evidence(example.paper))
        for example in examples
        if example.label != OTHER
    ]


def train(learned: Sequence[TopicLesson]) -> bytes:
    """The model as a file. The same lessons in the same order give the same bytes. Raises Problem without any."""
    if not learned:
        raise Problem("No labelled paper is left to train with: give more of them, or judge in more folds.")
    slugs = sorted({lesson.example.label for lesson in learned})
    position = {slug: n for n, slug in enumerate(slugs)}
    spread = Counter(word for lesson in learned for word in lesson.counts)
    listed = sorted((word for word, n in spread.items() if n >= LEAST), key=lambda word: (-spread[word], word))[:MOST]
    idf = {word: math.log(len(learned) / spread[word]) for word in sorted(listed)}
    empty = unpacked(packed(slugs, [0.0] * len(slugs), idf, [[0.0] * len(slugs)] * len(idf)))
    papers = [
        _Paper(
            position[lesson.example.label],
            _shares(lesson.example, position),
            list(empty.values(lesson.counts).items()),
            [lesson.evidence[slug] for slug in slugs],
        )
        for lesson in learned
    ]
    rows, bias = _descend(papers, len(slugs), idf)
    return packed(slugs, bias, idf, [rows[word] for word in idf])


class _Paper(NamedTuple):
    label: int
    """The position of its topic."""
    shares: Sequence[float]
    """How much of it belongs to each topic; 1 together."""
    values: Sequence[tuple[str, float]]
    """What its words are worth."""
    evidence: Sequence[float]
    """What speaks for each topic already: the model adds to it."""


def _shares(example: Example, position: Mapping[str, int]) -> Sequence[float]:
    """How much of a paper belongs to each topic."""
    others = [position[slug] for slug in example.alternates if slug in position]
    shares = [0.0] * len(position)
    shares[position[example.label]] = 1 - ALTERNATES if others else 1.0
    for other in others:
        shares[other] += ALTERNATES / len(others)
    return shares


def _descend(papers: Sequence[_Paper], size: int, words_: Iterable[str]) -> tuple[dict[str, list[float]], list[float]]:
    """Multinomial logistic regression by AdaGrad (Duchi, Hazan and Singer, 2011), a paper at a time."""
    rows = {word: [0.0] * size for word in words_}
    slopes = {word: [1e-3] * size for word in rows}
    bias, bias_slopes = [0.0] * size, [1.0] * size
    labelled = Counter(paper.label for paper in papers)
    mean = len(papers) / size
    raised = [(mean / (labelled[n] + 5)) ** BALANCE for n in range(size)]
    order, draw = list(papers), random.Random(_SEED)  # noqa: S311 - an order, not a secret
    for _ in range(ROUNDS):
        draw.shuffle(order)
        for label, shares, values, evidence in order:
            sums = [own + known for own, known in zip(bias, evidence, strict=True)]
            for word, value in values:
                sums = [total + value * weight for total, weight in zip(sums, rows[word], strict=True)]
            for topic, error in _errors(sums, shares, raised[label]):
                bias_slopes[topic] += error * error
                bias[topic] -= 0.1 * error / math.sqrt(bias_slopes[topic])
                for word, value in values:
                    slope, row = slopes[word], rows[word]
                    step = error * value
                    slope[topic] += step * step
                    row[topic] -= RATE * step / math.sqrt(slope[topic])
    return rows, bias


def _errors(sums: Sequence[float], shares: Sequence[float], weight: float) -> list[tuple[int, float]]:
    """For each topic that is judged wrongly, how much: the slope of the loss."""
    most = max(sums)
    powers = [math.exp(each - most) for each in sums]
    whole = sum(powers)
    errors = ((n, weight * (powers[n] / whole - share)) for n, share in enumerate(shares))
    return [(n, error) for n, error in errors if abs(error) > _NEGLIGIBLE]


def judge(learned: Sequence[TopicLesson], files: Sequence[Sequence[Example]], folds: int) -> list[TopicsReport]:
    """For each file the report on papers that the model has not been trained with, neither by id nor by title."""
    known = topics()
    parts = [_split(file, folds) for file in files]
    answers: list[list[tuple[Example, Classified]]] = [[] for _ in files]
    for fold in range(folds):
        unseen = [example for part in parts for example in part[fold]]
        classifier = Classifier(known, unpacked(train(_without(learned, unseen))))
        for found, part in zip(answers, parts, strict=True):
            found.extend((example, classifier.classify(example.paper)) for example in part[fold])
    return [compare(found) for found in answers]


def _split(examples: Sequence[Example], folds: int) -> list[list[Example]]:
    """Parts of the same size, each with its share of every topic."""
    order = list(examples)
    random.Random(_SEED).shuffle(order)  # noqa: S311 - a split, not a secret
    order.sort(key=lambda example: example.label)
    return [order[n::folds] for n in range(folds)]


def _without(learned: Iterable[TopicLesson], unseen: Sequence[Example]) -> list[TopicLesson]:
    ids = {example.paper.id for example in unseen}
    titles = {_title(example) for example in unseen}
    return [one for one in learned if one.example.paper.id not in ids and _title(one.example) not in titles]


def _title(example: Example) -> str:
    return " ".join(words(example.paper.title))


def _examples(files: Iterable[Path]) -> Iterator[Example]:
    """Those of all files, each paper once."""
    slugs = {topic.slug for topic in topics()}
    seen = set()
    for file in files:
        for example in read(file.read_text(encoding="utf-8").splitlines(), slugs):
            if example.paper.id not in seen:
                seen.add(example.paper.id)
                yield example


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, help="where the model is written")
    parser.add_argument("--judge", type=Path, action="append", default=[], help="labelled papers to judge with")
    parser.add_argument("--folds", type=int, default=5)
    chosen = parser.parse_args()
    learned = lessons(_examples(chosen.files))
    judged = [list(_examples([file])) for file in chosen.judge]
    for file, report in zip(chosen.judge, judge(learned, judged, chosen.folds) if judged else (), strict=True):
        for name, share in (("exact", report.exact), ("acceptable", report.acceptable), ("macro-F1", report.macro_f1)):
            print(f"{file.name}: {name} {share.value:.3f} ({share.low:.3f} to {share.high:.3f})")
    if chosen.out:
        data = train(learned)
        chosen.out.write_bytes(data)
        model = unpacked(data)
        print(f"{chosen.out}: {len(model.positions)} words, {len(model.topics)} topics, {len(data)} bytes")


if __name__ == "__main__":
    main()
