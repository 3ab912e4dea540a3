"""How good are forecasts? Against what was picked in the end. Pure."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from flows.outcomes import Problem

FIRST = 20
"""The papers of a day that somebody looks at who scrolls a little."""
BINS = 10


@dataclass(frozen=True, slots=True)
class Candidate:
    """A paper that was picked, or was not."""

    title: str
    picked: bool
    abstract: str = ""
    authors: tuple[str, ...] = ()
    comment: str = ""
    day: str = ""
    """Papers of one day compete with each other."""


class CheckedForecast(NamedTuple):
    """What was forecast for a paper, and what came."""

    forecast: float
    picked: bool
    day: str = ""


@dataclass(frozen=True, slots=True)
class Bin:
    """Papers with forecasts that are close together."""

    papers: int
    forecast: float
    """On average."""
    picked: float
    """Their share."""


@dataclass(frozen=True, slots=True)
class ForecastReport:
    """How good forecasts are."""

    papers: int
    picked: int
    days: int
    auc: float
    """How often a picked paper is ranked above one that was not; 0.5 is chance."""
    average_precision: float
    """The precision at each picked paper, on average; chance is the share of picked ones."""
    chance: float
    first: float
    """Picked ones among the first 20 of a day, on average."""
    first_by_chance: float
    calibration_error: float
    """How far forecasts are from what came, on average over the bins, each by its size."""
    bins: tuple[Bin, ...]
    """A tenth of the papers each, the least likely first."""


def report(answers: Iterable[CheckedForecast]) -> ForecastReport:
    """Raises Problem unless some were picked and some were not: else there is nothing to compare."""
    ranked = sorted(answers, key=lambda answer: -answer.forecast)
    papers, picked = len(ranked), sum(answer.picked for answer in ranked)
    if not 0 < picked < papers:
        raise Problem("There is nothing to compare: give papers that were picked and papers that were not.")
    bins = _bins(ranked[::-1])
    by_day: defaultdict[str, list[bool]] = defaultdict(list)
    for answer in ranked:
        by_day[answer.day].append(answer.picked)
    days = list(by_day.values())
    return ForecastReport(
        papers=papers,
        picked=picked,
        days=len(days),
        auc=_auc(ranked, picked),
        average_precision=_average_precision(ranked, picked),
        chance=picked / papers,
        first=sum(sum(day[:FIRST]) for day in days) / len(days),
        first_by_chance=sum(sum(day) * min(FIRST / len(day), 1) for day in days) / len(days),
        calibration_error=sum(one.papers * abs(one.forecast - one.picked) for one in bins) / papers,
        bins=bins,
    )


def _ties(ranked: Sequence[CheckedForecast]) -> Iterable[tuple[int, int]]:
    """For each forecast, from the highest on, how many papers have it and how many of them were picked."""
    found: dict[float, tuple[int, int]] = {}
    for answer in ranked:
        papers, picked = found.get(answer.forecast, (0, 0))
        found[answer.forecast] = papers + 1, picked + answer.picked
    return found.values()


def _auc(ranked: Sequence[CheckedForecast], picked: int) -> float:
    above, right = 0, 0.0
    for papers, hits in _ties(ranked):
        missed = papers - hits
        right += missed * (above + hits / 2)
        above += hits
    return right / (picked * (len(ranked) - picked))


def _average_precision(ranked: Sequence[CheckedForecast], picked: int) -> float:
    seen, hit, total = 0, 0, 0.0
    for papers, hits in _ties(ranked):
        seen, hit = seen + papers, hit + hits
        total += hits * hit / seen
    return total / picked


def _bins(rising: Sequence[CheckedForecast]) -> tuple[Bin, ...]:
    edges = [round(len(rising) * n / BINS) for n in range(BINS + 1)]
    parts = [rising[start:end] for start, end in itertools.pairwise(edges) if start < end]
    return tuple(
        Bin(
            papers=len(part),
            forecast=sum(answer.forecast for answer in part) / len(part),
            picked=sum(answer.picked for answer in part) / len(part),
        )
        for part in parts
    )


def read(lines: Iterable[str]) -> tuple[Candidate, ...]:
    """The candidates of a JSON Lines file; empty lines are passed over.

    Raises Problem with the number of the first bad line.
    """
    found = tuple(_candidate(n, line) for n, line in enumerate(lines, 1) if line.strip())
    if not found:
        raise Problem("The file holds no papers: give one JSON object with title, abstract, authors and picked a line.")
    return found


def _candidate(number: int, line: str) -> Candidate:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Problem(f"Line {number} is not JSON ({type(error).__name__}): correct it or take it out.") from error
    if not isinstance(data, dict):
        raise Problem(f"Line {number} is not a JSON object: write {{…}} with title, abstract, authors and picked.")
    picked, authors = data.get("picked"), data.get("authors", [])
    if picked not in (True, False):
        raise Problem(f"Line {number}: picked must be true or false, not {repr(picked)[:60]}: correct it.")
    if not isinstance(authors, list) or not all(isinstance(each, str) for each in authors):
        raise Problem(f"Line {number}: authors must be a list of names, not {repr(authors)[:60]}: correct it.")
    return Candidate(
        title=_text(number, data, "title"),
        picked=bool(picked),
        abstract=_text(number, data, "abstract", ""),
        authors=tuple(authors),
        comment=_text(number, data, "comment", ""),
        day=_text(number, data, "day", ""),
    )


def _text(number: int, data: Mapping[str, Any], field: str, default: str | None = None) -> str:
    value = data.get(field, default)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise Problem(f"Line {number}: {field} must be a text, not {repr(value)[:60]}: correct it.")
    return value
