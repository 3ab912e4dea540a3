"""What a weekly edition makes of its week: the best by topic, what is missing, why there is none. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence

from flows.editions.model import Entry
from flows.papers.model import Collected

DAYS = 7
"""A weekly edition is chosen from the papers of so many days, its own the last."""
OF_A_TOPIC = 5
"""Papers that a topic has in it: what stood sixth in a week is nobody's best of the week."""
OF_A_WEEK = 40
"""Papers in it: readers choose by topic, and each finds some."""
SHOWN = 20
"""Papers that a reader gets of it: what is read in one sitting."""
GROUPS = 6
"""From so many groups of topics at least, where the reader's topics have so many."""


def best(ordered: Mapping[str, Sequence[Entry]]) -> dict[str, list[Entry]]:
    """Of the topics' papers, best first, those that a weekly edition holds, in the same order.

    Every topic keeps its best one, since readers choose by topic and theirs may be a quiet one; the places that are
    left go to the highest ranked of all, and among equals to who stands higher in its topic.
    """
    places = [
        (place > 0, -entry.score, place, at, entry)
        for at, entries in enumerate(ordered.values())
        for place, entry in enumerate(entries[:OF_A_TOPIC])
    ]
    # place and topic tell any two apart: entries are never compared
    kept = {entry.paper.id for *_, entry in sorted(places)[:OF_A_WEEK]}
    return {topic: [entry for entry in entries if entry.paper.id in kept] for topic, entries in ordered.items()}


def missing(collections: Sequence[Collected], titles: Mapping[str, str]) -> Iterator[str]:
    """What could not be had when the week was collected, a sentence for each source that failed.

    A day that was collected before and can't be had again has its papers, with the votes that they had then.
    """
    for source, title in titles.items():
        if failed := sorted(went.day for went in collections if went.source == source and went.problem):
            yield f"Some of {title}'s papers or votes of {_together(failed)} could not be had."


def reason(
    day: dt.date, collections: Sequence[Collected], titles: Mapping[str, str], *, listed: bool, fresh: bool
) -> str:
    """Why a week has no edition: what failed comes before what was merely silent."""
    if not collections:
        return "The papers of this week have not been collected yet."
    failed = [went for went in collections if went.problem]
    if failed and not fresh:
        rest = f" {len(failed)} collections of this week failed." if len(failed) > 1 else ""
        return f"{failed[0].problem.rstrip('.')}.{rest}"
    if not listed:
        first = min(went.day for went in collections)
        return f"{' and '.join(titles.values())} listed no papers from {_written(first)} to {_written(day)}."
    if not fresh:
        return "Every paper of this week has stood in an earlier weekly edition."
    return "Nothing new was found in the topics that this newsletter carries."


def _together(days: Iterable[dt.date]) -> str:
    *before, last = map(_written, days)
    return f"{', '.join(before)} and {last}" if before else last


def _written(day: dt.date) -> str:
    return f"{day.day} {day:%B %Y}"
