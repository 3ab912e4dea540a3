"""Which part of an edition does this reader get? Pure.

What is the same for every reader is worked out once per edition; sets of papers are ints, as in `matching`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import cached_property, lru_cache

from flows.editions import week
from flows.editions.matching import Matcher, bits
from flows.editions.model import EVERY, FOR_YOU, Digest, Edition, Interests, Kind, Part, Reason
from flows.editions.same import Same
from flows.papers.model import PaperId

_NOTHING: Mapping[str, int] = {}


def choose(edition: Edition, interests: Interests, without: Collection[PaperId] = ()) -> Digest:
    """First, as a part of their own and best first, the papers that match the reader's keywords or authors, whatever
    their topics, each with its reasons. Then the others of the reader's topics (none named means all but the muted
    ones), in the edition's order. At most `interests.size` papers (of a week at most `week.SHOWN`): what they follow
    first, then the best-ranked, a week's from several groups; how many have no room is told by topic. From two on, the
    best of the reader's topics is one of them, however much they follow.

    What matches `interests.leave_out` is as if it were not in the edition; `without` are papers that the reader has got
    already. Nothing left: a digest without parts, and the reason.
    """
    known = _index(Same(edition))
    followed = known.matcher.reasons(interests.keywords, interests.authors) if _follows(interests) else {}
    theirs = known.of_topics(interests)
    if interests.leave_out:
        shown = known.all & ~known.matcher.matching(interests.leave_out)
        if (theirs or followed) and not shown & theirs and not any(shown >> at & 1 for at in followed):
            return Digest(parts=(), reason="all of it matches what the reader leaves out")
        theirs &= shown
        followed = {at: why for at, why in followed.items() if shown >> at & 1}
    if without:
        left = known.all & ~known.among(without)
        if not left & theirs and not any(left >> at & 1 for at in followed):
            came = theirs or followed
            return Digest(parts=(), reason="the reader has got all of it already" if came else _nothing(interests))
        theirs &= left
        followed = {at: why for at, why in followed.items() if left >> at & 1}
    elif not theirs and not followed:
        return Digest(parts=(), reason=_nothing(interests))
    size, chosen = known.size(interests.size)
    if not followed:
        kept = known.best(theirs, size)
        return Digest(parts=known.parts(kept), left=known.counts(theirs & ~kept), chosen=chosen)
    first = sorted(followed, key=known.rank.__getitem__)[:size]
    for at in followed:
        theirs &= ~(1 << at)
    if size is not None and 1 < size == len(first) and known.ahead(theirs, first[0]):
        first.pop()
    kept = known.best(theirs, None if size is None else size - len(first))
    papers = [known.ids[at] for at in first]
    reasons = {paper: tuple(followed[at]) for paper, at in zip(papers, first, strict=True)}
    for_you = Part(topic=FOR_YOU, papers=tuple(papers), reasons=reasons)
    gone = known.counts((theirs & ~kept) | sum(1 << at for at in followed if at not in first))
    return Digest(parts=(for_you, *known.parts(kept)), left=gone, chosen=chosen)


def reasons(edition: Edition, interests: Interests) -> Mapping[PaperId, tuple[Reason, ...]]:
    """The papers that match a reader's keywords or authors, and why, also those that match what they leave out."""
    known = _index(Same(edition))
    found = known.matcher.reasons(interests.keywords, interests.authors)
    return {known.ids[at]: tuple(why) for at, why in found.items()}


def _follows(interests: Interests) -> bool:
    return bool(interests.keywords or interests.authors)


def _nothing(interests: Interests) -> str:
    if EVERY in interests.muted:
        return "nothing that the reader follows"
    return "nothing in the reader's topics"


class _Known:
    """What every reader's choice of an edition needs."""

    def __init__(self, edition: Edition) -> None:
        entries = list(edition.entries)
        self.ids = [entry.paper.id for entry in entries]
        self.all = (1 << len(entries)) - 1
        ranked = sorted(range(len(entries)), key=lambda at: -entries[at].score)
        self.rank = {at: rank for rank, at in enumerate(ranked)}
        """By place in the edition; the order of equal scores is the edition's own, so that the choice is always the
        same."""
        self._edition = edition
        self._ranked = ranked
        self._weekly = edition.kind is Kind.WEEKLY
        self._groups = [section.group for section in edition.sections for _ in section.entries]
        self._topics: dict[str, int] = defaultdict(int)
        """The papers of each topic, in the edition's order."""
        for at, topic in enumerate(section.topic for section in edition.sections for _ in section.entries):
            self._topics[topic] |= 1 << at
        self._part = lru_cache(maxsize=10_000)(self._one_part)

    @cached_property
    def matcher(self) -> Matcher:
        return Matcher(self._edition)

    def of_topics(self, interests: Interests) -> int:
        """The papers of the reader's topics."""
        if interests.topics:
            return sum(self._topics.get(topic, 0) for topic in interests.topics)
        if EVERY in interests.muted:
            return 0
        return self.all - sum(self._topics.get(topic, 0) for topic in interests.muted)

    def among(self, papers: Collection[PaperId]) -> int:
        """Which of the edition's papers are among these."""
        wanted = papers if isinstance(papers, (set, frozenset)) else frozenset(papers)
        return sum(1 << at for at, paper in enumerate(self.ids) if paper in wanted)

    def size(self, wanted: int | None) -> tuple[int | None, bool]:
        """How many papers a digest holds at most (None: all), and whether that is what the reader wants."""
        if self._weekly and (wanted is None or wanted >= week.SHOWN):
            return week.SHOWN, False
        return wanted, wanted is not None

    def best(self, papers: int, size: int | None) -> int:
        """At most `size` of the papers, the best-ranked; of a week's, the best of each of some groups before all."""
        if size is None or papers.bit_count() <= size:
            return papers
        ranked = [at for at in self._ranked if papers >> at & 1]
        if self._weekly:
            first = {self._groups[at]: at for at in reversed(ranked)}
            ranked = list(dict.fromkeys([*sorted(first.values(), key=self.rank.__getitem__)[: week.GROUPS], *ranked]))
        return sum(1 << at for at in ranked[:size])

    def ahead(self, papers: int, than: int) -> bool:
        """Whether one of the papers is ranked above another one."""
        return any(papers >> at & 1 for at in self._ranked[: self.rank[than]])

    def counts(self, papers: int) -> Mapping[str, int]:
        """How many of these papers each topic has."""
        if not papers:
            return _NOTHING
        return {topic: (papers & its).bit_count() for topic, its in self._topics.items() if papers & its}

    def parts(self, papers: int) -> tuple[Part, ...]:
        """A set of papers by their topics."""
        mine = [(topic, here) for topic, its in self._topics.items() if (here := papers & its)]
        return tuple([self._part(topic, here) for topic, here in mine])

    def _one_part(self, topic: str, papers: int) -> Part:
        return Part(topic=topic, papers=tuple([self.ids[at] for at in bits(papers)]))


@lru_cache(maxsize=8)
def _index(same: Same[Edition]) -> _Known:
    return _Known(same.value)
