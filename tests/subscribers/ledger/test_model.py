"""A delivery is for somebody, or for nobody any more."""

from __future__ import annotations

import sqlalchemy as sa

from flows.storage.database import Database
from subscribers.model import DeliveryState
from subscribers.tables import subscription
from tests.subscribers.ledger.test_ledger import NOW, claimed, opened


async def test_an_erased_reader_keeps_a_row_without_a_person(database: Database) -> None:
    ledger = await opened(database, 1)
    claim = await claimed(ledger)
    assert [one.address for one in await ledger.due(claim, NOW)] == ["reader0@example.org"]
    async with database.write() as connection:
        await connection.execute(sa.delete(subscription))
    (item,) = await ledger.due(claim, NOW)
    assert item.subscription is None
    assert item.address == ""
    await ledger.skip(item, "erased", NOW)
    await ledger.release(claim, NOW)
    assert await ledger.counts(1) == {DeliveryState.SKIPPED: 1}
