"""Train the model that forecasts which papers are picked.

`python -m flows.commands.learning.train_forecast --picked DAY.json … --announced DAY.jsonl … --out FILE`

`--picked` are answers of Hugging Face's daily papers, a file a day, named by its date. `--announced` are what arXiv
announced, a file a day: a JSON object with id, title, summary, authors and comment a line. A paper announced twice
counts once, and not at all if it was picked. `--categories` is a JSON object from ids to categories of those picked
papers that stem from the fields that were announced: the others are left out, since nothing shows what they were picked
from.

Most picked papers are known by Hugging Face's text alone and the others by arXiv's; what sets the two apart (TeX, line
ends, the comment that only arXiv has) is kept out of the features. Nobody knows which of the announced papers were
picked later: about one in twenty. So they stand for all papers, not for those that were passed over, and the last step,
from scores to probabilities, allows for it (du Plessis, Niu and Sugiyama, 2015: learning from positive and unlabelled
data). How good the model is it says by day: it is trained anew without each day's papers, which are then mixed with
picked papers of unseen days, one in twenty.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flows.editions.forecast import TRAITS, ForecastModel, packed, probability, terms, traits, unpacked
from flows.editions.judging import forecast_report
from flows.editions.judging.forecast_report import CheckedForecast, ForecastReport
from flows.outcomes import Problem
from flows.papers.model import Addresses, Request, Window
from flows.papers.sources import huggingface

BASE = 0.05
"""The share of announced papers that are picked: 18 a day of 349."""
LEAST = 5
"""A term in fewer papers than this is left out: it is noise, or a name."""
SUBJECTS = 60
"""Directions that stand for all terms: those in which papers differ most. Each term's weight is what its directions
weigh, so that words that occur together learn from each other; left to itself each would learn chance."""
SPREAD, TRAIT_SPREAD = 5.0, 0.3
"""What directions and traits are multiplied by, which is how freely they may be weighed."""
RIDGE = 3.3
FOLDS = 5
_SEED = 20260609

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ForecastLesson:
    """A paper as the training sees it."""

    id: str
    title: str
    abstract: str
    authors: int
    day: str
    picked: bool

    def terms(self) -> Counter[str]:
        return terms(self.title, self.abstract)

    def traits(self) -> tuple[float, ...]:
        """The comment is left out, since it is known of announced papers alone: it would tell them from the others."""
        return traits(self.title, self.abstract, self.authors)


def train(lessons: Sequence[ForecastLesson], *, slope: float = 1.0, shift: float = 0.0) -> bytes:
    """The model as a file; `slope` and `shift` calibrate it. The same lessons in the same order give the same bytes.

    Raises Problem unless some are picked and some are not.
    """
    labels = np.array([lesson.picked for lesson in lessons], dtype=float)
    if not 0 < labels.sum() < len(labels):
        raise Problem("There is nothing to learn: give papers that were picked and papers that were announced.")
    counts = [lesson.terms() for lesson in lessons]
    spread = Counter(term for each in counts for term in each)
    idf = {term: math.log(len(lessons) / n) for term, n in sorted(spread.items()) if n >= LEAST}
    if not idf:
        raise Problem(f"There is nothing to learn: no word stands in {LEAST} papers.")
    values = _values(idf, counts)
    directions = _directions(values, SUBJECTS) * SPREAD
    seen = np.array([lesson.traits() for lesson in lessons])
    centre, width = seen.mean(axis=0), seen.std(axis=0)
    width[width == 0] = math.inf  # what never varies says nothing
    scaled = (seen - centre) / width * TRAIT_SPREAD
    weights, bias = _logistic(np.hstack([values @ directions, scaled]), labels)
    of_terms = directions @ weights[: directions.shape[1]] * slope
    of_traits = weights[directions.shape[1] :] / width * TRAIT_SPREAD * slope
    return packed(
        float((bias * slope) + shift - of_traits @ centre),
        {term: (rarity, float(weight)) for (term, rarity), weight in zip(idf.items(), of_terms, strict=True)},
        dict(zip(TRAITS, map(float, of_traits), strict=True)),
    )


def _values(idf: Mapping[str, float], counts: Sequence[Mapping[str, float]]) -> Matrix:
    """What each term is worth in each paper: as the model itself will find it."""
    empty = unpacked(packed(0.0, {term: (rarity, 0.0) for term, rarity in idf.items()}, dict.fromkeys(TRAITS, 0.0)))
    column = {term: n for n, term in enumerate(idf)}
    found = np.zeros((len(counts), len(idf)))
    for row, each in zip(found, counts, strict=True):
        for term, value in empty.words.values(each).items():
            row[column[term]] = value
    return found


def _directions(values: Matrix, most: int) -> Matrix:
    """The first right singular vectors, a column each, by subspace iteration (Halko, Martinsson and Tropp, 2011)."""
    size = min(most, *values.shape)
    basis = np.random.default_rng(_SEED).standard_normal((values.shape[1], min(size + 10, *values.shape)))
    for _ in range(6):
        basis, _ = np.linalg.qr(values.T @ (values @ basis))
    _, _, turn = np.linalg.svd(values @ basis, full_matrices=False)
    return np.asarray(basis @ turn.T[:, :size])


def _logistic(features: Matrix, labels: Matrix) -> tuple[Matrix, float]:
    """Weights and bias of a logistic regression, by Newton's method; the bias is free, the weights are held back."""
    rows = np.hstack([features, np.ones((len(features), 1))])
    held = np.full(rows.shape[1], RIDGE)
    held[-1] = 1e-9
    found = np.zeros(rows.shape[1])
    for _ in range(25):
        likely = _sigmoid(rows @ found)
        slope = rows.T @ (likely - labels) + held * found
        curve = (rows * (likely * (1 - likely))[:, None]).T @ rows + np.diag(held)
        step = np.linalg.solve(curve, slope)
        found = found - step
        if np.abs(step).max() < 1e-8:
            break
    return found[:-1], float(found[-1])


def _sigmoid(values: Matrix) -> Matrix:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -50, 50))))


def calibration(picked: Sequence[float], announced: Sequence[float]) -> tuple[float, float]:
    """What to multiply scores by, and what to add, so that they are the logarithms of odds where BASE of all announced
    papers are picked. Picked papers count BASE in all; the announced ones stand for all papers, less as much."""
    ours, all_ = (np.array([[score, 1.0] for score in scores]) for scores in (picked, announced))
    found = np.array([1.0, math.log(BASE)])
    for _ in range(50):
        likely = _sigmoid(all_ @ found)
        slope = (all_ * likely[:, None]).mean(axis=0) - BASE * ours.mean(axis=0)
        curve = (all_ * (likely * (1 - likely))[:, None]).T @ all_ / len(all_) + np.eye(2) * 1e-6
        found = found - np.clip(np.linalg.solve(curve, slope), -1, 1)
    return float(found[0]), float(found[1])


@dataclass(frozen=True, slots=True)
class Judged:
    """What models say of papers that they have not seen."""

    scores: tuple[tuple[ForecastLesson, float], ...]
    slope: float
    shift: float

    def answers(self) -> Iterator[CheckedForecast]:
        """Each announced day with one picked paper for nineteen others, and again with other picked ones until all have
        been in."""
        for fold in range(FOLDS):
            mine = [(lesson, self._forecast(score)) for lesson, score in self.scores if _fold(lesson) == fold]
            picked = [score for lesson, score in mine if lesson.picked]
            for day in sorted({lesson.day for lesson, _ in mine if not lesson.picked}):
                others = [score for lesson, score in mine if lesson.day == day and not lesson.picked]
                wanted = max(round(len(others) * BASE / (1 - BASE)), 1)
                for turn in range(max(len(picked) // wanted, 1)):
                    name = f"{day} {turn}"
                    yield from (CheckedForecast(score, picked=False, day=name) for score in others)
                    yield from (
                        CheckedForecast(s, picked=True, day=name) for s in picked[turn * wanted : (turn + 1) * wanted]
                    )

    def _forecast(self, score: float) -> float:
        return probability(self.slope * score + self.shift)


def judge(lessons: Sequence[ForecastLesson]) -> Judged:
    """Every paper's score by a model that has seen nothing of its day, and how such scores are to be calibrated."""
    found: list[tuple[ForecastLesson, float]] = []
    for fold in range(FOLDS):
        unseen = [lesson for lesson in lessons if _fold(lesson) == fold]
        if unseen:
            model = unpacked(train([lesson for lesson in lessons if _fold(lesson) != fold]))
            found.extend((lesson, _score(model, lesson)) for lesson in unseen)
    picked = [score for lesson, score in found if lesson.picked]
    announced = [score for lesson, score in found if not lesson.picked]
    return Judged(tuple(found), *calibration(picked, announced))


def _score(model: ForecastModel, lesson: ForecastLesson) -> float:
    return model.logit(lesson.title, lesson.abstract, lesson.authors)


def _fold(lesson: ForecastLesson) -> int:
    """Of a day, so that all its papers are in one; Monday to Friday follow each other."""
    return dt.date.fromisoformat(lesson.day).toordinal() % FOLDS


def picked(files: Iterable[Path], within: Collection[str] | None) -> Iterator[ForecastLesson]:
    """The papers of Hugging Face's answers, each on its first day; `within` are the ids that count, if not all."""
    seen: set[str] = set()
    for file in sorted(files):
        window, addresses = Window(day=dt.date.fromisoformat(file.stem)), Addresses()
        request = Request(url="", kind="page 0", format="json", service=huggingface.NAME)
        for paper in huggingface.parse(file.read_bytes(), request, window, addresses).papers:
            if paper.id not in seen and (within is None or paper.id in within):
                seen.add(paper.id)
                yield ForecastLesson(paper.id, paper.title, paper.abstract, len(paper.authors), file.stem, picked=True)


def announced(files: Iterable[Path], without: Collection[str]) -> Iterator[ForecastLesson]:
    """The papers that arXiv announced, each on its first day, `without` those that are known to be picked."""
    seen = set(without)
    for file in sorted(files):
        for line in file.read_text(encoding="utf-8").splitlines():
            paper = json.loads(line)
            if paper["id"] not in seen:
                seen.add(paper["id"])
                title, abstract = (" ".join(paper[field].split()) for field in ("title", "summary"))
                yield ForecastLesson(paper["id"], title, abstract, len(paper["authors"]), file.stem, picked=False)


def _told(report: ForecastReport) -> str:
    return (
        f"on unseen days: AUC {report.auc:.3f}, average precision {report.average_precision:.3f} "
        f"(chance {report.chance:.3f}), {report.first:.1f} picked ones among the first {forecast_report.FIRST} "
        f"(chance {report.first_by_chance:.1f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--picked", nargs="+", type=Path, required=True, help="Hugging Face's answers, DATE.json")
    parser.add_argument("--announced", nargs="+", type=Path, required=True, help="arXiv's papers, DATE.jsonl")
    parser.add_argument("--categories", type=Path, help="JSON from ids to categories: others are left out")
    parser.add_argument("--out", type=Path, help="where the model is written")
    chosen = parser.parse_args()
    within = set(json.loads(chosen.categories.read_text(encoding="utf-8"))) if chosen.categories else None
    all_picked = {lesson.id for lesson in picked(chosen.picked, None)}
    lessons = [*picked(chosen.picked, within), *announced(chosen.announced, all_picked)]
    judged = judge(lessons)
    ours = sum(lesson.picked for lesson in lessons)
    print(f"{ours} picked, {len(lessons) - ours} announced")
    print(_told(forecast_report.report(judged.answers())))
    if chosen.out:
        data = train(lessons, slope=judged.slope, shift=judged.shift)
        chosen.out.write_bytes(data)
        print(f"{chosen.out}: {len(unpacked(data).words.positions)} terms, {len(data)} bytes")


if __name__ == "__main__":
    main()
