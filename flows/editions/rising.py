"""Which papers deserve to be shown once more? Pure.

A paper that readers have seen is not shown again, unless it rose: most of its votes came after the edition that showed
it, where it stood low and was passed over, and they are as many as a good paper has. That is rare: one paper in ten is
good, and most of those stood high from the beginning.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from flows.editions.model import Edition
from flows.papers.model import Paper, PaperId

WITHIN = dt.timedelta(days=7)
"""After so many days it is no news any more; the weekly edition has had it."""
AT_MOST = 3
"""Papers that an edition shows again: it is there for the new ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Risen:
    """A paper as it is now, and the votes it gained since an edition showed it."""

    paper: Paper
    gained: int


def risen(earlier: Iterable[Edition], votes: Mapping[PaperId, int], good: int, day: dt.date) -> list[Risen]:
    """Of the papers that `earlier` editions showed, those that an edition of `day` shows again: they have at least
    doubled their votes by at least `good`, and no edition has shown them again before. Who gained most comes first.

    `votes` are those of today; an edition keeps them as they were.
    """
    lately = [edition for edition in earlier if day - WITHIN <= edition.day < day]
    shown = {entry.paper.id: entry for edition in sorted(lately, key=lambda one: one.day) for entry in edition.entries}
    again = {entry.paper.id for edition in lately for entry in edition.entries if entry.rose}
    found = []
    for identity, entry in shown.items():
        then, now = entry.paper.upvotes or 0, votes.get(identity, 0)
        if identity not in again and now - then >= max(then, good):
            found.append(Risen(paper=replace(entry.paper, upvotes=now), gained=now - then))
    return sorted(found, key=lambda one: (-one.gained, one.paper.id))[:AT_MOST]
