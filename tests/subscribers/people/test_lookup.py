"""Who is subscribed, looked up and walked through."""

from __future__ import annotations

import datetime as dt

from flows.storage.database import Database
from subscribers.model import SubscriptionState
from subscribers.people.store import Change, Subscribers
from tests.factories import HASHING_KEY

NOW = dt.datetime(2026, 6, 9, tzinfo=dt.UTC)


def change(email: str = "a@example.org", **columns: object) -> Change:
    return Change(email=email, newsletter="daily", columns=columns)


async def test_a_walk_meets_everybody_once(database: Database) -> None:
    people = Subscribers(database, HASHING_KEY)
    await people.keep([change(f"r{n}@example.org") for n in range(25)], NOW)
    met = [one.email async for one in people.walk(size=10)]
    assert met == [f"r{n}@example.org" for n in range(25)]


async def test_nobody_is_found_under_another_newsletter_or_number(database: Database) -> None:
    people = Subscribers(database, HASHING_KEY)
    await people.keep([change()], NOW)
    found = await people.by_address("a@example.org", "daily")
    assert found is not None
    assert await people.get(found.id) == found
    assert await people.get(found.id + 1) is None
    assert await people.by_address("a@example.org", "arxiv") is None
    assert [one async for one in people.walk("arxiv")] == []


async def test_zones_that_this_machine_does_not_know_are_counted(database: Database) -> None:
    people = Subscribers(database, HASHING_KEY)
    zones = ("Europe/Rome", "Moon/Tycho", "Moon/Tycho", "UTC")
    await people.keep([change(f"r{n}@example.org", zone=zone) for n, zone in enumerate(zones)], NOW)
    assert await people.unknown_zones("daily") == {"Moon/Tycho": 2}
    assert await people.unknown_zones("arxiv") == {}


async def test_the_languages_of_readers_are_those_that_somebody_who_is_mailed_has_chosen(database: Database) -> None:
    people = Subscribers(database, HASHING_KEY)
    await people.keep([change("a@example.org", language="de"), change("b@example.org")], NOW)
    await people.keep([change("c@example.org", language="fr", state=SubscriptionState.UNSUBSCRIBED)], NOW)
    assert await people.languages("daily") == {"de"}
