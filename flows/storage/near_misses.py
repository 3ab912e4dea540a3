"""Which words are nearly the same? Pure.

A slip is one letter too many, too few or wrong, or two exchanged. One slip leaves the beginning or the end of a word as
it is: what shares neither need not be looked at.
"""

from __future__ import annotations

from collections.abc import Iterable

FROM_HERE_TWO = 8
"""Letters of a word in which two slips may be."""


def slips_in(word: str) -> int:
    """How many slips a word of this length may hold."""
    return 2 if len(word) >= FROM_HERE_TWO else 1


def ends_of(word: str) -> tuple[str, str]:
    """The beginning and the end of a word, of which a slip touches only one."""
    size = max(2, (len(word) - 1) // 2)
    return word[:size], word[-size:]


def nearest(word: str, others: Iterable[str], most: int) -> list[tuple[int, str]]:
    """Of the others those that the word may have been meant for, each with its slips, the nearest first: one of the
    same first letter before another."""
    limit, letters = slips_in(word), set(word)
    found = set()
    for other in others:
        if other == word or abs(len(other) - len(word)) > limit:
            continue
        if len(letters.difference(other)) > limit or len(set(other) - letters) > limit:
            continue
        if (apart := slips(word, other, limit)) <= limit:
            found.add((apart, other))
    return sorted(found, key=lambda one: (one[0], one[1][0] != word[0], one[1]))[:most]


def slips(one: str, other: str, limit: int) -> int:
    """How many slips lie between two words; `limit` + 1 where there are more.

    The distance of optimal string alignment: https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        earlier, before, row = before, row, [at]
        for to, same in enumerate(other, 1):
            cost = min(before[to] + 1, row[to - 1] + 1, before[to - 1] + (letter != same))
            if at > 1 and to > 1 and letter == other[to - 2] and one[at - 2] == same:
                cost = min(cost, earlier[to - 2] + 1)
            row.append(cost)
        if min(row) > limit and (not before or min(before) > limit):
            return limit + 1
    return min(row[-1], limit + 1)
