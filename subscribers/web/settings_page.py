"""What a reader's own pages show: the settings as a form, a change in words, the digest that they would have got, and
how much of the last month they left out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from starlette.requests import Request

from flows.editions.choose import choose
from flows.editions.matching import Matcher, bits, readings, spellings
from flows.editions.model import FOR_YOU, Edition, Entry, Interests, Kind, Reason, Section
from flows.papers.model import Paper
from flows.storage import query
from subscribers.model import Frequency, Subscription
from subscribers.policy import undoable
from subscribers.preferences import Phrase, Preferences, describe, wanted_topics, written
from subscribers.tokens import Purpose
from subscribers.web import reader_links
from subscribers.web.forms import Form
from subscribers.web.services import Services, services
from subscribers.zones import clock

SHOWN = 25
"""Papers of the latest edition that the page lists."""

MONTH = dt.timedelta(days=31)
LOOKED_AT = 300
"""Papers that are looked at for one page, some tenths of a millisecond each; of more it is told that there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The fields of the settings' form, as text."""

    topics: frozenset[str]
    keywords: str
    authors: str
    leave_out: str
    size: str
    frequency: str
    weekday: str
    hour: str
    zone: str
    language: str


def filled(preferences: Preferences, topics: Sequence[str]) -> Filled:
    """A form that asks for what is so already."""
    interests = preferences.interests
    return Filled(
        topics=wanted_topics(interests, topics),
        keywords=written(interests.keywords),
        authors=written(interests.authors),
        leave_out=written(interests.leave_out),
        size=_text(interests.size),
        frequency=preferences.frequency,
        weekday=_text(preferences.weekday),
        hour=_text(preferences.hour),
        zone=preferences.zone,
        language=preferences.language,
    )


def refilled(form: Form) -> Filled:
    """A form as it was sent, to be corrected or completed."""

    def text(name: str) -> str:
        return next(iter(form.get(name, ())), "")

    return Filled(
        topics=frozenset(form.get("topics", ())),
        keywords=text("keywords"),
        authors=text("authors"),
        leave_out=text("leave_out"),
        size=text("size"),
        frequency=text("frequency"),
        weekday=text("weekday"),
        hour=text("hour"),
        zone=text("zone"),
        language=text("language"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsNow:
    """What is so at present, beside the headings of the settings' sections."""

    topics: Markup
    follow: Markup
    leave_out: Markup
    rhythm: Markup
    language: str


def told(s: Services, preferences: Preferences, topics: Sequence[str]) -> SettingsNow:
    """Of what is kept, or would be."""
    say, interests = s.phrases, preferences.interests
    wanted = len(wanted_topics(interests, topics))
    counted = "manage.topics_all" if wanted == len(topics) else "manage.topics_some"
    follow = [
        say(f"manage.follow_{name}", count=len(found))
        for name, found in (("keywords", interests.keywords), ("authors", interests.authors))
        if found
    ]
    rhythm = [say(f"frequency.{preferences.frequency}")]
    if preferences.frequency is Frequency.WEEKLY and preferences.weekday is not None:
        rhythm.append(say("manage.rhythm_day", weekday=say(f"date.weekday.{preferences.weekday}")))
    if preferences.hour is not None:
        rhythm.append(say("manage.rhythm_hour", hour=f"{preferences.hour:02}:00"))
    if interests.size is not None:
        rhythm.append(say("manage.rhythm_size", count=interests.size))
    return SettingsNow(
        topics=say(counted, count=wanted, all=len(topics)),
        follow=Markup(" · ").join(follow) or say("manage.follow_nothing"),
        leave_out=say("manage.leave_out_count", count=len(out))
        if (out := interests.leave_out)
        else say("manage.leave_out_nothing"),
        rhythm=Markup(" · ").join(rhythm),
        language=language_name(s, preferences.language),
    )


def language_name(s: Services, language: str) -> str:
    """What a language calls itself; empty: the site's own."""
    names = s.phrases.names()
    return names.get(language) or next(iter(names.values()))


def languages(s: Services, chosen: str) -> Sequence[tuple[str, str, str]]:
    """What the form offers: value, tag and name of each. Who has chosen none sends nothing for the site's own."""
    names = s.phrases.names()
    none = chosen not in names
    return [("" if none and not at else tag, tag, name) for at, (tag, name) in enumerate(names.items())]


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


@dataclass(frozen=True, slots=True)
class LastChange:
    """What a reader changed last, and can undo."""

    revision: int
    said: Sequence[Markup]


def last_change(request: Request, found: Subscription) -> LastChange | None:
    """None where there is nothing that could be undone, or nothing that could be told of it."""
    s = services(request)
    if found.previous is None or not undoable(found, s.now()):
        return None
    return LastChange(found.revision, said(s, found.previous, found))


def said(s: Services, before: Subscription, after: Subscription) -> list[Markup]:
    """What is different, a line each."""
    return [spoken(s, phrase) for phrase in describe(before, after, [topic.slug for topic in s.topics])]


def spoken(s: Services, phrase: Phrase) -> Markup:
    """A phrase with its values as a reader calls them: topics, days and hours by their names."""
    key, values = phrase
    names = {topic.slug: topic.name for topic in s.topics}
    shown: dict[str, object] = dict(values)
    for name, value in values.items():
        if name == "topic":
            shown[name] = names.get(value, value)
        elif name == "weekday":
            shown[name] = s.phrases(f"date.weekday.{value}")
        elif name == "language":
            shown[name] = language_name(s, str(value))
        elif name == "hour" and isinstance(value, int):
            shown[name] = f"{value:02}:00"
        elif isinstance(value, dt.date):
            shown[name] = s.pages.long_date(value)
    return s.phrases(key, **shown)


def today(s: Services, found: Subscription) -> dt.date:
    """The day that it is where the reader is."""
    return s.now().astimezone(clock(found.zone, zone_of(s, found.newsletter))).date()


def zone_of(s: Services, newsletter: str) -> str:
    """The newsletter's zone, which counts for a reader whose own is not known."""
    named = s.newsletters.get(newsletter)
    return named.zone if named else "UTC"


def manage_path(request: Request, found: Subscription) -> str:
    return f"/manage/{reader_links.token(request, Purpose.MANAGE, found)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Would:
    """What a reader would have got of the latest edition: papers by the name of their part, with the reasons."""

    edition: Edition
    count: int
    parts: Sequence[tuple[Markup | str, Sequence[tuple[Paper, Sequence[Reason]]]]]
    more: int


async def would_have(s: Services, newsletter: str, interests: Interests, frequency: Frequency) -> Would | None:
    """None where no edition has come out yet. Before the first weekly one a weekly reader is shown a daily one."""
    kind = Kind.WEEKLY if frequency is Frequency.WEEKLY else Kind.DAILY
    edition = await s.latest(newsletter, kind) or await s.latest(newsletter, Kind.DAILY)
    if edition is None:
        return None
    digest = choose(edition, interests)
    papers: Mapping[str, Paper] = {entry.paper.id: entry.paper for entry in edition.entries}
    names: dict[str, Markup | str] = {section.topic: section.name for section in edition.sections}
    names[FOR_YOU] = s.phrases("manage.for_you")
    parts, room = [], SHOWN
    for part in digest.parts:
        listed = [(papers[one], part.reasons.get(one, ())) for one in part.papers[:room]]
        room -= len(listed)
        if listed:
            parts.append((names[part.topic], listed))
    return Would(edition=edition, count=digest.size, parts=parts, more=digest.size - (SHOWN - room))


@dataclass(frozen=True, slots=True)
class PapersLeftOut:
    """So many papers; with `more`, at least so many."""

    papers: int
    more: bool = False


async def left_out(s: Services, newsletter: str, interests: Interests, most: int = LOOKED_AT) -> PapersLeftOut | None:
    """The papers of the newsletter's editions of the last month that the reader would have got as they are now, were it
    not for their words; None where they leave out nothing.

    The index finds what may match; whether it does is decided as for a mail.
    """
    if not interests.leave_out:
        return None
    today = s.now().date()
    alternatives = tuple(_alternatives(interests.leave_out))
    if not alternatives:
        return PapersLeftOut(0)
    asked = query.Query((alternatives,))
    topics = await s.archive.shown(newsletter, today - MONTH, today, asked, most)
    papers = await s.store.papers_of(topics)
    entries = tuple(Entry(paper=paper, topic=topics[identity]) for identity, paper in papers.items())
    return PapersLeftOut(_theirs(entries, interests, today), len(topics) == most)


def _theirs(entries: tuple[Entry, ...], interests: Interests, day: dt.date) -> int:
    every = Section(topic="", name="", group="", entries=entries)
    matcher = Matcher(Edition(newsletter="", kind=Kind.DAILY, day=day, sections=(every,)))
    wanted = wanted_topics(interests, {entry.topic for entry in entries})
    followed = matcher.reasons(interests.keywords, interests.authors)
    return sum(entries[at].topic in wanted or at in followed for at in bits(matcher.matching(interests.leave_out)))


def _alternatives(phrases: Iterable[str]) -> Iterator[query.Phrase]:
    """What the index is asked for: each phrase in its spellings, and who may be meant by their last name."""
    for phrase in phrases:
        said = (phrase, *(" ".join(spelling) for spelling in spellings(phrase)))
        yield from dict.fromkeys(one for text in said for one in _phrases(text))
        for name in readings(phrase):
            if len(name) > 1:
                yield from (query.Phrase(one.words, named=True) for one in _phrases(name[-1]))


def _phrases(text: str) -> Iterator[query.Phrase]:
    quoted = text.replace('"', " ")[: query.MAX_LETTERS - 2]
    for term in query.parse(f'"{quoted}"').terms:
        yield from term
