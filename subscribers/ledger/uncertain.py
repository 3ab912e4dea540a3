"""What is uncertain and waits for the operator: nobody knows whether the mail server had taken it, and nothing is due
for it any more. Only a person can decide whether a reader rather gets it twice or perhaps not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Sequence

import sqlalchemy as sa

from flows.storage.database import Database, database_now
from subscribers.ledger.report import HELD
from subscribers.model import DeliveryState
from subscribers.tables import batch, delivery, subscriber, subscription

SETTLED = "counted as sent by the operator"
AT_A_TIME = 500
"""Deliveries that are changed in one transaction: senders write to the same tables."""


REJECTED = delivery.c.state == DeliveryState.REJECTED


class HeldDeliveries:
    """The deliveries of any edition that are held, or were rejected. Each method returns how many it changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def resend(self, edition_id: int, now: dt.datetime, *, rejected: bool = False, domain: str = "") -> int:
        """Makes due now what is held, or what was `rejected`, with a day of attempts before it as a fresh delivery has;
        only that to one domain, where it is named.

        What lies in a batch that is worked at this moment stays as it is: it would be given back without a look at
        what has become due meanwhile.
        """
        which = sa.and_(REJECTED if rejected else HELD, _at(domain))
        return sum([await self._resend(edition_id, ids, now, which) async for ids in self._walk(edition_id, which)])

    async def count(self, edition_id: int, *, rejected: bool, domain: str) -> int:
        """How many `resend` would make due; it changes none."""
        which = (delivery.c.edition_id == edition_id, REJECTED if rejected else HELD, _at(domain))
        async with self._database.read() as connection:
            return await connection.scalar(sa.select(sa.func.count()).select_from(delivery).where(*which)) or 0

    async def _resend(
        self, edition_id: int, ids: Sequence[int], now: dt.datetime, which: sa.ColumnElement[bool]
    ) -> int:
        theirs = sa.exists().where(
            *_among(edition_id, ids), which, delivery.c.subscription_id.between(batch.c.lo, batch.c.hi)
        )
        free = sa.or_(batch.c.lease_until.is_(None), batch.c.lease_until < database_now())
        near = (batch.c.edition_id == edition_id, batch.c.lo <= ids[-1], batch.c.hi >= ids[0])
        chosen = sa.select(batch.c.id).where(*near, free, theirs).order_by(batch.c.id).with_for_update()
        again = sa.case((REJECTED, DeliveryState.PENDING), else_=delivery.c.state)
        async with self._database.write() as connection:
            # batches before deliveries, as all lock them; one whose owner let the lease run out is taken from it
            taken = sa.update(batch).where(batch.c.id.in_(chosen)).values(next_at=now, lease=None, lease_until=None)
            spans = (await connection.execute(taken.returning(batch.c.lo, batch.c.hi))).all()
            mine = [one for one in ids if any(span.lo <= one <= span.hi for span in spans)]
            due = sa.update(delivery).where(*_among(edition_id, mine), which)
            return (await connection.execute(due.values(state=again, due_at=now, first_at=None))).rowcount

    async def settle(self, edition_id: int, now: dt.datetime) -> int:
        """Counts them as sent; their words say by whose decision, and keep what was known."""
        words = sa.case((delivery.c.words == "", SETTLED), else_=sa.literal(f"{SETTLED}: ") + delivery.c.words)
        changed = 0
        async for ids in self._walk(edition_id, HELD):
            query = sa.update(delivery).where(*_among(edition_id, ids), HELD)
            async with self._database.write() as connection:
                done = await connection.execute(query.values(state=DeliveryState.SENT, changed_at=now, words=words))
            changed += done.rowcount
        return changed

    async def _walk(self, edition_id: int, which: sa.ColumnElement[bool]) -> AsyncIterator[Sequence[int]]:
        """The subscriptions of some deliveries, in pages."""
        last = 0
        while True:
            query = sa.select(delivery.c.subscription_id).where(
                delivery.c.edition_id == edition_id, delivery.c.subscription_id > last, which
            )
            async with self._database.read() as connection:
                ids = (await connection.scalars(query.order_by(delivery.c.subscription_id).limit(AT_A_TIME))).all()
            if not ids:
                return
            yield ids
            last = ids[-1]


def _at(domain: str) -> sa.ColumnElement[bool]:
    """That a delivery is to an address of a domain; of any without one."""
    if not domain:
        return sa.true()
    theirs = sa.select(subscription.c.id).join(subscriber)
    return delivery.c.subscription_id.in_(
        theirs.where(subscriber.c.email_key.endswith(f"@{domain.lower()}", autoescape=True))
    )


def _among(edition_id: int, ids: Sequence[int]) -> tuple[sa.ColumnElement[bool], ...]:
    return delivery.c.edition_id == edition_id, delivery.c.subscription_id.in_(ids)
