"""Which texts are alike? TF-IDF and average linkage. Pure, and small: a topic has some dozens of papers.

Terms are runs of one and two words. The likeness of two texts is the cosine of their weighted terms; that of two groups
is the mean over all pairs between them, so that no group grows by a chain of neighbours.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations

Vector = Mapping[str, float]


def spread(texts: Sequence[Counter[str]]) -> Counter[str]:
    """In how many of the texts each term stands."""
    return Counter(term for text in texts for term in text)


def vector(text: Counter[str], spread: Counter[str], size: int) -> Vector:
    """The weights of a text's terms, of length 1: how often each stands there, against in how many of `size` texts."""
    weights = {term: (1 + math.log(count)) * math.log(size / spread[term]) for term, count in text.items()}
    length = math.hypot(*weights.values()) or 1.0
    # a term that no other text has makes it longer, and like none
    return {term: weight / length for term, weight in weights.items() if weight and spread[term] > 1}


def groups(vectors: Sequence[Vector], least: float, common: float) -> list[tuple[int, float]]:
    """The groups of three and more that arise when the likest two are joined again and again, while they are at least
    `least` alike: each as an int with a bit for each vector, and how alike the two were. One may lie within another.

    A term that more than the share `common` of the vectors have tells none of them apart, and is passed over.
    """
    alike = _likeness(vectors, common)
    members = {at: 1 << at for at in range(len(vectors))}
    waiting = [(-value, a, b) for a, row in enumerate(alike) for b, value in row.items() if a < b and value >= least]
    heapq.heapify(waiting)
    found = []
    while waiting:
        value, a, b = heapq.heappop(waiting)
        if a not in members or b not in members:
            continue
        one, other = members.pop(a), members.pop(b)
        joined, new = one | other, len(alike)
        row: dict[int, float] = {}
        for at in sorted((alike[a].keys() | alike[b].keys()) & members.keys()):
            total = one.bit_count() * alike[a].get(at, 0.0) + other.bit_count() * alike[b].get(at, 0.0)
            row[at] = alike[at][new] = total / joined.bit_count()
            if row[at] >= least:
                heapq.heappush(waiting, (-row[at], at, new))
        alike.append(row)
        members[new] = joined
        if joined.bit_count() > 2:
            found.append((joined, -value))
    return found


def _likeness(vectors: Sequence[Vector], common: float) -> list[dict[int, float]]:
    """For each vector the others that share a term with it, and how alike the two are."""
    holders: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for at, weights in enumerate(vectors):
        for term, weight in weights.items():
            holders[term].append((at, weight))
    most = max(3.0, common * len(vectors))
    alike: list[dict[int, float]] = [defaultdict(float) for _ in vectors]
    for held in holders.values():
        if len(held) > most:
            continue
        for (a, weight), (b, other) in combinations(held, 2):
            alike[a][b] += weight * other
            alike[b][a] += weight * other
    return [dict(row) for row in alike]
