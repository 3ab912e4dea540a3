from __future__ import annotations

import datetime as dt

from flows.storage.database import Database
from subscribers.model import SubscriptionState
from subscribers.people.store import Change, Subscribers
from tests.factories import HASHING_KEY

NOW = dt.datetime(2026, 6, 9, tzinfo=dt.UTC)


def change(email: str = "a@example.org", **columns: object) -> Change:
    return Change(email=email, newsletter="daily", columns=columns)


async def test_an_address_is_one_person_however_it_is_written(database: Database) -> None:
    people = Subscribers(database, HASHING_KEY)
    await people.keep([change("Ada@example.org"), change("ada@example.org")], NOW)
    assert len([one async for one in people.walk()]) == 1
    assert await people.by_address("ADA@EXAMPLE.ORG", "daily") is not None


async def test_the_same_change_again_changes_nothing(database: Database) -> None:
    people = Subscribers(database, HASHING_KEY)
    await people.keep([change(topics=("agents",))], NOW)
    kept = await people.keep([change(topics=("agents",))], NOW)
    assert (kept.added, kept.changed, kept.unchanged) == (0, 0, 1)


async def test_what_a_change_does_not_name_stays(database: Database) -> None:
    people = Subscribers(database, HASHING_KEY)
    await people.keep([change(topics=("agents",), hour=7)], NOW)
    await people.keep([change(hour=8)], NOW)
    found = await people.by_address("a@example.org", "daily")
    assert found is not None
    assert (found.interests.topics, found.hour) == (frozenset({"agents"}), 8)


async def test_an_old_list_does_not_bring_back_who_has_unsubscribed(database: Database) -> None:
    people = Subscribers(database, HASHING_KEY)
    await people.keep([change()], NOW)
    found = await people.by_address("a@example.org", "daily")
    assert found is not None
    await people.unsubscribe(found.id, NOW)
    kept = await people.keep([change(state=SubscriptionState.CONFIRMED)], NOW)
    assert [one.email for one in kept.refused] == ["a@example.org"]
    await people.keep([change(hour=8)], NOW)
    still = await people.get(found.id)
    assert still is not None
    assert still.state is SubscriptionState.UNSUBSCRIBED
    await people.keep([change(state=SubscriptionState.CONFIRMED)], NOW, resubscribe=True)
    back = await people.get(found.id)
    assert back is not None
    assert back.state is SubscriptionState.CONFIRMED
