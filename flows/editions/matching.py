"""Which papers of an edition do a reader's keywords and authors match? Pure.

An edition is indexed once for all its readers. A set of papers is an int with a bit for each, the lowest for the first
paper of the edition: to unite and to intersect such sets costs next to nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache

from flows.editions.model import Edition, Reason
from flows.editions.words import MAX_LETTERS, words

Name = tuple[str, ...]
"""The words of a name in lower case, without accents."""

Written = tuple[tuple[int, Reason], ...]
"""Papers by their place in the edition, each with the author that was looked for."""

_JOINED = 3
"""Up to so many words are also looked for as one: "pre training" is "pretraining"."""

_LITTLE = frozenset({"a", "an", "and", "for", "in", "of", "on", "the", "to", "we", "with"})
"""Every paper has these: alone they name nothing that could be followed."""

_HYPHEN = re.compile(r"(?<=\w)[-\u00ad\u2010-\u2013](?=\w)")
_SYMBOLS = re.compile(r"[A-Za-z][+#*]{1,2}")
_ONE_WORD = re.compile(r"[A-Za-z]+[0-9]*")
_NAME = re.compile(r"[^\W\d_]+")


class Matcher:
    """The papers of one edition by what can be followed."""

    def __init__(self, edition: Edition) -> None:
        self._papers = [entry.paper for entry in edition.entries]
        self._said = [_said(paper.title, paper.abstract, paper.keywords) for paper in self._papers]
        self._words: dict[str, int] = defaultdict(int)
        self._names: dict[str, list[tuple[Name, str, int]]] = defaultdict(list)
        for at, (paper, (_, spoken)) in enumerate(zip(self._papers, self._said, strict=True)):
            for word in spoken:
                self._words[word] |= 1 << at
            for author in paper.authors:
                if name := _name(author):
                    self._names[name[-1]].append((name, author, at))
        # readers share many keywords and authors
        self.keyword = lru_cache(maxsize=50_000)(self._keyword)
        """The places of the papers that a keyword matches, and what was written by an author of that name."""
        self.author = lru_cache(maxsize=50_000)(self._author)
        """The papers of an author, each with the name that stands there."""
        self._any = lru_cache(maxsize=50_000)(self._of_either)

    def reasons(self, keywords: Sequence[str], authors: Sequence[str]) -> dict[int, list[Reason]]:
        """Why each paper, by its place in the edition, is for a reader who follows these; the others are left out.

        A keyword of several words may be an author's name.
        """
        found: dict[int, list[Reason]] = {}
        for keyword in keywords:
            papers, written = self.keyword(keyword)
            if papers:
                reason = Reason(keyword)
                for at in papers:
                    found.setdefault(at, []).append(reason)
            if written:
                _add(found, written)
        for author in authors:
            _add(found, self.author(author))
        return found

    def matching(self, phrases: Sequence[str]) -> int:
        """The papers that match at least one of these, each a keyword or an author's name, as a set."""
        papers = 0
        for phrase in phrases:
            papers |= self._any(phrase)
        return papers

    def _of_either(self, phrase: str) -> int:
        papers, written = self.keyword(phrase)
        found = 0
        for at in (*papers, *(at for at, _ in written)):
            found |= 1 << at
        return found

    def _keyword(self, keyword: str) -> tuple[tuple[int, ...], Written]:
        keyword = keyword.strip()
        if _ONE_WORD.fullmatch(keyword):  # most are: no name, no hyphen, no phrase to look for
            return tuple(bits(self._phrase(tuple(words(keyword))))), ()
        written = self.author(keyword) if len(_name(keyword)) > 1 else ()
        if foreign := _foreign(keyword):
            return self._literal(foreign), written
        if _SYMBOLS.fullmatch(keyword):
            return self._literal(keyword), written
        papers = 0
        for phrase in spellings(keyword):
            papers |= self._phrase(phrase)
        return tuple(bits(papers)), written

    def _phrase(self, phrase: tuple[str, ...]) -> int:
        if _LITTLE.issuperset(phrase):
            return 0
        papers = -1
        for word in phrase:
            papers &= self._words.get(word, 0)
        if not papers or len(phrase) == 1:
            return papers
        spaced = f" {' '.join(phrase)} "
        return sum(1 << at for at in bits(papers) if spaced in self._said[at][0])

    def _literal(self, keyword: str) -> tuple[int, ...]:
        """Words hold no symbols, so that C++ would be the letter C: it is looked for as it is written."""
        # words of Chinese, Japanese and Thai have nothing between them
        begins, ends = ("", "") if _UNDIVIDED.search(keyword) else (r"(?<![\w+#*])", r"(?![\w+#*])")
        found = re.compile(f"{begins}{re.escape(_folded(keyword))}{ends}").search
        return tuple(
            at
            for at, paper in enumerate(self._papers)
            if any(found(_folded(text)) for text in (paper.title, paper.abstract[:MAX_LETTERS], *paper.keywords))
        )

    def _author(self, author: str) -> Written:
        found: dict[tuple[int, str], Reason] = {}
        for wanted in readings(author):
            for listed, name, at in self._names.get(wanted[-1], ()):
                if _same_person(wanted, listed):
                    found[at, name] = Reason(name, author=True)
        return tuple((at, reason) for (at, _), reason in found.items())


def bits(papers: int) -> Iterator[int]:
    """The places in the edition of a set of papers."""
    while papers:
        lowest = papers & -papers
        yield lowest.bit_length() - 1
        papers ^= lowest


def _add(found: dict[int, list[Reason]], written: Written) -> None:
    for at, reason in written:
        given = found.setdefault(at, [])
        if reason not in given:
            given.append(reason)


@lru_cache(maxsize=1024)
def _said(title: str, abstract: str, keywords: tuple[str, ...]) -> tuple[str, frozenset[str]]:
    """What a paper says, its passages apart, so that no phrase is found across two; and every word of it.

    What is written with a hyphen is there as one word, too: "multi-agent" is "multiagent".
    """
    passages = [title[:MAX_LETTERS], abstract[:MAX_LETTERS], *keywords]
    passages += [joined for passage in passages if (joined := _HYPHEN.sub("", passage)) != passage]
    said = [words(passage) for passage in passages]
    return " | ".join(("", *map(" ".join, said), "")), frozenset(word for passage in said for word in passage)


def spellings(keyword: str) -> set[tuple[str, ...]]:
    """The words of a keyword in the spellings that count as the same."""
    plain = tuple(words(keyword))
    without = _HYPHEN.sub("", keyword)
    joined = plain if without == keyword else tuple(words(without))
    one = tuple(words("".join(plain))) if 1 < len(plain) <= _JOINED else ()
    return {phrase for phrase in (plain, joined, one) if phrase}


def _foreign(keyword: str) -> str:
    """A keyword in letters that words are not made of here, such as Cyrillic or Japanese; else nothing."""
    return keyword if not keyword.isascii() and any(c.isalpha() and c not in _LATIN for c in _plain(keyword)) else ""


def _folded(text: str) -> str:
    """A text in which every way to write the same letters is one: composed, of usual width, without case."""
    return unicodedata.normalize("NFKC", text).casefold()


def _plain(text: str) -> str:
    """Latin letters without accents, strokes and ligatures; other letters as they are."""
    if text.isascii():
        return text
    letters = unicodedata.normalize("NFKD", text.translate(STROKES))
    return unicodedata.normalize("NFC", "".join(c for c in letters if c not in _ACCENTS))


_LATIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_ACCENTS = frozenset(map(chr, range(0x300, 0x370)))
"""What stands over and under Latin letters. Other scripts' marks are part of the letter: パ is not ハ."""
STROKES = str.maketrans(
    {
        "ł": "l",
        "Ł": "L",
        "ø": "o",
        "Ø": "O",
        "đ": "d",
        "Đ": "D",
        "ð": "d",
        "Ð": "D",
        "ħ": "h",
        "ı": "i",
        "æ": "ae",
        "Æ": "Ae",
    }
    | {"œ": "oe", "Œ": "Oe", "þ": "th", "Þ": "Th", "ß": "ss", "\u00ad": "", "\u200d": "", "ʼ": "'"}
)
"""Letters that no decomposition of Unicode takes apart, and what is written for them."""
_UNDIVIDED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f]")
_LAST_FIRST = re.compile(r"(?P<last>\w.+?)\s+(?P<initials>(?:[A-Z]\.?[\s-]?){1,3})")
_PARTICLES = frozenset(
    [
        "van",
        "von",
        "der",
        "den",
        "de",
        "del",
        "della",
        "di",
        "da",
        "das",
        "do",
        "dos",
        "du",
        "la",
        "le",
        "el",
        "al",
        "bin",
        "ibn",
        "ter",
        "ten",
        "zu",
    ]
)
"""What stands before a last name, and is written or left out."""


@lru_cache(maxsize=50_000)
def _name(text: str) -> Name:
    return tuple(_NAME.findall(_plain(text).casefold()))


def readings(author: str) -> list[Name]:
    """The names that may be meant, the last name at the end: "Ada Brook", "Brook, Ada", or "Brook A"."""
    last, comma, first = author.partition(",")
    found = [_name(f"{first} {last}" if comma else author)]
    if not comma and (turned := _LAST_FIRST.fullmatch(author.strip())):
        found.append(_name(f"{' '.join(re.findall('[A-Z]', turned['initials']))} {turned['last']}"))
    return [name for name in found if name]


def _same_person(wanted: Name, name: Name) -> bool:
    """The same last name, and given names that are equal as far as both have them; an initial stands for a name, and
    "JS" for two."""
    *one, last = wanted
    *other, same = name
    if last != same:
        return False
    if one and name[-len(wanted) :] == wanted:  # a last name of several words
        return True
    one, other = ([word for word in words if word not in _PARTICLES] for words in (one, other))
    if all(a == b or (1 in (len(a), len(b)) and a[0] == b[0]) for a, b in zip(one, other, strict=False)):
        return True
    return _initials(one, other) or _initials(other, one)


def _initials(short: Sequence[str], given: Sequence[str]) -> bool:
    return len(short) == 1 and 1 < len(given) == len(short[0]) and short[0] == "".join(name[0] for name in given)
