"""After a backup was brought back nobody is mailed without a person's word, and what was final stays so."""

from __future__ import annotations

import sqlalchemy as sa

from flows.storage.database import Database
from subscribers.ledger.restored import WORDS, doubt
from subscribers.model import DeliveryState
from subscribers.tables import outbox
from tests.subscribers.everyone import asked
from tests.subscribers.ledger.test_ledger import DEFERRED, NOW, SENT, claimed, opened


async def test_what_is_open_becomes_uncertain_and_what_was_sent_stays_sent(database: Database) -> None:
    ledger = await opened(database, 4)
    claim = await claimed(ledger)
    sent, deferred, marked, _ = await ledger.due(claim, NOW)
    for item, outcome in ((sent, SENT), (deferred, DEFERRED)):
        assert await ledger.mark(item, NOW)
        assert await ledger.record(item, outcome, NOW)
    assert await ledger.mark(marked, NOW)
    await asked(database, "eve@example.org")
    assert await doubt(database, NOW) == (3, 1)
    assert await ledger.counts(1) == {DeliveryState.SENT: 1, DeliveryState.UNCERTAIN: 3}
    assert await ledger.reasons(1, DeliveryState.UNCERTAIN) == {WORDS: 3}
    assert await ledger.unfinished(NOW) == []
    assert not await ledger.is_worked(1)
    async with database.read() as connection:
        assert await connection.scalar(sa.select(outbox.c.due_at)) is None
    assert (await doubt(database, NOW))[1] == 0
