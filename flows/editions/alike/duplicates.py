"""The same paper under two ids, as when it is uploaded anew: found by its text. Pure.

Two texts are one paper's if they share a fifth of the four-word runs that either has (Jaccard). Of 4,058 recorded
papers one pair lay above that, at 0.90, and the next at 0.08: whatever is different has different words.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable

from flows.editions.words import MAX_LETTERS, words
from flows.papers.model import Paper

SAME = 0.2
LEAST = 20
"""Runs that a text needs to be compared: a title alone says too little."""
HOLDERS = 50
"""Of a run so many texts are remembered: a phrase that everybody uses tells nobody apart."""


def unique(papers: Iterable[Paper], shown: Iterable[Paper] = ()) -> list[Paper]:
    """The papers, the better ones first, without those that are the same as a better one, or as one that was `shown`
    and has an author of theirs.

    The better one has more votes, and any that could be voted on comes before those that could not; among equals it was
    listed earlier. The order of what is given does not matter.
    """
    fresh = sorted(papers, key=_merit)
    authors = {name for paper in fresh for name in _authors(paper)}
    known = _Known()
    for paper in sorted(shown, key=lambda paper: paper.id):
        if not authors.isdisjoint(_authors(paper)):
            known.add(_runs(paper))
    kept = []
    for paper in fresh:
        runs = _runs(paper)
        if not known.has(runs):
            known.add(runs)
            kept.append(paper)
    return kept


def _merit(paper: Paper) -> tuple[int, dt.date, str]:
    return 1 if paper.upvotes is None else -paper.upvotes, paper.day, paper.id


def _authors(paper: Paper) -> set[str]:
    return {name.casefold() for name in paper.authors} or {""}


def _runs(paper: Paper) -> set[tuple[str, ...]]:
    said = words(f"{paper.title} {paper.abstract[:MAX_LETTERS]}")
    return set(zip(said, said[1:], said[2:], said[3:], strict=False))


class _Known:
    """Texts by their runs."""

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._holders: dict[tuple[str, ...], list[int]] = defaultdict(list)

    def add(self, runs: set[tuple[str, ...]]) -> None:
        if len(runs) < LEAST:
            return
        for run in runs:
            holders = self._holders[run]
            if len(holders) < HOLDERS:
                holders.append(len(self._sizes))
        self._sizes.append(len(runs))

    def has(self, runs: set[tuple[str, ...]]) -> bool:
        """Whether one of them is the same."""
        if len(runs) < LEAST:
            return False
        shared = Counter(text for run in runs for text in self._holders.get(run, ()))
        return any(count >= SAME * (len(runs) + self._sizes[text] - count) for text, count in shared.items())
