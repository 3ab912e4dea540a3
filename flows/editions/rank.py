"""In which order? Pure, and the same papers always come out in the same order.

The formula, and why:
- Votes count on a logarithmic scale against what a good paper of the last two weeks got (the 90th percentile): the step
  from 3 to 30 votes says as much as that from 30 to 300, and a quiet day is not ranked by noise.
- A paper's votes are halved for every 36 hours since it was listed: it has had that much longer to gather them.
  In a weekly edition votes stand as they are: halved, they would leave it the best of its last two days. What Monday's
  papers gain by their age is little, since a list is looked at while it is new and the week's are over by then.
- Code counts a little, and its stars a little more: something a reader can run.
- A forecast is worth some votes, as long as there are few: a paper that is certain to be picked has a quarter of a good
  one's for a start, and the less of them the nearer its own come to as many. On recorded days votes grew with the
  forecast, from 1 to 15 (the geometric mean) between the least and the most likely.
- A paper that no one could vote on is not one with 0 votes: such papers follow the voted ones, which have been picked
  already, the likeliest first; of two alike, what arXiv announces as new before what it lists across.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Collection, Iterable

from flows.editions.model import Entry, Kind
from flows.papers.model import Paper, PaperId

HALVED_AFTER = dt.timedelta(hours=36)
COMPARED = dt.timedelta(days=14)
"""What is good is learnt from the papers of so many days."""
LATELY = dt.timedelta(days=31)
"""What is usual in a topic is learnt from the editions of so many days."""
LEAST_GOOD = 5
"""Votes: where hardly anybody votes, fewer are not much."""
FOR_A_START = 0.25
"""What a paper has at once that is certain to be picked, as a share of the votes of a good one."""
LIKELY = 0.2
"""A paper is called likely to be picked from four times the usual likelihood on: one in twenty is."""
BEST = 5
"""The best of an edition are so many at most: what a reader who has one minute looks at."""
FEW = 6
"""An edition of fewer papers has no best ones: all of it is read in that minute."""


def good(votes: Collection[int]) -> int:
    """The votes of a good paper: the 90th percentile."""
    return max(sorted(votes)[int(0.9 * (len(votes) - 1))], LEAST_GOOD) if votes else LEAST_GOOD


def scorer(good: int, day: dt.date, kind: Kind = Kind.DAILY) -> Callable[[Paper, float], float]:
    """A score for papers that stand in one edition and the likelihood that they are picked, higher first: from 0 up for
    those with votes, below 0 for those without. `good` are the votes of a good paper."""
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=dt.UTC)

    def score(paper: Paper, likely: float) -> float:
        if paper.upvotes is None:
            return round(likely - (1.01 if paper.announced == "new" else 1.02), 6)
        listed = paper.listed_at or dt.datetime.combine(paper.day, dt.time(), tzinfo=dt.UTC)
        age = 0.0 if kind is Kind.WEEKLY else max((end - listed) / HALVED_AFTER, 0.0)
        start = _for_a_start(likely, paper.upvotes, good)
        voted = math.log1p((paper.upvotes + start) * 0.5**age) / math.log1p(good)
        code = 0.05 + 0.02 * math.log10(1 + (paper.stars or 0)) if paper.code else 0.0
        return round(voted + code, 6)

    return score


def is_likely(paper: Paper, likely: float, good: int = LEAST_GOOD) -> bool:
    """Whether a paper stands where it does because it is likely to be picked: nobody has voted on it, or it has fewer
    votes than the forecast gives it."""
    return likely >= LIKELY and (paper.upvotes or 0) <= _for_a_start(likely, paper.upvotes or 0, good)


def _for_a_start(likely: float, votes: int, good: int) -> float:
    return FOR_A_START * likely * max(good - votes, 0)


def best(entries: Iterable[Entry]) -> tuple[PaperId, ...]:
    """The best papers, best first, each from another topic; of equal ones the first.

    Only somebody's vote makes a paper one of them, or that it is likely to be picked; and only once: what is shown
    again because it rose was seen before.
    """
    listed = list(entries)
    found: dict[str, PaperId] = {}
    for entry in sorted(listed, key=lambda entry: -entry.score):
        if (entry.paper.upvotes or entry.likely) and not entry.rose:
            found.setdefault(entry.topic, entry.paper.id)
    return tuple(found.values())[:BEST] if len(listed) >= FEW else ()
