"""The words of a paper, so that one subject is written one way: no case, plurals, accents, TeX; American spelling."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from flows.papers.model import Paper

MAX_LETTERS = 10_000
"""The longest abstracts have a third of that: what follows is hostile or noise."""
GRAMS = 3

_TEX_COMMAND = re.compile(r"\\[a-zA-Z]+\*?")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_POINTER = re.compile(
    r"https?://|\b(?:code|data|datasets?|models?|project page|demo)\b.{0,80}\bavailable\b", re.IGNORECASE
)
_POSSESSIVE = re.compile(r"['’]s\b")
_WORD = re.compile(r"[a-z0-9]+")
_FILLER = """
a an and are as at be been but by can do does for from has have how if in into is it its more most no not of on or our
over such than that the their them then there these they this those through to under up upon us via was we were what
when where which while who will with without you your also both each between however only often well within across
propose proposed paper present show shown demonstrate introduce method approach result study work recent existing new
novel use used using based performance improve improved achieve experiment extensive state art further first two one
different various many several provide enable
"""


@functools.lru_cache(maxsize=50_000)
def _base(word: str) -> str:
    """The word without its plural and in American spelling, so that a term need be written once."""
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        if word.endswith("ies") and len(word) > 4:
            word = word[:-3] + "y"
        elif word.endswith(("sses", "xes", "ches", "shes")):
            word = word[:-2]
        else:
            word = word[:-1]
    if len(word) > 6:
        word = word.replace("isation", "ization").replace("lling", "ling").replace("lled", "led")
        if word.endswith(("ised", "ising")):
            word = word.replace("ised", "ized").replace("ising", "izing")
    return word.replace("our", "or") if len(word) > 5 else word


_STOP = frozenset(map(_base, _FILLER.split()))


def words(text: str) -> list[str]:
    """The words of a text without case, hyphens, plurals, accents and TeX commands."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    if "\\" in text:
        text = _TEX_COMMAND.sub(" ", text)
    text = _POSSESSIVE.sub("", text).lower()
    return [_base(word) for word in _WORD.findall(text)]


def without_pointers(abstract: str) -> str:
    """The abstract without the sentences that only say where code, data or a demonstration is."""
    return " ".join(
        sentence for sentence in _SENTENCE_END.split(abstract[:MAX_LETTERS]) if not _POINTER.search(sentence)
    )


def grams(tokens: Sequence[str]) -> Iterable[str]:
    """Every run of one to three words that neither begins nor ends with a word of no meaning."""
    for at, first in enumerate(tokens):
        if first in _STOP:
            continue
        yield first
        run = first
        for word in tokens[at + 1 : at + GRAMS]:
            run = f"{run} {word}"
            if word not in _STOP:
                yield run


def word_counts(paper: Paper) -> Counter[str]:
    """How often each word stands in a paper, twice as much in its title: what the trained model sees."""
    return counts(words(paper.title[:MAX_LETTERS]), words(without_pointers(paper.abstract)))


def counts(title: Sequence[str], abstract: Sequence[str]) -> Counter[str]:
    found = Counter(filter(_telling, abstract))
    for word in filter(_telling, title):
        found[word] += 2
    return found


def _telling(word: str) -> bool:
    return len(word) > 1 and word not in _STOP and not word.isdigit()


def is_filler(word: str) -> bool:
    """Whether a word, as `words` gives it, means nothing by itself."""
    return word in _STOP
