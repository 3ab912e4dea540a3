"""Changes that come at a time are written together; each is told what became of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from flows.config.settings import Settings
from flows.context import open_context
from flows.editions.model import Kind
from flows.storage.database import Database
from subscribers.model import DeliveryState
from subscribers.people.store import Subscribers
from tests.factories import HASHING_KEY
from tests.subscribers.ledger.test_ledger import (
    DAY,
    NOW,
    SENT,
    claimed,
    opened,
    subscribe,
)


async def test_what_comes_at_a_time_is_written_together_and_each_answer_goes_to_its_own(database: Database) -> None:
    ledger = await opened(database, 40)
    claim = await claimed(ledger)
    items = await ledger.due(claim, NOW)
    await Subscribers(database, HASHING_KEY).unsubscribe(items[3].subscription_id, NOW)
    marked = await asyncio.gather(*(ledger.mark(item, NOW) for item in items))
    assert [item for item, mark in zip(items, marked, strict=True) if not mark] == [items[3]]
    recorded = await asyncio.gather(*(ledger.record(item, SENT, NOW) for item in items))
    assert recorded == marked
    assert await ledger.counts(1) == {DeliveryState.SENT: 39, DeliveryState.PENDING: 1}


async def test_a_mark_that_nobody_waits_for_is_not_made_and_a_record_is(database: Database) -> None:
    """Nothing of a message has left before its mark is known; what a server has answered is written in any case."""
    ledger = await opened(database, 3)
    claim = await claimed(ledger)
    first, second, third = await ledger.due(claim, NOW)
    assert await ledger.mark(third, NOW)
    leaving = ledger.mark(first, NOW)
    staying = ledger.mark(second, NOW)
    answered = ledger.record(third, SENT, NOW)
    await asyncio.sleep(0)
    leaving.cancel()
    answered.cancel()
    assert await staying
    await ledger.settled()
    counts = {DeliveryState.PENDING: 1, DeliveryState.SENDING: 1, DeliveryState.SENT: 1}
    assert await ledger.counts(1) == counts
    await ledger.settled()
    assert await ledger.mark(first, NOW)


async def test_a_failure_to_write_is_told_to_whom_it_concerns_and_the_next_write_goes(database: Database) -> None:
    ledger = await opened(database, 2)
    claim = await claimed(ledger)
    first, second = await ledger.due(claim, NOW)
    assert await ledger.mark(first, NOW)
    with pytest.raises((asyncpg.DataError, UnicodeEncodeError)):
        await ledger.record(first, replace(SENT, text="\udce9"), NOW)
    assert await ledger.record(first, SENT, NOW)
    assert await ledger.mark(second, NOW)


def test_an_outcome_that_nobody_waits_for_is_written_before_the_process_ends(tmp_path: Path) -> None:
    """Also where the database is locked by another just then."""
    settings = Settings(_env_file=None, home_dir=tmp_path)

    async def send() -> None:
        async with open_context(settings) as context:
            ledger = context.ledger
            await subscribe(context.database, 1)
            await ledger.open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False)
            claim = await claimed(ledger)
            (item,) = await ledger.due(claim, NOW)
            assert await ledger.mark(item, NOW)
            other = sqlite3.connect(tmp_path / "paperround.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            asyncio.get_running_loop().call_later(0.3, other.close)
            ledger.record(item, SENT, NOW)

    async def look() -> Mapping[DeliveryState, int]:
        async with open_context(settings) as context:
            return await context.ledger.counts(1)

    asyncio.run(send())
    assert asyncio.run(look()) == {DeliveryState.SENT: 1}
