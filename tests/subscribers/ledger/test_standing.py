"""How an edition stands: what is due, in which states its deliveries are, and why."""

from __future__ import annotations

import datetime as dt

from flows.storage.database import Database
from subscribers.model import DeliveryState
from tests.subscribers.ledger.test_ledger import (
    NOW,
    REJECTED,
    SENT,
    claimed,
    opened,
)


async def test_an_edition_is_unfinished_as_long_as_something_of_it_is_due(database: Database) -> None:
    ledger = await opened(database, 1, hour=7, zone="Asia/Tokyo")
    await ledger.release(await claimed(ledger), NOW)
    assert await ledger.unfinished(NOW) == []
    later = NOW + dt.timedelta(hours=5)
    assert await ledger.unfinished(later) == [1]
    claim = await claimed(ledger, later)
    for item in await ledger.due(claim, later):
        assert await ledger.mark(item, later)
        await ledger.record(item, SENT, later)
    await ledger.release(claim, later)
    assert await ledger.unfinished(later) == []


async def test_the_servers_words_are_counted_by_state(database: Database) -> None:
    ledger = await opened(database, 3)
    claim = await claimed(ledger)
    for item in await ledger.due(claim, NOW):
        assert await ledger.mark(item, NOW)
        await ledger.record(item, REJECTED, NOW)
    assert await ledger.reasons(1, DeliveryState.REJECTED) == {"no such user": 3}
