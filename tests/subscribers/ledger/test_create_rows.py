"""The rows of an edition: one for every reader that it is for, once, and due at their hour."""

from __future__ import annotations

import asyncio
import datetime as dt
from itertools import cycle, pairwise, product
from zoneinfo import available_timezones

import pytest
import sqlalchemy as sa

from flows.editions.model import Kind
from flows.storage.database import Database
from subscribers.ledger.create_rows import ROWS
from subscribers.ledger.ledger import BATCH, Ledger
from subscribers.model import DeliveryState, SubscriptionState, Suppressed
from subscribers.people.store import Change, Subscribers
from subscribers.tables import batch
from tests.factories import HASHING_KEY
from tests.many_readers import many_readers
from tests.subscribers.ledger.test_ledger import (
    DAY,
    NOW,
    claimed,
    opened,
    subscribe,
)

PAGES = 6

_READ = """
SELECT (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'delivery')
  + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'delivery')
"""


async def test_every_confirmed_reader_has_one_row_however_often_the_ledger_is_opened(database: Database) -> None:
    await subscribe(database, BATCH + 20)
    ledger = Ledger(database)
    assert await ledger.open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False) == BATCH + 20
    assert await ledger.open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False) == 0
    assert await ledger.counts(1) == {DeliveryState.PENDING: BATCH + 20}


async def test_readers_may_all_have_an_hour_of_their_own(database: Database) -> None:
    clocks = cycle(product(range(24), sorted(available_timezones())[:20]))
    changes = [
        Change(email=f"reader{n}@example.org", newsletter="daily", columns={"hour": hour, "zone": zone})
        for n, (hour, zone) in zip(range(ROWS + 20), clocks, strict=False)
    ]
    await Subscribers(database, HASHING_KEY).keep(changes, NOW)
    assert await Ledger(database).open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False) == ROWS + 20
    async with database.read() as connection:
        spans = (await connection.execute(sa.select(batch.c.lo, batch.c.hi).order_by(batch.c.lo))).all()
    assert [span.hi - span.lo + 1 for span in spans] == [BATCH] * (ROWS // BATCH) + [20]
    assert all(before.hi + 1 == after.lo for before, after in pairwise(spans))


async def test_who_subscribes_later_is_added_by_a_later_pass(database: Database) -> None:
    ledger = await opened(database, 2)
    await Subscribers(database, HASHING_KEY).keep(
        [Change(email="late@example.org", newsletter="daily", columns={})], NOW
    )
    assert await ledger.open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False) == 1
    assert sum((await ledger.counts(1)).values()) == 3


@pytest.mark.parametrize(
    "columns",
    [
        {"state": SubscriptionState.UNCONFIRMED},
        {"state": SubscriptionState.UNSUBSCRIBED},
        {"state": SubscriptionState.PAUSED},
        {"state": SubscriptionState.PAUSED, "paused_until": dt.date(2026, 6, 10)},
        {"frequency": "weekly"},
    ],
)
async def test_no_row_for_readers_the_edition_is_not_for(database: Database, columns: dict[str, object]) -> None:
    await opened(database, 0)
    await subscribe(database, 1, **columns)
    assert await Ledger(database).open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False) == 0


async def test_a_pause_that_is_over_and_a_weekdays_reader_on_a_weekday_get_the_edition(database: Database) -> None:
    await opened(database, 1, state=SubscriptionState.PAUSED, paused_until=dt.date(2026, 6, 9), frequency="weekdays")


async def test_at_once_disregards_the_hour_also_of_rows_that_are_there(database: Database) -> None:
    ledger = await opened(database, 1, hour=7, zone="Asia/Tokyo")
    await ledger.open(1, "daily", Kind.DAILY, DAY, NOW, at_once=True)
    assert len(await ledger.due(await claimed(ledger), NOW)) == 1


async def test_a_suppressed_reader_gets_no_row(database: Database) -> None:
    await subscribe(database, 3)
    await Subscribers(database, HASHING_KEY).suppress("reader1@example.org", Suppressed.COMPLAINT, NOW)
    assert await Ledger(database).open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False) == 2


async def test_two_who_open_the_ledger_at_a_time_make_each_row_once(database: Database) -> None:
    await subscribe(database, 300)
    ledgers = [Ledger(database, size=50) for _ in range(3)]
    made = await asyncio.gather(*(ledger.open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False) for ledger in ledgers))
    assert sum(made) == 300
    assert await ledgers[0].counts(1) == {DeliveryState.PENDING: 300}


async def read(database: Database) -> int:
    """How many rows of the ledger PostgreSQL has looked at until now."""
    async with database.engine.connect() as raw:
        connection = await raw.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(sa.text("SELECT pg_stat_force_next_flush()"))
        await connection.execute(sa.text("SELECT pg_stat_clear_snapshot()"))
        return int((await connection.execute(sa.text(_READ))).scalar_one())


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_a_large_edition_reads_each_row_a_few_times_and_not_all_of_them_for_every_page(
    database: Database,
) -> None:
    async with database.write() as connection:
        await many_readers(connection, PAGES * ROWS, NOW, hour="id % 24")
    async with database.engine.connect() as raw:
        connection = await raw.execution_options(isolation_level="AUTOCOMMIT")
        for table in ("subscriber", "subscription", "delivery"):
            await connection.execute(sa.text(f"ANALYZE {table}"))
    ledger, before = Ledger(database), await read(database)
    assert await ledger.open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False) == PAGES * ROWS
    assert await read(database) - before < 3 * PAGES * ROWS
    assert await ledger.open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False) == 0
