"""What a reader who likes a paper, or some, could follow: terms that other papers hold too, and authors.

Pure; a paper's texts are hostile.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from flows.editions.alike.stories import PLAIN
from flows.editions.model import Topic
from flows.editions.words import grams, words
from flows.papers.model import Paper, PaperId
from flows.papers.sources.arxiv import is_number
from subscribers.preferences import MAX_WORD
from subscribers.text import clean

TERMS = 8
AUTHORS = 12
TICKED = 3
"""Terms that are ticked beforehand: the best ones."""
CANDIDATES = 24
"""Terms that other papers are counted for: each is a query."""
LEAST = 3
"""Other papers of a month that hold a term, so that to follow it brings something."""
MOST = 0.12
ENOUGH = 30
"""A term that a greater share of all papers hold, and more than so many, picks nothing out."""
USUAL = 12
"""Of terms that say as much of a paper, that one comes first which brings about so many papers a month."""

TAUGHT = 60
"""Papers that are learnt from at a time."""

# what stands before and after keeps the search for a number from going over the same letters again and again
_NUMBER = re.compile(
    r"(?<!\d)(?<!\d\.)\d\d(?:0[1-9]|1[0-2])\.\d{4,5}(?!\d)|(?<![a-z.-])[a-z-]{2,20}(?:\.[A-Z]{2})?/\d{7}(?!\d)"
)
_SUBJECT = re.compile(r"\.[A-Z]{2}(?=/)")
_LONGEST = 4
_PIECES = re.compile(r"[^\w\s'’-]+")
_MARKS = ".,;:?!()[]{}“”\"'$\\"


@dataclass(frozen=True, slots=True)
class CandidateTerm:
    """A term of a paper, and how much it says of it, from 1 up."""

    term: str
    """As the paper writes it: hostile text that can be followed."""
    weight: int


@dataclass(frozen=True, slots=True)
class OfferedTerm:
    """A term, and how many other papers held it in the last month."""

    term: str
    papers: int


def candidates(paper: Paper, topics: Iterable[Topic], topic: str = "") -> list[CandidateTerm]:
    """The terms of a paper that may be worth following, the most telling first: its keywords, whole phrases of its
    title, and phrases that the topics' files list if they stand in the title or twice in the abstract. A single word
    must stand in the title, and be a keyword or a term of the paper's own `topic`."""
    listed = {said: slug == topic for slug, said in _terms(topics, topic)}
    keywords = {" ".join(words(one)): one for one in _usable(paper.keywords)}
    in_title, abstract = dict(_forms(paper.title[:500])), list(_forms(paper.abstract[:5000]))
    often = {said for said, count in Counter(said for said, _ in abstract).items() if count > 1}
    whole = {" ".join(words(one)): one for one in phrases(paper.title)}
    found = []
    for said, form in (dict(abstract) | in_title | whole | keywords).items():
        named, known, own = said in in_title, said in listed, listed.get(said, False)
        if " " in said:
            worth = said in whole or said in keywords or (known and (named or said in often))
        else:
            worth = named and (own or said in keywords)
        if worth and not PLAIN.issuperset(said.split()):
            weight = 2 * named + (said in often) + known + own + (said in keywords) + (" " in said)
            found.append(CandidateTerm(form, weight))
    usable = set(_usable(one.term for one in found))
    ranked = sorted((one for one in found if one.term in usable), key=lambda one: (-one.weight, one.term))
    return ranked[:CANDIDATES]


def offers(found: Sequence[CandidateTerm], held: Sequence[int], papers: int) -> list[OfferedTerm]:
    """What is offered of the candidates, the best first: `held` says how many of a month's `papers`, this one left out,
    hold each of them. Of two where one holds the words of the other, the better one."""
    ranked = sorted(
        (-one.weight, abs(math.log(count / USUAL)), one.term, count)
        for one, count in zip(found, held, strict=True)
        if LEAST <= count <= max(MOST * papers, ENOUGH)
    )
    chosen: dict[frozenset[str], OfferedTerm] = {}
    for *_, term, count in ranked:
        said = frozenset(words(term))
        if not any(said <= other or other <= said for other in chosen):
            chosen[said] = OfferedTerm(term, count)
    return list(chosen.values())[:TERMS]


def numbers(text: str) -> list[PaperId]:
    """The arXiv identifiers that stand in a text, each once and as arXiv itself writes it (math/0309136 for
    math.GT/0309136): links, a list, the field of a reference manager. One that arXiv can't have given, such as a number
    that was cut off, is none."""
    found = dict.fromkeys(PaperId(_SUBJECT.sub("", one[0])) for one in _NUMBER.finditer(text))
    return list(filter(is_number, found))


def shared(papers: Sequence[Paper], topics: Sequence[Topic]) -> list[CandidateTerm]:
    """The terms that two and more of the papers hold (all those of a single one), weighed by how many do."""
    texts = [f" {' '.join(words(f'{paper.title[:500]} | {paper.abstract[:5000]}'))} " for paper in papers]
    forms: dict[str, str] = {}
    for paper in papers:
        for one in candidates(paper, topics):
            forms.setdefault(" ".join(words(one.term)), one.term)
    held = {said: sum(f" {said} " in text for text in texts) for said in forms}
    found = [CandidateTerm(form, held[said]) for said, form in forms.items() if held[said] > 1 or len(papers) == 1]
    return sorted(found, key=lambda one: (-one.weight, one.term))[:CANDIDATES]


def shared_authors(papers: Sequence[Paper]) -> list[str]:
    """Those who wrote two and more of the papers (all those of a single one) and can be followed."""
    wrote = Counter(name for paper in papers for name in dict.fromkeys(_usable(paper.authors)))
    found = [name for name, count in wrote.most_common() if count > 1 or len(papers) == 1]
    return found[:AUTHORS]


def authors(paper: Paper) -> Sequence[str]:
    """Those who can be followed."""
    return _usable(paper.authors)[:AUTHORS]


def phrases(title: str) -> Iterable[str]:
    """Two to four words that stand together in a title, none of them a filler; a formula is no phrase."""
    for piece in _PIECES.split(title[:500]):
        run: list[str] = []
        for word in [*piece.split(), ""]:
            if word and any(grams(words(word))):
                run.append(word)
                continue
            if 2 <= len(run) <= _LONGEST:
                yield " ".join(run)
            run = []


def _terms(topics: Iterable[Topic], last: str) -> Iterator[tuple[str, str]]:
    """The terms of all topics, those of the topic `last` at the end."""
    for topic in sorted(topics, key=lambda topic: topic.slug == last):
        for term in topic.terms:
            yield topic.slug, " ".join(words(term))


def _forms(text: str) -> Iterator[tuple[str, str]]:
    """Each run of one to four words, in the spelling of `words`, and as it is written."""
    tokens = text.split()
    for at in range(len(tokens)):
        for end in range(at + 1, min(at + _LONGEST, len(tokens)) + 1):
            form = " ".join(tokens[at:end]).strip(_MARKS)
            if _PIECES.search(form):
                break
            yield " ".join(words(form)), form


def _usable(given: Iterable[str]) -> list[str]:
    """Those that can be followed, each once."""
    found: dict[str, str] = {}
    for one in given:
        text = clean(one)
        if text and len(text) <= MAX_WORD and not set(text) & set('";') and words(text):
            found.setdefault(text.casefold(), text)
    return list(found.values())
