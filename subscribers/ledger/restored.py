"""A ledger that was brought back from a backup knows nothing of what was sent since: what was not final then may have
been sent, and nobody is mailed twice without a person's word."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from flows.storage.database import Database
from subscribers.model import DeliveryState
from subscribers.tables import batch, delivery, outbox

WORDS = "brought back from a backup: it may have been sent since"
_OPEN = (DeliveryState.PENDING, DeliveryState.DEFERRED, DeliveryState.SENDING, DeliveryState.UNCERTAIN)


async def doubt(database: Database, now: dt.datetime) -> tuple[int, int]:
    """Makes every delivery and every letter that is not final uncertain, with nothing due for it any more, and frees
    what a worker of then had claimed; how many deliveries and letters that is."""
    held = {"state": DeliveryState.UNCERTAIN, "due_at": None, "changed_at": now, "words": WORDS}
    async with database.write() as connection:
        deliveries = await connection.execute(sa.update(delivery).where(delivery.c.state.in_(_OPEN)).values(**held))
        letters = await connection.execute(
            sa.update(outbox).where(outbox.c.due_at.is_not(None)).values(**held, lease=None, lease_until=None)
        )
        await connection.execute(sa.update(batch).values(next_at=None, lease=None, lease_until=None))
    return deliveries.rowcount, letters.rowcount
