"""What a visitor searches for, and where a text says it. Pure: no database's query language is known here.

A text is taken as its words in one spelling (no case, accents, plurals; American spelling), the same for a paper, a
query and the passages that are shown: so what is found can be marked, and both databases find the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from flows.editions import maths
from flows.editions.matching import STROKES
from flows.editions.words import words
from flows.papers.model import Paper

MAX_LETTERS = 400
MAX_TERMS = 16
MAX_WORD = 60
"""Characters of a word that count: PostgreSQL takes at most 2,046 bytes."""
SHORTEST_BEGINNING = 2
"""Letters that must stand before a `*`: nearly every paper has a word with a given first letter."""
SHORTEST_CORRECTED, LONGEST_CORRECTED = 4, 30
"""Letters of a word that may be corrected, or be what is meant."""

_UNSEEN = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff"
"""What breaks, joins or turns text and is no letter: a soft hyphen, spaces without width."""
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20f0\u3099\u309a\ufe20-\ufe2f"
)
"""Accents that stand behind their letter (NFD): no word ends at one."""
_WORD = re.compile(rf"\w[\w{_MARKS}{_UNSEEN}]*(?:['’ʼ＇]s\b)?")
_NOT_SEEN = re.compile(f"[{_UNSEEN}]")
_POSSESSIVE = re.compile(r"['’ʼ＇]s$")
_ACRONYMS = re.compile(r"[A-Z]{2,}s")
_PIECE = re.compile(r'"([^"]*)"?|([^\s,;"]+)')
_APART = str.maketrans("_'", "  ")
_TYPED = str.maketrans(dict.fromkeys("“”„‟«»＂", '"') | dict.fromkeys("，、；", ",") | {"＊": "*"})
"""Signs of other keyboards as those that mean something here; one for one, so that places stay."""
_LITTLE = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "for",
        "from",
        "has",
        "in",
        "into",
        "is",
        "it",
        "its",
        "of",
        "on",
        "or",
        "that",
        "the",
        "their",
        "this",
        "to",
        "via",
        "we",
        "with",
    ]
)
"""Words that nearly every paper has. They count within quotes, and where nothing else is asked for."""
_BEFORE = 60
_EDGE = re.compile(r"\S*$")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in a row; with `beginning`, the last one need only begin like this."""

    words: tuple[str, ...]
    beginning: bool = False
    named: bool = False
    """Looked for among the authors' names, not in what the paper says (in PostgreSQL, in its keywords besides)."""


Term = tuple[Phrase, ...]
"""A paper must hold one of these."""


@dataclass(frozen=True, slots=True)
class Query:
    """A paper is found if it holds every term."""

    terms: tuple[Term, ...] = ()
    cut: bool = False
    """Whether more was typed than is looked for."""


@dataclass(frozen=True, slots=True)
class Highlight:
    """A run of a text, and whether it is what was searched for."""

    text: str
    found: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperWords:
    """The words of a paper, by where they stand."""

    title: tuple[str, ...]
    authors: tuple[str, ...]
    about: tuple[str, ...]
    """Its keywords, organisation and identifier."""
    abstract: tuple[str, ...]


def parse(typed: str) -> Query:
    """The query that a visitor means: words, "phrases in quotes", and the beginning of a word with a * behind it.

    Nothing typed is an error. What stands together without a space ("state-of-the-art") is a phrase.
    """
    text = typed[:MAX_LETTERS].translate(_TYPED)
    terms: dict[Term, bool] = {}
    for quoted, bare in _PIECE.findall(text):
        term = _term(quoted or bare, beginning=not quoted and bare.endswith("*"))
        if term:
            terms[term] = terms.get(term, False) or bool(quoted)
    telling = [term for term, quoted in terms.items() if quoted or not _is_little(term)] or list(terms)
    return Query(tuple(telling[:MAX_TERMS]), cut=len(typed) > MAX_LETTERS or len(telling) > MAX_TERMS)


def _term(text: str, *, beginning: bool) -> Term:
    found = [word for word, _, _ in _words(text)]
    if not found:
        return ()
    whole = Phrase(tuple(found))
    last = _folded(_WORD.findall(text)[-1]) if beginning else ""
    # an accent, a sign or an underscore may make two words of one: then only the whole can be looked for
    if len(last) < SHORTEST_BEGINNING or not last.isalnum():
        return (whole,)
    begun = Phrase((*found[:-1], last[:MAX_WORD]), beginning=True)
    return (begun,) if found[-1].startswith(begun.words[-1]) else (begun, whole)


def _is_little(term: Term) -> bool:
    return all(len(phrase.words) == 1 and phrase.words[0] in _LITTLE and not phrase.beginning for phrase in term)


def said(paper: Paper) -> PaperWords:
    """What can be searched for in a paper."""
    about = " , ".join((*paper.keywords, paper.organisation, paper.id))
    return PaperWords(
        title=_only_words(maths.text(paper.title)),
        authors=_only_words(maths.text(" , ".join(paper.authors))),
        about=_only_words(maths.text(about)),
        abstract=_only_words(maths.text(paper.abstract)),
    )


def spellings(paper: Paper) -> dict[str, str]:
    """The words of a paper that a misspelt one may be meant for, each as it is written, in lower case."""
    texts = (paper.title, " , ".join(paper.authors), " , ".join(paper.keywords), paper.abstract)
    found: dict[str, str] = {}
    for text in map(maths.text, texts):
        for written in _WORD.findall(text):
            made = _spelled(written)
            if len(made) == 1 and is_correctable(made[0]):
                shown = _POSSESSIVE.sub("", unicodedata.normalize("NFC", _NOT_SEEN.sub("", written))).casefold()
                found.setdefault(made[0], shown[:MAX_WORD])
    return found


def is_correctable(word: str) -> bool:
    """Whether a word, in its one spelling, is long enough to be known by most of its letters."""
    return SHORTEST_CORRECTED <= len(word) <= LONGEST_CORRECTED and word.isalpha() and word not in _LITTLE


def correctable(typed: str) -> list[tuple[str, int, int]]:
    """The words typed that may be misspelt, each with its place; not those with a `*` behind."""
    text = typed[:MAX_LETTERS].translate(_TYPED)
    return [(word, s, e) for word, s, e in _words(text) if is_correctable(word) and text[e : e + 1] != "*"]


def _only_words(text: str) -> tuple[str, ...]:
    return tuple(word for word, _, _ in _words(text))


def marked(text: str, query: Query) -> tuple[Highlight, ...]:
    """The whole text in pieces, with what was searched for marked."""
    return _pieces(text, _hits(text, query), 0, len(text))


def passage(text: str, query: Query, room: int = 280) -> tuple[Highlight, ...]:
    """The part of a text that holds most of what was searched for, at most `room` characters and the ellipses; its
    beginning where it holds nothing."""
    if len(text) <= room:
        return marked(text, query)
    hits = _hits(text, query)
    inside = [sum(start <= s and e <= start + room - _BEFORE for s, e in hits) for start, _ in hits]
    first = hits[inside.index(max(inside))][0] if hits else 0
    start = max(0, min(first - _BEFORE, len(text) - room))
    if start:
        # begin with a whole word, unless it is the one that was found
        start = min(first, max(start, text.find(" ", start) + 1))
    end = min(len(text), start + room)
    if end < len(text):
        whole = _EDGE.sub("", text[start:end])
        end = start + len(whole.rstrip()) if whole.strip() else end
    shown = _pieces(text, [(s, e) for s, e in hits if start <= s and e <= end], start, end)
    return (*([Highlight("… ")] if start else []), *shown, *([Highlight(" …")] if end < len(text) else []))


def _pieces(text: str, hits: Sequence[tuple[int, int]], start: int, end: int) -> tuple[Highlight, ...]:
    made: list[Highlight] = []
    for s, e in hits:
        made += [Highlight(text[start:s]), Highlight(text[s:e], found=True)]
        start = e
    return tuple(piece for piece in (*made, Highlight(text[start:end])) if piece.text)


def _hits(text: str, query: Query) -> list[tuple[int, int]]:
    """Where the text says what was searched for, without overlaps."""
    stand = _words(text)
    spans: list[tuple[int, int]] = []
    for phrase in (phrase for term in query.terms for phrase in term):
        size = len(phrase.words)
        for at in range(len(stand) - size + 1):
            if _stands(phrase, [word for word, _, _ in stand[at : at + size]]):
                spans.append((stand[at][1], stand[at + size - 1][2]))  # noqa: PERF401 - two loops deep, it reads better
    united: list[tuple[int, int]] = []
    for s, e in sorted(spans):
        if united and s < united[-1][1]:
            united[-1] = (united[-1][0], max(e, united[-1][1]))
        else:
            united.append((s, e))
    return united


def _stands(phrase: Phrase, here: Sequence[str]) -> bool:
    if not phrase.beginning:
        return tuple(here) == phrase.words
    return tuple(here[:-1]) == phrase.words[:-1] and here[-1].startswith(phrase.words[-1])


def _words(text: str) -> list[tuple[str, int, int]]:
    """The words of a text, and from where to where each stands in it."""
    return [(word, found.start(), found.end()) for found in _WORD.finditer(text) for word in _spelled(found[0])]


@lru_cache(maxsize=65_536)
def _spelled(word: str) -> tuple[str, ...]:
    """A word in its one spelling; several where it holds an underscore. Of other scripts it is as it is."""
    if not word.isascii():
        word = unicodedata.normalize("NFKC", _NOT_SEEN.sub("", word))
    if _ACRONYMS.fullmatch(word):
        word = word[:-1]
    folded = _folded(word)
    made = words(folded) if folded.isascii() else folded.translate(_APART).split()
    return tuple(one[:MAX_WORD] for one in made)


def _folded(word: str) -> str:
    apart = unicodedata.normalize("NFKD", _NOT_SEEN.sub("", word)).translate(STROKES)
    whole = "".join(c for c in apart if not unicodedata.combining(c))
    return "".join(c if c.isalnum() or c in "_'" else " " for c in whole.casefold().replace("’", "'")).strip()
