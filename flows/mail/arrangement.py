"""Which paper of a digest stands where in a mail. Pure: places only, no bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from flows.editions.model import Part
from flows.mail.model import Cards, Layout, Ranked
from flows.mail.reasons import written
from flows.papers.model import PaperId

Papers = tuple[PaperId, ...]
FEWEST_LINES = 3
"""Fewer titles of those who were voted up as well are not worth a list."""


Topical = tuple[str, Papers]
"""A topic, and papers of it."""


class Placed(NamedTuple):
    """A group's papers: those that stand alone, best first, then the topics that have a heading."""

    alone: Papers
    topics: tuple[Topical, ...]


class Arrangement(NamedTuple):
    """No paper stands twice as a card; `lines` name papers that stand below as well."""

    leads: Papers
    leading: str
    """What the leads have in common, see `Cards.leads`."""
    lines: Papers
    groups: Mapping[str, tuple[Topical, ...]]
    """The topics of each group, for `placed`; empty where there are few papers."""
    rest: Papers
    """The papers besides the leads where they are too few for groups, best first."""
    titles: Papers
    """Those that have no card, the most votes first, for these stand beside them; then best first."""
    best: Papers
    """The best three, whether they lead or not."""


class Places:
    """Knows of an edition's papers what decides where each stands; `groups` says of each topic in which it is."""

    def __init__(self, known: Mapping[PaperId, Ranked], groups: Mapping[str, str], layout: Layout) -> None:
        self._rank = {paper: its.rank for paper, its in known.items()}
        self._votes = {paper: its.votes for paper, its in known.items() if its.votes}
        by_votes = sorted(known, key=lambda paper: (-known[paper].votes, known[paper].rank))
        self._by_votes = {paper: place for place, paper in enumerate(by_votes)}
        self._stale = {paper for paper, its in known.items() if not its.fresh}
        self._likely = {paper for paper, its in known.items() if its.likely}
        self._groups, self._layout = groups, layout

    def arrange(self, parts: Sequence[Topical]) -> Arrangement:
        """The places of these papers, which are given by topic in the edition's order: the best lead, those with the
        most votes of the others are named after them, and all others follow by group."""
        layout = self._layout
        ranked = sorted(chain.from_iterable([papers for _, papers in parts]), key=self._rank.__getitem__)
        titles: Papers = ()
        carded = ranked
        if layout.cards:
            carded, titles = (
                ranked[: layout.cards],
                tuple(sorted(ranked[layout.cards :], key=self._by_votes.__getitem__)),
            )
        if self._stale.isdisjoint(carded):
            leads, others = tuple(carded[: layout.leads]), carded[layout.leads :]
        else:
            leads = tuple([paper for paper in carded if paper not in self._stale][: layout.leads])
            others = [paper for paper in carded if paper not in leads]
        voted = sorted(filter(self._votes.__contains__, others), key=self._by_votes.__getitem__)
        few = len(others) <= layout.ungrouped
        return Arrangement(
            leads=leads,
            leading=self._leading(leads, max(self._most(voted), self._most(titles))),
            lines=() if few or len(voted) < FEWEST_LINES else tuple(voted[: layout.lines]),
            groups={} if few else self._grouped(parts, leads if not titles else (*leads, *titles)),
            rest=tuple(others) if few else (),
            titles=titles,
            best=leads or tuple(ranked[:3]),
        )

    def _most(self, by_votes: Sequence[PaperId]) -> int:
        """The votes of the first that is fresh, of papers that have the most votes first."""
        for paper in by_votes:
            if paper not in self._stale:
                return self._votes.get(paper, 0)
        return 0

    def _leading(self, leads: Papers, most: int) -> str:
        """`most`: the votes that any other fresh paper has at most."""
        if leads and self._likely.issuperset(leads):
            return "likely"
        votes = [self._votes.get(paper, 0) for paper in leads]
        # the heading speaks of votes: then they must bear it out, the first before the second
        if votes and votes[-1] and [*votes, most] == sorted([*votes, most], reverse=True):
            return "voted"
        return "best"

    def _grouped(self, parts: Sequence[Topical], gone: Papers) -> Mapping[str, tuple[Topical, ...]]:
        found: dict[str, list[Topical]] = {}
        away, groups = frozenset(gone), self._groups
        for part in parts:
            topic, papers = part
            if away.isdisjoint(papers):
                found.setdefault(groups[topic], []).append(part)
            elif left := tuple([paper for paper in papers if paper not in away]):
                found.setdefault(groups[topic], []).append((topic, left))
        return {key: tuple(its) for key, its in found.items()}

    def placed(self, parts: Sequence[Topical]) -> Placed:
        """The papers of a group: what a topic has few of stands alone, the others below a heading of their topic."""
        alone: list[PaperId] = []
        several: list[Topical] = []
        for part in parts:
            if self._layout.heading and len(part[1]) >= self._layout.heading:
                several.append(part)
            else:
                alone.extend(part[1])
        return Placed(tuple(sorted(alone, key=self._rank.__getitem__)), tuple(several))


def cut_to(room: int, parts: Sequence[Part], cards: Cards) -> tuple[Part, ...]:
    """Of these papers those that have `room` bytes of HTML: the leads, then what the reader follows, then the
    best-ranked. One is always kept."""
    followed = [paper for part in parts if part.reasons for paper in part.papers]
    others = [paper for part in parts if not part.reasons for paper in part.papers]
    others.sort(key=lambda paper: cards.papers[paper].rank)
    leads = [paper for paper in others if cards.papers[paper].fresh][: cards.layout.leads]
    why = {paper: why for part in parts for paper, why in part.reasons.items()}
    room -= _besides(cards)
    kept: set[PaperId] = set()
    headed: set[str] = set()
    for paper in dict.fromkeys((*leads, *followed, *others)):
        card = cards.papers[paper]
        topic = cards.topics[card.topic]
        room -= max(card.alone.size + topic.label.size, card.listed.size, card.lead.size)
        if paper in why:
            room -= written(why[paper], cards.words).size + cards.why.size
        for place, size in ((card.topic, topic.heading.size), (topic.group, _of_a_group(cards, topic.group))):
            if place not in headed:
                headed.add(place)
                room -= size
        if room < 0 and kept:
            break
        kept.add(paper)
    fitting = (replace(part, papers=tuple([paper for paper in part.papers if paper in kept])) for part in parts)
    return tuple([part for part in fitting if part.papers])


def _besides(cards: Cards) -> int:
    """What may stand besides the cards and the headings of groups and topics, at its longest."""
    around = (cards.first, *[cards.other] * cards.layout.leads, cards.lines, cards.contents, cards.rest)
    lines = sorted((card.line.size for card in cards.papers.values()), reverse=True)[: cards.layout.lines]
    return (
        sum(frame.before.size + frame.after.size for frame in around)
        + sum(lines)
        + max(block.size for block in cards.leads.values())
        + cards.leads_end.size
        + cards.for_you.size
        + cards.for_you_end.size
    )


def _of_a_group(cards: Cards, key: str) -> int:
    group = cards.groups[key]
    return group.line.size + group.heading.size + group.end.size
