"""How well gists say what summaries of the same papers say: ROUGE against a reference for each."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flows.editions.judging import rouge
from flows.editions.judging.evaluate import ROUNDS, Estimate
from flows.outcomes import Problem

_SEED = 20260609


@dataclass(frozen=True, slots=True)
class Summarised:
    """A paper with a summary to compare its gist with."""

    id: str
    title: str
    abstract: str
    reference: str
    day: str = ""
    """Papers of one day are judged together."""


@dataclass(frozen=True, slots=True)
class GistReport:
    """How gists did: the mean F1 of ROUGE-1 and ROUGE-2 against the references, and how long the gists are."""

    papers: int
    rouge1: Estimate
    rouge2: Estimate
    words: float
    """Of a gist, on average."""
    characters: int
    """Of the longest."""


def read(lines: Iterable[str]) -> tuple[Summarised, ...]:
    """The papers of a JSON Lines file; empty lines are passed over. Raises Problem with the number of the first bad
    line."""
    found = tuple(_summarised(n, line) for n, line in enumerate(lines, 1) if line.strip())
    if not found:
        raise Problem(
            "The file holds no papers: give one JSON object with title, abstract and reference, or ai_summary, a line."
        )
    return found


def evaluate(gist: Callable[[str, str], str], papers: Iterable[Summarised]) -> GistReport:
    """Write every gist and compare. The same papers give the same report, intervals included."""
    return compare((gist(paper.title, paper.abstract), paper.reference) for paper in papers)


def compare(answers: Iterable[tuple[str, str]]) -> GistReport:
    """The report on gists, each with its reference."""
    pairs = list(answers)
    stems = [(rouge.stems(found), rouge.stems(wanted)) for found, wanted in pairs]
    return GistReport(
        papers=len(pairs),
        rouge1=_mean([rouge.overlap(found, wanted, 1) for found, wanted in stems]),
        rouge2=_mean([rouge.overlap(found, wanted, 2) for found, wanted in stems]),
        words=sum(len(found) for found, _ in stems) / (len(stems) or 1),
        characters=max((len(found) for found, _ in pairs), default=0),
    )


def _mean(values: Sequence[float]) -> Estimate:
    """The mean with its 95 % interval: as many papers drawn anew, many times. The seed is fixed on purpose."""
    if not values:
        return Estimate(0.0, 0.0, 0.0)
    draw = random.Random(_SEED)  # noqa: S311 - a sample, not a secret
    means = sorted(sum(draw.choices(values, k=len(values))) / len(values) for _ in range(ROUNDS))
    last = len(means) - 1
    return Estimate(sum(values) / len(values), means[round(0.025 * last)], means[round(0.975 * last)])


def _summarised(number: int, line: str) -> Summarised:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Problem(f"Line {number} is not JSON ({str(error)[:80]}): correct it or take it out.") from error
    if not isinstance(data, dict):
        raise Problem(f"Line {number} is not a JSON object: write {{…}} with title, abstract and reference.")
    return Summarised(
        id=_text(number, data, "id", ""),
        title=_text(number, data, "title"),
        abstract=_text(number, data, "abstract"),
        reference=_text(
            number, data, "ai_summary" if "ai_summary" in data and "reference" not in data else "reference"
        ),
        day=_text(number, data, "day", ""),
    )


def _text(number: int, data: dict[str, Any], field: str, default: str | None = None) -> str:
    value = data.get(field, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise Problem(f"Line {number}: {field} must be a text, not {repr(value)[:60]}: correct it.")
    return value
