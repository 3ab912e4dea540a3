"""A whole edition as one document, in HTML and in plain text, with marks where its fragments begin.

Templates mark a fragment's beginning with `cut` and the reader's own places with `slot`. The marks hold a digest of the
edition itself, so that nothing within the edition can forge one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from markupsafe import Markup

from flows.editions import maths
from flows.editions.model import Edition, Entry, Kind, Newsletter, Topic
from flows.mail import look, note
from flows.mail.arrangement import Places
from flows.mail.colour import AA, readable
from flows.mail.language import ENGLISH, MailPhrases, long_date
from flows.mail.model import Layout, Ranked, Site, Slot
from flows.outcomes import Problem
from flows.papers.model import PaperId

LIGHT, DARK = "#f4f2ed", "#1e2126"
"""The grounds on which the accent must be read: the darker of the light ones, the lighter of the dark ones."""

CLASSIC = "email/digest/classic"
"""The look whose files stand for those that another one does not have."""

WEEKLY = Layout(lines=0, ungrouped=7, cards=10)
"""Ten papers with what they did, then the others by title."""

VIVID = 6.0
"""On dark ground the least contrast that can be read looks dull."""

_BLANKS = re.compile(r"[ \t\r\f]+")

Key = tuple[str, str]
"""A fragment's kind ("card", "topic", …) and which of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A topic as the templates show it."""

    slug: str
    name: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTopics:
    """The topics of a group that the edition has."""

    key: str
    name: str
    topics: tuple[Subject, ...]


def outline(edition: Edition, topics: Sequence[Topic]) -> list[GroupTopics]:
    """The groups and topics of the edition in its order; topics that are only second choices come last in theirs."""
    named: dict[str, list[Subject]] = {}
    for section in edition.sections:
        subject = Subject(slug=section.topic, name=section.name, entries=section.entries)
        named.setdefault(section.group, []).append(subject)
    first = {section.topic for section in edition.sections}
    second = {entry.second for entry in edition.entries} - first
    for topic in topics:
        if topic.slug in second:
            named.setdefault(topic.group, []).append(Subject(slug=topic.slug, name=topic.name, entries=()))
    return [GroupTopics(key=str(i), name=name, topics=tuple(group)) for i, (name, group) in enumerate(named.items())]


def ranking(edition: Edition) -> dict[PaperId, Ranked]:
    """The edition's papers, best first."""
    ranked = sorted(edition.entries, key=lambda entry: (-entry.score, entry.paper.id))
    return {
        entry.paper.id: Ranked(
            rank=rank,
            topic=entry.topic,
            votes=entry.paper.upvotes or 0,
            likely=entry.likely,
            fresh=not entry.rose,
        )
        for rank, entry in enumerate(ranked)
    }


def numbers(edition: Edition, layout: Layout) -> dict[PaperId, int]:
    """The papers' numbers in the text version, from 1, in the order of a mail that holds them all."""
    parts = [(section.topic, tuple(entry.paper.id for entry in section.entries)) for section in edition.sections]
    places = Places(ranking(edition), {section.topic: section.group for section in edition.sections}, layout)
    plan = places.arrange(parts)
    order = [*plan.leads, *plan.rest]
    for group in plan.groups.values():
        alone, topics = places.placed(group)
        order += [*alone, *(paper for _, papers in topics for paper in papers)]
    return {paper: number for number, paper in enumerate((*order, *plan.titles), 1)}


def layout_of(edition: Edition) -> Layout:
    """How many papers stand where in mails of this edition."""
    return WEEKLY if edition.kind is Kind.WEEKLY else Layout()


def mark(edition: Edition) -> str:
    """What the marks of this edition's documents begin with."""
    return "m" + hashlib.sha256(repr(edition).encode()).hexdigest()[:20]


def documents(
    edition: Edition,
    newsletter: Newsletter,
    groups: Sequence[GroupTopics],
    site: Site,
    folders: Sequence[Path],
    say: MailPhrases,
) -> tuple[str, str]:
    """The whole edition as HTML, inlined, and as plain text, both with their marks."""
    env = look.environment(folders)
    env.filters["long_date"] = partial(long_date, say=say)
    secret = mark(edition)
    placed = numbers(edition, layout_of(edition))
    names = {section.topic: section.name for section in edition.sections}
    week = "week/" if edition.kind is Kind.WEEKLY else ""
    language = say.text("site.lang")
    machine = [look.gist_of(entry.paper)[1] for entry in edition.entries]
    shared = {
        "newsletter": newsletter,
        "edition": edition,
        "site": site,
        "language": language,
        # what papers say stays in their own
        "en": "" if language == ENGLISH.language else Markup(' lang="en"'),
        "host": urlsplit(site.public_url).netloc,
        "archive": f"{site.public_url}/archive/{newsletter.slug}/{week}{edition.day}",
        "notices": [look.tidy(notice) for notice in (newsletter.notice, *edition.missing) if notice],
        "act": f"{site.public_url}/act/{secret}_{Slot.MANAGE}_",
        "other": _other(edition, newsletter),
        "tune": f"{site.public_url}/act/{secret}_{Slot.MANAGE}_/tune/{newsletter.slug}/{week}{edition.day}",
        "groups": groups,
        "voting": any(entry.paper.upvotes is not None for entry in edition.entries),
        "forecasts": any(entry.likely for entry in edition.entries),
        "machines": any(machine),
        "mixed": any(machine) and not all(machine),
        "accent": accent_of(newsletter, LIGHT, AA),
        "accent_dark": accent_of(newsletter, DARK, VIVID),
        "slot": {slot.value: f"{secret}_{slot.value}_" for slot in Slot},
        "cut": lambda kind, key="": Markup(f"<!--{secret} {kind} {key}-->"),  # noqa: S704 - slugs and numbers only
    }
    folder = f"email/digest/{newsletter.look}"
    if not any(name.startswith(f"{folder}/") for name in env.list_templates()):
        raise Problem(
            f"The newsletter {newsletter.slug} has the look {newsletter.look!r}, and no template folder holds {folder}."
        )
    html, text = (
        env.select_template([f"{one}/digest.{form}" for one in (folder, CLASSIC)]) for form in ("html", "txt")
    )

    def told(read: Callable[[str], str], written: Callable[[str], str], words: object) -> dict[str, object]:
        """What is markup in one form and plain text in the other."""
        return {
            "say": words,
            "note": written(edition.note),
            "folder": folder,
            "view": lambda entry: look.view(
                entry, placed[entry.paper.id], names[entry.topic], read, say, pictures=newsletter.thumbnails
            ),
            "told": look.phrase(edition.told, read),
        }

    return look.inline(html.render(shared, **told(look.markup, note.html, say)), keep=False), text.render(
        shared, **told(maths.text, note.plain, say.text)
    )


def accent_of(newsletter: Newsletter, ground: str, ratio: float) -> str:
    """The newsletter's accent as it can be read on a ground; raises Problem for one that is no colour."""
    try:
        return readable(newsletter.accent, ground, ratio)
    except ValueError as error:
        raise Problem(f"The newsletter {newsletter.slug} has an accent that cannot be used: {error}.") from error


def _other(edition: Edition, newsletter: Newsletter) -> str:
    """How often a reader of this edition may have one instead; empty if there is no other kind."""
    if edition.kind is Kind.WEEKLY:
        return Kind.DAILY
    return Kind.WEEKLY if newsletter.weekly_cron else ""


def cut(document: str, secret: str) -> Iterator[tuple[Key, str]]:
    """The fragments of a document between its marks; nothing may stand before the first."""
    before, *rest = re.split(rf"[ \t]*<!--{secret} (\w+) (\S*?)-->[ \t]*\n?", document)
    kinds, keys, sources = rest[::3], rest[1::3], rest[2::3]
    if kinds:
        sources[0] = before + sources[0]
    yield from zip(zip(kinds, keys, strict=True), sources, strict=True)


def canonical(html: str) -> str:
    """HTML without the white space that nobody sees: lines without indentation, single spaces, no line empty, the last
    one ended."""
    lines = (line.strip() for line in _BLANKS.sub(" ", html).split("\n"))
    return "".join(f"{line}\n" for line in lines if line)
