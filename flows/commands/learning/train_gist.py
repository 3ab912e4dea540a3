"""Train the model of `flows.editions.gist` from papers with summaries.

`python -m flows.commands.learning.train_gist FILE …`

A line of a file is a JSON object with `id`, `day`, `title`, `abstract` and `reference`, a summary written by somebody
else. Two linear models are learnt, one after the other: how likely a word of an abstract is in the summary (logistic
regression), and which of a paper's drafts has most in common with it (multinomial logistic regression over the drafts,
each wanted the more, the higher its ROUGE). Numbers alone are kept.

With --judge N the papers are split by day into N parts, and each part is judged by a model trained without its days.
"""

from __future__ import annotations

import argparse
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.commands.learning.gist_judge import as_lines
from flows.editions import maths
from flows.editions.abstracts import gist_features
from flows.editions.abstracts.gist_model import GistModel, likely, modelled, packed, unpacked
from flows.editions.abstracts.sentences import sentences
from flows.editions.gist import READ, Weighing, choose
from flows.editions.judging import rouge
from flows.editions.judging.gist_evaluate import GistReport, Summarised, compare, read
from flows.editions.words import words
from flows.outcomes import Problem

LEAST = 15
"""A feature of fewer papers is left out: it is noise, or a name."""
DRAFTS = 14
"""So many sentences are tried in pairs, without a model that knows the best."""
MOST = 160
"""Drafts of a paper that are learnt from."""
EDGE = 0.06
"""How much more ROUGE makes a draft e times as much wanted."""
ROUNDS = 8
WORD_ROUNDS = 4
RATE = 0.2
SHRINK = 2e-3
"""How far a weight shrinks with each paper, before it is divided as its steps are: unimportant features stay small."""
_SEED = 20260609

Numbered = Sequence[tuple[int, float]]
"""The features of something by their numbers."""


class Weights:
    """Weights that AdaGrad (Duchi, Hazan and Singer, 2011) descends with, a feature at a time."""

    def __init__(self, names: Iterable[str]) -> None:
        self.number = {name: n for n, name in enumerate(sorted(names))}
        self.values = [0.0] * len(self.number)
        self._slopes = [1e-2] * len(self.number)

    def numbered(self, features: Iterable[tuple[str, float]]) -> Numbered:
        return [(self.number[name], value) for name, value in features if name in self.number]

    def score(self, features: Numbered) -> float:
        values = self.values
        return sum(values[n] * value for n, value in features)

    def descend(self, slopes: Iterable[tuple[int, float]]) -> None:
        for n, slope in slopes:
            whole = slope + SHRINK * self.values[n]
            self._slopes[n] += whole * whole
            self.values[n] -= RATE * whole / math.sqrt(self._slopes[n])

    def named(self) -> dict[str, float]:
        return {name: self.values[n] for name, n in self.number.items()}


def train(papers: Sequence[Summarised]) -> bytes:
    """The model as a file. The same papers in the same order give the same bytes. Raises Problem without any."""
    spoken = _train_words(papers)
    chosen = _train_drafts(papers, modelled(spoken))
    if not chosen:
        raise Problem("Too few papers to learn from: give at least a few days of them.")
    return packed(spoken | chosen)


def _weighing(paper: Summarised, model: GistModel) -> Weighing:
    return Weighing(maths.text(paper.title[:READ]), _sentences(paper), model)


def _sentences(paper: Summarised) -> list[str]:
    return sentences(maths.text(paper.abstract[:READ]))


def _train_words(papers: Sequence[Summarised]) -> dict[str, float]:
    """How likely a word is in a summary."""
    seen: list[tuple[list[tuple[str, float]], bool]] = []
    for paper in papers:
        source = gist_features.source(maths.text(paper.title), _sentences(paper))
        told = set(words(paper.reference))
        seen += [(gist_features.of_word(word, source), word in told) for word in source.total]
    weights = Weights(_frequent([name for name, _ in features] for features, _ in seen))
    lessons = [(weights.numbered(features), wanted) for features, wanted in seen]
    draw = random.Random(_SEED)  # noqa: S311 - an order, not a secret
    for _ in range(WORD_ROUNDS):
        draw.shuffle(lessons)
        for features, wanted in lessons:
            error = likely(weights.score(features)) - wanted
            weights.descend((n, error * value) for n, value in features)
    return weights.named()


@dataclass(frozen=True, slots=True)
class _Lesson:
    drafts: Sequence[Numbered]
    wanted: Sequence[float]
    """How much of each draft is wanted; 1 together."""


def _train_drafts(papers: Sequence[Summarised], model: GistModel) -> dict[str, float]:
    """What speaks for a draft."""
    listed = []
    for paper in papers:
        weighing, wanted = _weighing(paper, model), rouge.stems(paper.reference)
        drafts = weighing.drafts(DRAFTS)[:MOST]
        if len(drafts) > 1:
            told = [rouge.stems(" ".join(piece.text for piece in draft)) for draft in drafts]
            worth = [rouge.overlap(each, wanted, 1) + rouge.overlap(each, wanted, 2) for each in told]
            listed.append(([weighing.features(draft) for draft in drafts], _shares([each / EDGE for each in worth])))
    weights = Weights(_frequent({name for draft in drafts for name, _ in draft} for drafts, _ in listed))
    lessons = [_Lesson([weights.numbered(draft) for draft in drafts], wanted) for drafts, wanted in listed]
    draw = random.Random(_SEED)  # noqa: S311 - an order, not a secret
    for _ in range(ROUNDS):
        draw.shuffle(lessons)
        for lesson in lessons:
            given = _shares([weights.score(draft) for draft in lesson.drafts])
            slopes: defaultdict[int, float] = defaultdict(float)
            for draft, has, wants in zip(lesson.drafts, given, lesson.wanted, strict=True):
                for n, value in draft:
                    slopes[n] += (has - wants) * value
            weights.descend(slopes.items())
    return weights.named()


def _frequent(seen: Iterable[Iterable[str]]) -> list[str]:
    """The features that occur often enough to be learnt from."""
    counts: Counter[str] = Counter()
    for names in seen:
        counts.update(names)
    return [name for name, n in counts.items() if n >= LEAST]


def _shares(logits: Sequence[float]) -> list[float]:
    most = max(logits)
    powers = [math.exp(each - most) for each in logits]
    whole = sum(powers)
    return [each / whole for each in powers]


def judge(papers: Sequence[Summarised], folds: int) -> tuple[GistReport, list[tuple[Summarised, str]]]:
    """The report on gists by models that never saw a paper of the same day, and those gists."""
    days = sorted({paper.day for paper in papers})
    answers: list[tuple[Summarised, str]] = []
    for fold in range(folds):
        unseen = set(days[fold::folds])
        model = unpacked(train([paper for paper in papers if paper.day not in unseen]))
        asked = [paper for paper in papers if paper.day in unseen]
        answers += [(paper, choose(paper.title, paper.abstract, model)) for paper in asked]
    return compare((given, paper.reference) for paper, given in answers), answers


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, help="where the model is written")
    parser.add_argument("--judge", type=int, default=0, metavar="N", help="judge in so many parts, by day")
    chosen = parser.parse_args()
    papers = [paper for file in chosen.files for paper in read(file.read_text(encoding="utf-8").splitlines())]
    if chosen.judge:
        report, _ = judge(papers, chosen.judge)
        print(as_lines(report))
    if chosen.out:
        data = train(papers)
        chosen.out.write_bytes(data)
        print(f"{chosen.out}: {len(unpacked(data).weights)} numbers, {len(data)} bytes")


if __name__ == "__main__":
    main()
