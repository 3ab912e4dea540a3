"""Figures of an installation: counted, by newsletter, and nobody's name among them."""

from __future__ import annotations

import datetime as dt

from flows.papers.model import Collected
from flows.storage.database import Database
from flows.storage.editions import Store
from subscribers.ledger.figures import LATELY, MEANINGS, WEEK, Figures
from tests.subscribers.delivered import delivered
from tests.subscribers.everyone import HOUR, NOW, asked, reader

MINUTE = dt.timedelta(minutes=1)


async def figures(database: Database, now: dt.datetime) -> dict[tuple[str, ...], float]:
    found = await Figures(database).now(now)
    assert {one.name for one in found} <= MEANINGS.keys()
    return {(one.name, *one.labels.values()): one.value for one in found}


async def test_deliveries_are_counted_and_how_fast_they_go(database: Database) -> None:
    for n in range(3):
        await reader(database, f"r{n}@example.org")
    await delivered(database, 1, NOW)
    found = await figures(database, NOW + MINUTE)
    assert found["deliveries", "daily", "daily", "sent"] == 3
    assert found["sent_per_second", "daily"] == 3 / LATELY.total_seconds()
    assert found["oldest_due_seconds", "daily"] == 0
    assert found["edition_age_seconds", "daily", "daily"] == 60
    assert found["subscriptions", "daily", "confirmed"] == 3
    assert (await figures(database, NOW + HOUR))["sent_per_second", "daily"] == 0


async def test_an_edition_of_long_ago_is_not_counted_but_its_age_is(database: Database) -> None:
    await reader(database)
    await delivered(database, 1, NOW)
    later = NOW + WEEK + MINUTE
    found = await figures(database, later)
    assert not [key for key in found if key[0] == "deliveries"]
    assert found["edition_age_seconds", "daily", "daily"] == (later - NOW).total_seconds()


async def test_letters_and_sources_that_wait_or_fail_are_told_with_their_age(database: Database) -> None:
    await asked(database)
    store = Store(database)
    await store.keep(Collected(source="arxiv", day=NOW.date(), papers=()), NOW)
    await store.keep(Collected(source="huggingface", day=NOW.date(), papers=(), problem="it was away"), NOW)
    found = await figures(database, NOW + HOUR)
    assert (found["letters_waiting",], found["oldest_letter_seconds",]) == (1, 3600)
    assert (found["source_failed", "arxiv"], found["source_failed", "huggingface"]) == (0, 1)
    assert found["source_age_seconds", "arxiv"] == 3600
    assert ("source_age_seconds", "huggingface") not in found
