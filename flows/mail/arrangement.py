"""Which paper of a digest stands where in a mail. Pure: places only, no bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from flows.editions.model import Part
from flows.mail.model import Cards, Layout, Ranked
from flows.mail.reasons import written
from flows.papers.model import PaperId

Papers = tuple[PaperId, ...]
FEWEST_LINES = 3
"""Fewer titles of those who were voted up as well are not worth a list."""


class Placed(NamedTuple):
    """A group's papers: those that stand alone, best first, then the topics that have a heading."""

    key: str
    alone: Papers
    topics: tuple[tuple[str, Papers], ...]

    @property
    def size(self) -> int:
        return len(self.alone) + sum(len(papers) for _, papers in self.topics)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """No paper stands twice as a card; `lines` name papers that stand below as well."""

    leads: Papers = ()
    leading: str = "best"
    """What the leads have in common, see `Cards.leads`."""
    lines: Papers = ()
    groups: tuple[Placed, ...] = ()
    rest: Papers = ()
    """The papers besides the leads where they are too few for groups, best first."""
    titles: Papers = ()
    """Those that have no card, best first."""
    best: Papers = ()
    """The best three, whether they lead or not."""


def arrange(
    parts: Sequence[tuple[str, Papers]], known: Mapping[PaperId, Ranked], groups: Mapping[str, str], layout: Layout
) -> Arrangement:
    """The places of these papers, which are given by topic in the edition's order: the best lead, those with the most
    votes of the others are named after them, and all others follow by group (`groups` says of each topic which)."""
    ranked = sorted([paper for _, papers in parts for paper in papers], key=lambda paper: known[paper].rank)
    titles = tuple(ranked[layout.cards :]) if layout.cards else ()
    carded = ranked[: layout.cards] if layout.cards else ranked
    leads = tuple([paper for paper in carded if known[paper].fresh][: layout.leads])
    others = [paper for paper in carded if paper not in leads]
    found = Arrangement(
        leads=leads,
        leading=_leading([known[paper] for paper in leads], [known[paper] for paper in (*others, *titles)]),
        titles=titles,
        best=leads or tuple(ranked[:3]),
    )
    if len(others) <= layout.ungrouped:
        return replace(found, rest=tuple(others))
    below = frozenset(others)
    shown = [(topic, its) for topic, papers in parts if (its := tuple([one for one in papers if one in below]))]
    return replace(
        found, lines=_voted(others, known, layout.lines), groups=tuple(_groups(shown, known, groups, layout))
    )


def _leading(leads: Sequence[Ranked], others: Sequence[Ranked]) -> str:
    fewest = min((one.votes for one in leads), default=0)
    if fewest and fewest >= max((one.votes for one in others if one.fresh), default=0):
        return "voted"
    return "likely" if leads and all(one.likely for one in leads) else "best"


def _voted(papers: Sequence[PaperId], known: Mapping[PaperId, Ranked], most: int) -> Papers:
    voted = sorted((paper for paper in papers if known[paper].votes), key=lambda paper: -known[paper].votes)[:most]
    return tuple(voted) if len(voted) >= FEWEST_LINES else ()


def _groups(
    parts: Sequence[tuple[str, Papers]], known: Mapping[PaperId, Ranked], groups: Mapping[str, str], layout: Layout
) -> Iterator[Placed]:
    found: dict[str, tuple[list[PaperId], list[tuple[str, Papers]]]] = {}
    for topic, papers in parts:
        alone, several = found.setdefault(groups[topic], ([], []))
        if layout.heading and len(papers) >= layout.heading:
            several.append((topic, papers))
        else:
            alone.extend(papers)
    for key, (alone, several) in found.items():
        yield Placed(key, tuple(sorted(alone, key=lambda paper: known[paper].rank)), tuple(several))


def cut_to(room: int, parts: Sequence[Part], cards: Cards) -> tuple[Part, ...]:
    """Of these papers those that have `room` bytes of HTML: what the reader follows first, then the best-ranked. One
    is always kept."""
    followed = [paper for part in parts if part.reasons for paper in part.papers]
    others = [paper for part in parts if not part.reasons for paper in part.papers]
    why = {paper: why for part in parts for paper, why in part.reasons.items()}
    room -= _besides(cards)
    kept: set[PaperId] = set()
    headed: set[str] = set()
    for paper in (*followed, *sorted(others, key=lambda paper: cards.papers[paper].rank)):
        card = cards.papers[paper]
        topic = cards.topics[card.topic]
        room -= max(card.alone.size + topic.label.size, card.listed.size, card.lead.size)
        if paper in why:
            room -= written(why[paper]).size + cards.why.size
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
