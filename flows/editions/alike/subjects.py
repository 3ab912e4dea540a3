"""What several papers of a topic are about, where one term says it: "memory" among agents. Pure.

The term is one that the topic's file lists, so that it is a subject and no turn of speech, and most titles use it as a
noun of its own ("agent memory", not "memory-efficient"). A paper is about it if it stands in its title and in its
abstract too. It makes a story if more of today's papers are about it than were of the topic's papers lately: what the
topic always talks about, and what its own name says, is none.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from flows.editions.model import Story, Topic
from flows.editions.words import MAX_LETTERS, is_filler, words
from flows.papers.model import Paper, PaperId

AMONG = 6
"""Papers of a topic, from which on a term may make a story in it."""
LEAST = 3
SHARE = 0.2
"""Papers of a story: so many, and this share of the topic's."""
RISE = 1.6
"""By how much its share must be greater than it was."""
USUAL = 0.25
"""What so many of the topic's papers were about lately is the topic."""
COMPARED = 500
"""Earlier papers that are looked at, the newest."""

_TITLE = 300
_WORDS = 3
_MARKS = ".,;:?!()[]“”\"'"
_DULL = frozenset(
    words(
        "ability ai agentic architecture autonomous autoregressive benchmark benchmarking dataset diffusion evaluation "
        "framework generation image inference language learning llm llms mllm model models optimization policy "
        "pipeline prompt quality state survey system technique text token training transformer understanding video "
        "vision visual vlm workflow"
    )
)
"""Kinds and means of papers rather than their subjects."""


def subjects(
    papers: Sequence[Paper], lately: Sequence[Paper], topic: Topic, plain: Collection[str] = frozenset()
) -> list[Story]:
    """The stories among the papers of a topic, the largest first; no paper is in two, and a story's keep their order.

    `lately` are the topic's papers of the weeks before, the newest first; words that are `plain` name nothing.
    """
    if len(papers) < AMONG:
        return []
    terms = _terms(topic, plain)
    about: defaultdict[str, list[Paper]] = defaultdict(list)
    for paper in papers:
        for term in _about(paper, terms):
            about[term].append(paper)
    least = max(LEAST, SHARE * len(papers))
    enough = {term: those for term, those in about.items() if len(those) >= least and _is_noun(term, those)}
    if not enough:
        return []
    before = lately[:COMPARED]
    known = Counter(term for paper in before for term in _about(paper, enough))
    found = []
    for term, those in enough.items():
        # as if four more papers had been there, one of them on it: a short past says little
        usual = (known[term] + 1) / (len(before) + 4)
        if usual <= USUAL and len(those) >= RISE * usual * len(papers):
            found.append((-len(those), -term.count(" "), term))
    taken: set[PaperId] = set()
    told = []
    for *_, term in sorted(found):
        ids = tuple(paper.id for paper in enough[term])
        if taken.isdisjoint(ids):
            taken.update(ids)
            told.append(Story(phrase=_written(term, enough[term]), papers=ids))
    return told


def _terms(topic: Topic, plain: Collection[str]) -> frozenset[str]:
    """The topic's terms, as `words` writes them, that may name a story."""
    own, dull = frozenset(words(topic.name)), _DULL.union(plain)
    listed = {tuple(words(term)) for term in topic.terms}
    return frozenset(
        " ".join(said)
        for said in listed
        if 0 < len(said) <= _WORDS and own.isdisjoint(said) and not dull.issuperset(said)
    )


def _about(paper: Paper, terms: Collection[str]) -> set[str]:
    """Those of the terms that stand in title and abstract."""
    found = {run for run in _runs(words(paper.title[:_TITLE])) if run in terms}
    if not found:
        return found
    abstract = f" {' '.join(words(paper.abstract[:MAX_LETTERS]))} "
    return {term for term in found if f" {term} " in abstract}


def _runs(said: Sequence[str]) -> Iterator[str]:
    for length in range(1, _WORDS + 1):
        for at in range(len(said) - length + 1):
            yield " ".join(said[at : at + length])


def _is_noun(term: str, papers: Sequence[Paper]) -> bool:
    """Whether half of the titles use it as a noun of its own: what follows begins something else, or nothing follows.
    An acronym is one."""
    found = [at for paper in papers if (at := _place(term, paper))]
    return 2 * sum(at.ends or at.form.isupper() for at in found) >= len(papers)


class _Place(NamedTuple):
    """Where a term stands in a title."""

    form: str
    """As it is written."""
    ends: bool
    """Whether no other word belongs to it."""


def _place(term: str, paper: Paper) -> _Place | None:
    """The last one."""
    tokens = paper.title[:_TITLE].replace("-", " ").split()
    size = len(term.split())
    for at in range(len(tokens) - size, -1, -1):
        written = " ".join(tokens[at : at + size])
        form = written.strip(_MARKS)
        if " ".join(words(form)) == term and form.replace(" ", "").isalnum():
            following = words(tokens[at + size]) if at + size < len(tokens) else []
            return _Place(form, not written.endswith(form) or not following or is_filler(following[0]))
    return None


def _written(term: str, papers: Iterable[Paper]) -> str:
    """The term as most titles write it, its first letter great."""
    forms = Counter(at.form[0].upper() + at.form[1:] for paper in papers if (at := _place(term, paper)))
    return min(forms, key=lambda form: (-forms[form], form))
