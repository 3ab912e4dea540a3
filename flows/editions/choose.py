"""Which part of an edition does this reader get? Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from flows.editions.model import Digest, Edition, Interests, Part
from flows.editions.words import words
from flows.papers.model import Paper


def choose(edition: Edition, interests: Interests) -> Digest:
    """The papers of the reader's topics (none named means all), and of any topic those that match their keywords or
    authors, in the edition's order; at most `interests.size` of them: what they follow first, then the best-ranked.

    Nothing left: a digest without parts, and the reason.
    """
    followed = {entry.paper.id for entry in edition.entries if follows(entry.paper, interests)}
    topics = interests.topics
    kept = [entry for entry in edition.entries if not topics or entry.topic in topics or entry.paper.id in followed]
    if not kept:
        return Digest(parts=(), reason="nothing in the reader's topics")
    if interests.size is not None and len(kept) > interests.size:
        # the order of equal scores is the edition's own, so that the choice is always the same
        kept = sorted(kept, key=lambda entry: (entry.paper.id not in followed, -entry.score))[: interests.size]
    ids = {entry.paper.id for entry in kept}
    parts = (
        Part(topic=section.topic, papers=tuple(entry.paper.id for entry in section.entries if entry.paper.id in ids))
        for section in edition.sections
    )
    return Digest(parts=tuple(part for part in parts if part.papers))


def follows(paper: Paper, interests: Interests) -> bool:
    """Whether a paper matches one of the reader's keywords, a word or phrase of its title, abstract or keywords, or
    has one of their authors; whatever the case, hyphens and plurals."""
    if interests.keywords:
        said = _said(paper)
        if any(phrase in said for keyword in interests.keywords if len(phrase := _phrase(keyword)) > 2):
            return True
    return any(
        _same_person(wanted, _words(name))
        for author in interests.authors
        if (wanted := _words(author))
        for name in paper.authors
    )


@lru_cache(maxsize=4096)
def _said(paper: Paper) -> str:
    return " ".join((_phrase(paper.title), _phrase(paper.abstract), *map(_phrase, paper.keywords)))


@lru_cache(maxsize=65_536)
def _words(text: str) -> tuple[str, ...]:
    return tuple(words(text))


def _phrase(text: str) -> str:
    return f" {' '.join(_words(text))} "


def _same_person(wanted: Sequence[str], name: Sequence[str]) -> bool:
    """The same last name, and given names that are equal as far as both have them; an initial stands for a name."""
    if not name or wanted[-1] != name[-1]:
        return False
    given = zip(wanted[:-1], name[:-1], strict=False)
    return all(a == b or (1 in (len(a), len(b)) and a[0] == b[0]) for a, b in given)
