"""ROUGE-N (Lin, 2004): how many words, or pairs of words, two texts have in common.

As the usual judge of summaries counts them: lower case, ASCII letters and digits alone are words, and words of more
than three letters are stemmed (Porter, 1980).
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Sequence

import snowballstemmer

_WORD = re.compile(r"[a-z0-9]+")
_SHORTEST = 4
"""Letters of a word that is stemmed."""
_STEMMER = snowballstemmer.stemmer("porter")


def stems(text: str) -> list[str]:
    """The words of a text as they are compared."""
    return [_stem(word) if len(word) >= _SHORTEST else word for word in _WORD.findall(text.lower())]


def overlap(found: Sequence[str], wanted: Sequence[str], length: int) -> float:
    """The F1 of runs of `length` words, 0 to 1: the harmonic mean of the share of the found runs that are wanted and
    the share of the wanted ones that are found."""
    ours, theirs = _runs(found, length), _runs(wanted, length)
    both = (ours & theirs).total()
    return 2 * both / (ours.total() + theirs.total()) if both else 0.0


def _runs(words: Sequence[str], length: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[at:] for at in range(length)), strict=False))


@functools.lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    return str(_STEMMER.stemWord(word))
