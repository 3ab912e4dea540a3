"""Values to test with, in our own words. Each takes what matters to the test by name and invents the rest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from flows.config.phrases import Languages, Phrases
from flows.context import TEMPLATES
from flows.editions.model import Digest, Edition, Entry, Kind, Newsletter, Part, Section, Story, Topic
from flows.mail.model import Reader, Site
from flows.papers.model import Paper, PaperId

DAY = dt.date(2026, 6, 9)
"""A Tuesday."""

HASHING_KEY = b"a key that hashes addresses"

TOPICS = (
    Topic(slug="agents", name="Agents", group="Agents & code", description="Programs that act.", order=1),
    Topic(slug="code", name="Code", group="Agents & code", description="Programs that write programs.", order=2),
    Topic(slug="video", name="Video", group="Vision & media", description="Pictures that move.", order=3),
    Topic(slug="audio", name="Audio", group="Vision & media", description="What can be heard.", order=4),
    Topic(slug="astronomy", name="Astronomy", group="Science & health", description="What is far away.", order=5),
)

_TITLES = (
    "Gardeners for Neural Hedges",
    "A Lighthouse That Reads Its Own Log",
    "Counting Swifts with One Microphone",
    "How to Fold a Map of Everything",
    "Postcards from a Slow Telescope",
    "Bridges That Remember Their Loads",
    "The Quiet Compiler",
)
_ABSTRACT = (
    "We ask what a small model learns when nobody tells it what to look for. On eleven invented islands it draws its "
    "own charts, compares them with those of its neighbours and keeps what both agree upon. The charts are good enough "
    "to sail by. Where they are wrong, they are wrong in the same places as those of the best pilots. We tell why, and "
    "give the charts away. A second study repeats all this at night, with a third of the lamps, and comes to the same "
    "shore."
)


def paper(n: int = 1, **given: Any) -> Paper:
    """The nth of as many papers as a test needs, each with an identifier of its own."""
    made: dict[str, Any] = {
        "id": PaperId(f"2606.{n:05d}"),
        "title": f"{_TITLES[n % len(_TITLES)]}, Part {n}",
        "day": DAY,
        "sources": ("huggingface",),
        "abstract": _ABSTRACT,
        "authors": ("Ada Brook", "Ben Carrow", "Cleo Dunmore", "Dov Elster", "Eve Farrow"),
        "upvotes": 3 * n,
        "comments": n % 4,
        "organisation": "Institute of Invented Islands",
    }
    return Paper(**(made | given))


def papers(count: int, **given: Any) -> list[Paper]:
    return [paper(n, **given) for n in range(1, count + 1)]


def topic(slug: str = "agents") -> Topic:
    """One of `TOPICS`."""
    return next(topic for topic in TOPICS if topic.slug == slug)


def newsletter(**given: Any) -> Newsletter:
    made: dict[str, Any] = {
        "slug": "daily",
        "title": "Paperround",
        "description": "The day's papers.",
        "sources": ("huggingface",),
    }
    return Newsletter(**(made | given))


def edition(listed: Sequence[Paper] | None = None, topics: Sequence[Topic] = TOPICS, **given: Any) -> Edition:
    """The papers dealt out over `topics` in turn, the first the best."""
    listed = papers(7) if listed is None else listed
    entries = [
        Entry(paper=paper, topic=topics[i % len(topics)].slug, score=float(len(listed) - i))
        for i, paper in enumerate(listed)
    ]
    sections = tuple(
        Section(topic=topic.slug, name=topic.name, group=topic.group, entries=mine)
        for topic in topics
        if (mine := tuple(entry for entry in entries if entry.topic == topic.slug))
    )
    made: dict[str, Any] = {"newsletter": "daily", "kind": Kind.DAILY, "day": DAY, "sections": sections, "number": 7}
    return Edition(**(made | given))


def eventful(of: Edition) -> Edition:
    """The edition with all that one may have: its best papers, one of each topic; one that rose; and of its first topic
    the second to the fourth paper as a story."""
    best = tuple(section.entries[0].paper.id for section in of.sections)
    first, *others = of.sections
    rose = replace(first.entries[0], rose=120)
    told = tuple(entry.paper.id for entry in first.entries[1:4])
    stories = (Story(phrase="invented islands", papers=told),)
    first = replace(first, entries=(rose, *first.entries[1:]), stories=stories)
    return replace(of, best=best, sections=(first, *others))


def digest(of: Edition) -> Digest:
    """All of an edition."""
    return Digest(
        parts=tuple(
            Part(topic=section.topic, papers=tuple(entry.paper.id for entry in section.entries))
            for section in of.sections
        )
    )


def site(**given: Any) -> Site:
    made: dict[str, Any] = {
        "public_url": "https://papers.example.org",
        "sender": "Paperround <digest@example.org>",
        "return_path": "bounces@example.org",
        "postal_address": "1 Example Street, Sampletown",
    }
    return Site(**(made | given))


def reader(**given: Any) -> Reader:
    made: dict[str, Any] = {
        "address": "reader@example.net",
        "unsubscribe": "Zm9yLXRoZS1yZWFkZXItYWxvbmU_-0",
        "manage": "bWFuYWdlLWZvci10aGUtcmVhZGVy-_00",
        "message_id": "7.reader@papers.example.org",
        "date": dt.datetime(2026, 6, 9, 7, 0, tzinfo=dt.UTC),
    }
    return Reader(**(made | given))


@cache
def phrases(*folders: Path, language: str = "") -> Phrases:
    """The words of folders (ours) in a language, or in that of the site."""
    return Languages(folders or (TEMPLATES,)).of(language)
