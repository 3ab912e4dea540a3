"""What a reader who likes a paper could follow. Pure; a paper's texts are hostile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flows.editions.words import grams, words
from flows.papers.model import Paper
from subscribers.preferences import MAX_WORD
from subscribers.text import clean

KEYWORDS = 8
AUTHORS = 12

_PIECES = re.compile(r"[^\w\s'’-]+")


@dataclass(frozen=True, slots=True)
class Suggestions:
    keywords: Sequence[str]
    authors: Sequence[str]


def suggest(paper: Paper) -> Suggestions:
    """The paper's keywords, or where it has none the phrases of its title; and its authors."""
    keywords = _usable(paper.keywords) or _usable(phrases(paper.title))
    return Suggestions(keywords[:KEYWORDS], _usable(paper.authors)[:AUTHORS])


def phrases(title: str) -> Iterable[str]:
    """Two to four words that stand together in a title, none of them a filler; a formula is no phrase."""
    for piece in _PIECES.split(title[:500]):
        run: list[str] = []
        for word in [*piece.split(), ""]:
            if word and any(grams(words(word))):
                run.append(word)
                continue
            if 2 <= len(run) <= 4:
                yield " ".join(run)
            run = []


def _usable(given: Iterable[str]) -> list[str]:
    """Those that can be followed, each once."""
    found: dict[str, str] = {}
    for one in given:
        text = clean(one)
        if text and len(text) <= MAX_WORD and not set(text) & set('";') and words(text):
            found.setdefault(text.casefold(), text)
    return list(found.values())
