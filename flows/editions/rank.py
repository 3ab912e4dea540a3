"""In which order? Pure, and the same papers always come out in the same order.

The formula, and why:
- Votes count on a logarithmic scale against what a good paper of the same window got (the 90th percentile): the step
  from 3 to 30 votes says as much as that from 30 to 300, and a quiet day is not ranked by noise.
- A paper's votes are halved for every 36 hours since it was listed: it has had that much longer to gather them.
  In a weekly edition votes stand as they are: halved, they would leave it the best of its last two days. What Monday's
  papers gain by their age is little, since a list is looked at while it is new and the week's are over by then.
- Code counts a little, and its stars a little more: something a reader can run.
- A paper that no one could vote on is not one with 0 votes: such papers follow the voted ones, what arXiv announces
  as new before what it lists across.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable

from flows.editions.model import Kind
from flows.papers.model import Paper

HALVED_AFTER = dt.timedelta(hours=36)


def scorer(papers: Iterable[Paper], day: dt.date, kind: Kind = Kind.DAILY) -> Callable[[Paper], float]:
    """A score for papers that stand in one edition, higher first: from 0 up for those with votes, below 0 for
    those without."""
    votes = sorted(paper.upvotes for paper in papers if paper.upvotes is not None)
    good = max(votes[int(0.9 * (len(votes) - 1))], 5) if votes else 5
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=dt.UTC)

    def score(paper: Paper) -> float:
        if paper.upvotes is None:
            return -1.0 if paper.announced == "new" else -2.0
        listed = paper.listed_at or dt.datetime.combine(paper.day, dt.time(), tzinfo=dt.UTC)
        age = 0.0 if kind is Kind.WEEKLY else max((end - listed) / HALVED_AFTER, 0.0)
        voted = math.log1p(paper.upvotes * 0.5**age) / math.log1p(good)
        code = 0.05 + 0.02 * math.log10(1 + (paper.stars or 0)) if paper.code else 0.0
        return round(voted + code, 6)

    return score
