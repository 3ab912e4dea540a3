"""Topics, newsletters, editions and digests: values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from flows.papers.model import Paper, PaperId

OTHER = "other"
"""The topic of a paper that nothing decides."""

EVERY = "*"
"""Stands for every topic where topics are muted."""

FOR_YOU = "+"
"""Stands for a topic where a digest's papers are those that the reader follows, whatever their topics."""


class Kind(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A stable subject that a reader can choose. The slug is for ever: readers' choices hang on it."""

    slug: str
    name: str
    group: str
    description: str
    order: int
    """Its place in a digest: groups and the topics within them follow it."""
    text: str = ""
    """The vocabulary of the subject, which papers are compared with; no reader sees it."""
    terms: Mapping[str, float] = field(default_factory=dict)
    """Words and phrases that speak for it, lower case, with their weight: 2 weak, 4 strong, 6 decisive, 9 certain."""
    categories: Mapping[str, float] = field(default_factory=dict)
    """What an arXiv category says for it, from 0 to 10: e to this power times as likely; a whole archive by its name
    without a point."""
    discount: float = 1.0
    """Below 1 for a general topic that should give way to a particular one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsletter:
    """What others call a list. The slug is for ever: subscriptions and links hang on it."""

    slug: str
    title: str
    description: str
    sources: tuple[str, ...]
    categories: tuple[str, ...] = ()
    """arXiv categories to follow, for the source `arxiv`."""
    topics: tuple[str, ...] = ()
    """The topics it carries; none named means all."""
    cron: str = "0 7 * * 1-5"
    zone: str = "UTC"
    weekly_cron: str = "0 7 * * 6"
    """When its weekly edition is made; empty: it has none."""
    active: bool = True
    """Whether its schedules are switched on when they are first deployed."""
    frequency: str = "daily"
    """How often somebody gets it who does not choose when they begin: "daily", "weekdays" or "weekly"."""
    hour: int | None = None
    """The hour of its zone from which mail is welcome then; None: as soon as there is an edition."""
    look_back: int = 3
    """How many days a daily edition reaches back for papers of days that had no edition of their own; 0: every edition,
    a weekly one too, takes the papers of its own day alone."""
    look: str = "classic"
    """A folder under templates/email/digest/."""
    accent: str = "#0b6e5f"
    thumbnails: bool = False
    """Whether papers are shown with the source's picture. Its server then learns who reads, and when."""
    deadline: str = "1h"
    """Until when a source that failed is asked again: a time of the newsletter's day such as "18:00", or a span after
    the run was to start, "1h" or "45m"; "0m": not by later runs."""
    when_a_source_is_missing: str = "send"
    """What becomes of a daily edition then: "send" what is there, or "hold" it."""
    notice: str = ""
    """One sentence above every edition (the bundled sample says that it is one)."""
    approval: str = ""
    """Whether an operator sees an edition before its readers: "wait" until they allow it, "veto": it goes at the
    deadline unless they hold it; empty: neither."""
    approval_deadline: str = "2h"
    """Until when: a time of the newsletter's day such as "11:00", or a span after they are asked, "2h" or "45m"."""
    approval_otherwise: str = ""
    """What happens at the deadline: "hold", "send" or "skip"; empty: "hold" where it waits, else "send"."""
    work_pool: str = ""
    """The work pool of Prefect's that shares of its deliveries run on; empty: the installation's, if it has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interests:
    """What a reader wants of an edition. Nothing named means everything."""

    topics: frozenset[str] = frozenset()
    """These topics alone; none named means all, also those that are added later."""
    muted: frozenset[str] = frozenset()
    """Of all topics, these not; `EVERY` alone: no topic as such, only what is followed. Empty where `topics` is not."""
    keywords: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    """Words, phrases and names: a paper that matches one is not shown, whatever else speaks for it."""
    size: int | None = None
    """At most so many papers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
    """The topic of a paper and why: the terms and categories that spoke for it, strongest first."""

    topic: str
    second: str = ""
    """Another topic that nearly won; empty if none did."""
    score: float = 0.0
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A paper's place in an edition."""

    paper: Paper
    topic: str
    second: str = ""
    because: tuple[str, ...] = ()
    score: float = 0.0
    """What it is ranked by, higher first; comparable within one edition only."""
    rose: int = 0
    """The votes it gained since the edition that showed it last; 0: no edition has shown it."""
    likely: bool = False
    """It stands where it does because it is likely to be picked: it has no votes, or fewer than that is worth."""
    forecast: float = 0.0
    """How likely the community picks it, from 0 to 1: it ranks what has few votes or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Papers of one topic on one thing, and what they share, as their authors write it: hostile text."""

    phrase: str
    papers: tuple[PaperId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The papers of one topic, best first; those of a story stand together at the place of their best."""

    topic: str
    name: str
    group: str
    entries: tuple[Entry, ...]
    stories: tuple[Story, ...] = ()
    """In the order of the entries; no paper is in two of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """The issue of a newsletter for one day: keyed by (newsletter, kind, day), no paper in it twice.

    `number` is 0 while it is a draft.
    """

    newsletter: str
    kind: Kind
    day: dt.date
    sections: tuple[Section, ...]
    missing: tuple[str, ...] = ()
    """What could not be had, a sentence each for the reader; the operator's log has the details."""
    number: int = 0
    best: tuple[PaperId, ...] = ()
    """The best papers of them all, best first, each from another topic; none where there are few papers."""
    told: str = ""
    """The one thing worth saying of it, in a sentence ("Five of today's 13 papers on agents are about memory"); empty
    where there is none. It holds words of the papers: hostile text."""
    told_of: tuple[PaperId, ...] = ()
    """The papers that the sentence is about."""
    subject: str = ""
    """The subject of all its mails, where an operator gave one; empty: it names each reader's first papers."""
    note: str = ""
    """An editor's words above the papers, as `decisions.Decisions` has them."""

    @property
    def entries(self) -> Iterator[Entry]:
        for section in self.sections:
            yield from section.entries

    @property
    def size(self) -> int:
        return sum(len(section.entries) for section in self.sections)

    @property
    def lead(self) -> Paper | None:
        """The paper that it is named by: the best of all; None where it holds none."""
        ranked = sorted(self.entries, key=lambda entry: (entry.paper.id not in self.best[:1], -entry.score))
        return ranked[0].paper if ranked else None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoEdition:
    """There is no edition for this day, and the reason, a sentence for the operator."""

    newsletter: str
    kind: Kind
    day: dt.date
    reason: str
    told: str = ""
    """The reason as the archive tells it, where the operator's names addresses, settings or a server's own words."""

    @property
    def public(self) -> str:
        """The reason for everybody."""
        return self.told or self.reason


class Reason(NamedTuple):
    """Why a paper is for this reader."""

    words: str
    """The keyword as the reader wrote it, or the author's name as the paper has it: hostile text."""
    author: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The papers of one topic that a reader gets, in their order; or, of `FOR_YOU`, those that they follow."""

    topic: str
    papers: tuple[PaperId, ...]
    reasons: Mapping[PaperId, tuple[Reason, ...]] = field(default_factory=dict)
    """Of `FOR_YOU` alone: why each paper is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """The part of an edition that one reader gets: `FOR_YOU` first if there is one, then their topics; no paper twice.
    Empty `parts`: no mail, and `reason` says why."""

    parts: tuple[Part, ...]
    reason: str = ""
    left: Mapping[str, int] = field(default_factory=dict)
    """How many papers of the reader's topics have no room in it, by topic."""
    chosen: bool = False
    """Whether it is the reader who wants so few."""

    @property
    def size(self) -> int:
        return sum([len(part.papers) for part in self.parts])
