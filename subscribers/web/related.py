"""Papers that hold the same terms as another. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from flows.papers.model import PaperId
from flows.storage.query import Query, parse
from subscribers.web.suggestions import CandidateTerm

SHOWN = 5
TERMS = 10
"""Terms of a paper that others are looked for by: each is a look into the index."""
HOLDING = 300
"""Papers that are looked at for a term, the newest: one that more hold says little."""
DAYS = 120
"""How long before the paper they may have been listed."""
ENOUGH = 2
"""Terms that another must share, unless it shares a phrase of several words."""


def queries(terms: Sequence[CandidateTerm]) -> list[Query]:
    """What to look for: each of the best terms as a phrase."""
    return [parse(f'"{one.term}"') for one in terms[:TERMS]]


def alike(
    paper: PaperId, terms: Sequence[CandidateTerm], holding: Sequence[Sequence[PaperId]], papers: int
) -> list[PaperId]:
    """The papers that share most, the best first, and of equals in the order of `holding`: it says for each of the
    terms which papers hold it; `papers` are there in all. The rarer a term, the more it counts."""
    scores: dict[PaperId, float] = {}
    shared: dict[PaperId, int] = {}
    for term, held in zip(terms, holding, strict=False):
        others = [one for one in held if one != paper]
        if not others or len(others) >= HOLDING:
            continue
        weight = term.weight * math.log(1 + papers / len(others))
        for one in others:
            scores[one] = scores.get(one, 0.0) + weight
            shared[one] = shared.get(one, 0) + (ENOUGH if " " in term.term else 1)
    worth = [one for one in scores if shared[one] >= ENOUGH]
    return sorted(worth, key=lambda one: -scores[one])[:SHOWN]
