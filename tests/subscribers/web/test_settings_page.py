"""The settings' form: what it is filled with, and what the latest edition would have been; how much was left out."""

from __future__ import annotations

import datetime as dt

import pytest

from flows.editions.model import EVERY, Interests, Kind
from subscribers.model import Frequency
from subscribers.preferences import Preferences, read_form
from subscribers.web.settings_page import SHOWN, Filled, PapersLeftOut, filled, left_out, refilled, spoken, would_have
from tests import factories
from tests.factories import DAY
from tests.subscribers.people.test_changes import ALL
from tests.subscribers.site import OTHER_DAY, Site, collect

SLUGS = ("agents", "video", "audio", "robotics")


def sent(form: Filled) -> dict[str, list[str]]:
    """As a browser sends it when nothing was touched."""
    fields = {name: [getattr(form, name)] for name in form.__slots__ if name != "topics"}
    return {**fields, "topics": sorted(form.topics)}


@pytest.mark.parametrize(
    "preferences",
    [
        Preferences(),
        ALL,
        Preferences(interests=Interests(topics=frozenset({"agents"}), keywords=("a, b", "c"), size=3)),
        Preferences(interests=Interests(muted=frozenset({EVERY}), authors=("Ada Brook",)), hour=0, zone="Asia/Tokyo"),
    ],
)
def test_a_form_that_is_sent_as_it_was_filled_changes_nothing(preferences: Preferences) -> None:
    form = filled(preferences, SLUGS)
    assert refilled(sent(form)) == form
    assert read_form(sent(form), SLUGS, preferences, ("en", "de")) == preferences


def test_values_are_told_as_a_reader_calls_them(site: Site) -> None:
    topic = site.services.topics[0]
    assert topic.name in spoken(site.services, ("changes.topic_off", {"topic": topic.slug}))
    assert "Saturday" in spoken(site.services, ("changes.weekly_on", {"weekday": 5}))
    assert "07:00" in spoken(site.services, ("changes.hour", {"hour": 7, "zone": "UTC"}))
    assert "1 July" in spoken(site.services, ("changes.paused", {"until": dt.date(2026, 7, 1)}))


async def test_what_a_reader_would_have_had_is_of_their_kind_and_cut_short(site: Site) -> None:
    s = site.services
    assert await would_have(s, "daily", Interests(), Frequency.DAILY) is None
    await site.publish(factories.edition(listed=factories.papers(SHOWN + 4)))
    daily = await would_have(s, "daily", Interests(), Frequency.WEEKLY)
    assert daily is not None
    assert (daily.edition.kind, daily.count, daily.more) == (Kind.DAILY, SHOWN + 4, 4)
    assert sum(len(papers) for _, papers in daily.parts) == SHOWN
    await site.publish(factories.edition(kind=Kind.WEEKLY, day=OTHER_DAY, listed=factories.papers(2)))
    weekly = await would_have(s, "daily", Interests(), Frequency.WEEKLY)
    assert weekly is not None
    assert (weekly.edition.kind, weekly.edition.day, weekly.more) == (Kind.WEEKLY, OTHER_DAY, 0)
    still = await would_have(s, "daily", Interests(), Frequency.WEEKDAYS)
    assert still is not None
    assert still.edition.day == DAY


# --- what is left out

PAPERS = (
    factories.paper(1, title="Ferns", authors=("Cleo Dunmore",)),
    factories.paper(2, title="Pre-Training of Ferns", authors=("C. Dunmore", "Ada Brook")),
    factories.paper(3, title="Pretraining", authors=()),
    factories.paper(4, title="Dunmore", authors=("Ben Foster",)),
)


@pytest.mark.parametrize(
    ("phrases", "papers"),
    [
        (("fern",), 2),
        (("ferns", "pre training"), 3),
        (("Cleo Dunmore",), 2),
        (("Dunmore, Cleo", "C Dunmore"), 2),
        (("Dunmore",), 1),
        (("moss", "!", 'a "quoted" OR NEAR(x) -* ^'), 0),
    ],
)
async def test_what_would_have_come_is_counted_once_as_mails_leave_it_out(
    site: Site, phrases: tuple[str, ...], papers: int
) -> None:
    await collect(site, *PAPERS)
    for day in (DAY, DAY - dt.timedelta(days=1)):
        await site.publish(factories.edition(listed=PAPERS, day=day))
    assert await left_out(site.services, "daily", Interests(leave_out=phrases)) == PapersLeftOut(papers)
    assert await left_out(site.services, "arxiv", Interests(leave_out=phrases)) == PapersLeftOut(0)


async def test_nothing_is_counted_that_would_not_have_come_anyway(site: Site) -> None:
    await collect(site, *PAPERS)
    frozen = await site.publish(factories.edition(listed=PAPERS))
    s = site.services
    assert await left_out(s, "daily", Interests()) is None
    topic = next(entry.topic for entry in frozen.edition.entries if entry.paper.id == PAPERS[0].id)
    muted = Interests(muted=frozenset({topic}), leave_out=("fern",))
    assert await left_out(s, "daily", muted) == PapersLeftOut(1)
    nothing = Interests(muted=frozenset({EVERY}), keywords=("training",), leave_out=("fern",))
    assert await left_out(s, "daily", nothing) == PapersLeftOut(1)


async def test_an_edition_of_long_ago_does_not_count(site: Site) -> None:
    await collect(site, *PAPERS)
    await site.publish(factories.edition(listed=PAPERS, day=DAY - dt.timedelta(days=40)))
    assert await left_out(site.services, "daily", Interests(leave_out=("fern",))) == PapersLeftOut(0)


async def test_what_too_many_papers_hold_is_told_as_more(site: Site) -> None:
    await collect(site, *PAPERS)
    await site.publish(factories.edition(listed=PAPERS))
    interests = Interests(leave_out=("Ben Foster", "fern"))
    assert await left_out(site.services, "daily", interests, most=2) == PapersLeftOut(2, more=True)
