"""Train the linear model that helps to group papers: `python -m flows.train_topics LABELLED.jsonl … --out FILE`.

The files are in the form that `paperround topics evaluate` reads. With `--judge FILE`, whose papers may be among
those to train on, it also says how good the whole classifier is on papers that its model has not seen: the papers to
judge are split, the model is trained anew without each part, and all parts are judged together.
"""

from __future__ import annotations

import argparse
import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from flows.catalogue import topics
from flows.editions.evaluate import Example, Report, compare, read
from flows.editions.linear import LinearModel, packed, unpacked
from flows.editions.model import OTHER
from flows.editions.topics import Classifier
from flows.editions.words import word_counts, words
from flows.outcomes import Problem

LEAST = 3
"""A word in fewer papers than this is left out: it is noise, or a name."""
MOST = 16_000
"""So many words at most, the most frequent: half a megabyte."""
ROUNDS = 8
"""How often each paper is seen: more fits the training papers and no others."""
RATE = 0.5
BALANCE = 0.75
"""How far topics with few papers are raised: 0 not at all, 1 to the same weight as those with many."""
_SEED = 20260609
_NEGLIGIBLE = 1e-3


def train(examples: Sequence[Example]) -> bytes:
    """The model as a file. The same examples in the same order give the same bytes. Raises Problem without any."""
    counted = [word_counts(example.paper) for example in examples]
    slugs = sorted({example.label for example in examples} - {OTHER})
    position = {slug: n for n, slug in enumerate(slugs)}
    spread = Counter(word for counts in counted for word in counts)
    listed = sorted((word for word, n in spread.items() if n >= LEAST), key=lambda word: (-spread[word], word))[:MOST]
    idf = {word: math.log(len(examples) / spread[word]) for word in sorted(listed)}
    empty = unpacked(packed(slugs, [0.0] * len(slugs), idf, [[0.0] * len(slugs)] * len(idf)))
    papers = [
        (position[example.label], list(empty.values(counts).items()))
        for example, counts in zip(examples, counted, strict=True)
        if example.label in position
    ]
    if not papers:
        raise Problem("No labelled paper is left to train with: give more of them, or judge in more folds.")
    rows, bias = _descend(papers, len(slugs), idf)
    return packed(slugs, bias, idf, [rows[word] for word in idf])


_Paper = tuple[int, list[tuple[str, float]]]
"""The position of its topic, and its words' values."""


def _descend(papers: Sequence[_Paper], size: int, words_: Iterable[str]) -> tuple[dict[str, list[float]], list[float]]:
    """Multinomial logistic regression by AdaGrad (Duchi, Hazan and Singer, 2011), a paper at a time."""
    rows = {word: [0.0] * size for word in words_}
    slopes = {word: [1e-3] * size for word in rows}
    bias, bias_slopes = [0.0] * size, [1.0] * size
    labelled = Counter(label for label, _ in papers)
    mean = len(papers) / size
    share = [(mean / (labelled[n] + 5)) ** BALANCE for n in range(size)]
    order, draw = list(papers), random.Random(_SEED)  # noqa: S311 - an order, not a secret
    for _ in range(ROUNDS):
        draw.shuffle(order)
        for label, values in order:
            sums = bias
            for word, value in values:
                sums = [total + value * weight for total, weight in zip(sums, rows[word], strict=True)]
            for topic, error in _errors(sums, label, share[label]):
                bias_slopes[topic] += error * error
                bias[topic] -= 0.1 * error / math.sqrt(bias_slopes[topic])
                for word, value in values:
                    slope, row = slopes[word], rows[word]
                    step = error * value
                    slope[topic] += step * step
                    row[topic] -= RATE * step / math.sqrt(slope[topic])
    return rows, bias


def _errors(sums: Sequence[float], label: int, weight: float) -> list[tuple[int, float]]:
    """For each topic that is judged wrongly, how much: the slope of the loss."""
    most = max(sums)
    powers = [math.exp(each - most) for each in sums]
    whole = sum(powers)
    errors = ((n, weight * (power / whole - (n == label))) for n, power in enumerate(powers))
    return [(n, error) for n, error in errors if abs(error) > _NEGLIGIBLE]


def judge(training: Sequence[Example], judged: Sequence[Example], folds: int) -> Report:
    """The report on papers that the model has not been trained with, neither by id nor by title."""
    known = topics()
    order = list(judged)
    random.Random(_SEED).shuffle(order)  # noqa: S311 - a split, not a secret
    return compare(
        (example, classifier.classify(example.paper))
        for part in (order[n::folds] for n in range(folds))
        for classifier in [Classifier(known, unpacked(train(_without(training, part))))]
        for example in part
    )


def _without(training: Iterable[Example], part: Sequence[Example]) -> list[Example]:
    ids = {example.paper.id for example in part}
    titles = {_title(example) for example in part}
    return [example for example in training if example.paper.id not in ids and _title(example) not in titles]


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
    training = list(_examples(chosen.files))
    for file in chosen.judge:
        report = judge(training, list(_examples([file])), chosen.folds)
        for name, share in (("exact", report.exact), ("acceptable", report.acceptable), ("macro-F1", report.macro_f1)):
            print(f"{file.name}: {name} {share.value:.3f} ({share.low:.3f} to {share.high:.3f})", flush=True)
    if chosen.out:
        data = train(training)
        chosen.out.write_bytes(data)
        model: LinearModel = unpacked(data)
        print(f"{chosen.out}: {len(model.positions)} words, {len(model.topics)} topics, {len(data)} bytes")


if __name__ == "__main__":
    main()
