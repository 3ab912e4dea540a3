"""How an edition stands: what is due and when, how many deliveries are in each state, and why. It only reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from flows.storage.database import Database, Instant, database_now, milliseconds
from subscribers.model import FINAL, DeliveryState
from subscribers.tables import batch, delivery, subscriber, subscription


class Standing:
    """What the ledger knows of an edition."""

    _database: Database

    async def next_due(self, edition_id: int, now: dt.datetime) -> dt.datetime | None:
        """When the next delivery of an edition is due, or a lease on one ends; None: all are final."""
        # a lease ends by the database's clock, everything else is due by ours
        free = batch.c.lease_until - database_now() + milliseconds(now)
        next_at = sa.type_coerce(batch.c.next_at, sa.BigInteger)
        # greatest() and max() have other names on the two databases; a case is the same on both
        later = sa.case((free > next_at, free), else_=next_at)
        async with self._database.read() as connection:
            moment: dt.datetime | None = await connection.scalar(
                sa.select(sa.type_coerce(sa.func.min(later), Instant)).where(
                    batch.c.edition_id == edition_id, batch.c.next_at.is_not(None)
                )
            )
        return moment

    async def unfinished(self, now: dt.datetime) -> Sequence[int]:
        """The editions that have something due, in the order in which they were made."""
        query = sa.select(batch.c.edition_id).where(batch.c.next_at <= now).distinct().order_by(batch.c.edition_id)
        async with self._database.read() as connection:
            return (await connection.scalars(query)).all()

    async def due_batches(self, edition_id: int, now: dt.datetime) -> int:
        """How many batches of an edition have something due."""
        query = sa.select(sa.func.count()).where(batch.c.edition_id == edition_id, batch.c.next_at <= now)
        async with self._database.read() as connection:
            return await connection.scalar(query) or 0

    async def is_worked(self, edition_id: int) -> bool:
        """Whether somebody who lives, or died within the last lease, has claimed something of an edition."""
        claimed = batch.c.lease_until >= database_now()
        query = sa.select(sa.literal(1)).where(batch.c.edition_id == edition_id, claimed).limit(1)
        async with self._database.read() as connection:
            return await connection.scalar(query) is not None

    async def due_since(self, edition_id: int) -> dt.datetime | None:
        """Since when an edition has something due that nobody works; None: there is nothing."""
        free = sa.or_(batch.c.lease_until.is_(None), batch.c.lease_until < database_now())
        query = sa.select(sa.type_coerce(sa.func.min(batch.c.next_at), Instant))
        async with self._database.read() as connection:
            moment: dt.datetime | None = await connection.scalar(query.where(batch.c.edition_id == edition_id, free))
        return moment

    async def counts(self, edition_id: int) -> Mapping[DeliveryState, int]:
        """How many deliveries of an edition are in each state; their sum is the number of rows ever made for it."""
        async with self._database.read() as connection:
            rows = await connection.execute(
                sa.select(delivery.c.state, sa.func.count())
                .where(delivery.c.edition_id == edition_id)
                .group_by(delivery.c.state)
            )
            return {DeliveryState(state): count for state, count in rows.all()}

    async def waiting(self, edition_id: int, until: dt.datetime) -> int:
        """How many deliveries of an edition are due until then and have not left."""
        overdue = sa.or_(delivery.c.due_at <= until, delivery.c.due_at.is_(None))
        held = sa.and_(delivery.c.state == DeliveryState.UNCERTAIN, delivery.c.due_at.is_(None))
        states = (DeliveryState.PENDING, DeliveryState.DEFERRED, DeliveryState.UNCERTAIN)
        mine = (delivery.c.edition_id == edition_id, delivery.c.state.in_(states), overdue, ~held)
        async with self._database.read() as connection:
            return await connection.scalar(sa.select(sa.func.count()).where(*mine)) or 0

    async def reasons(self, edition_id: int, state: DeliveryState) -> Mapping[str, int]:
        """The last words of the deliveries in a state, and how often each was said; the twenty most frequent."""
        async with self._database.read() as connection:
            rows = await connection.execute(
                sa.select(delivery.c.words, sa.func.count())
                .where(delivery.c.edition_id == edition_id, delivery.c.state == state)
                .group_by(delivery.c.words)
                .order_by(sa.func.count().desc(), delivery.c.words)
                .limit(20)
            )
            return {row.words: row[1] for row in rows}

    async def any_sent(self, edition_id: int, domain: str = "") -> bool:
        """Whether the mail server has taken a message of an edition; one for a reader of this domain, if named, for
        which it may look at every delivery."""
        query = sa.select(sa.literal(1)).where(
            delivery.c.edition_id == edition_id, delivery.c.state == DeliveryState.SENT
        )
        if domain:
            readers = subscription.join(subscriber)
            query = query.join_from(delivery, readers, subscription.c.id == delivery.c.subscription_id)
            query = query.where(subscriber.c.email_key.endswith(f"@{domain}", autoescape=True))
        async with self._database.read() as connection:
            return await connection.scalar(query.limit(1)) is not None

    async def open_rows(self, edition_id: int, at_most: int) -> int:
        """How many deliveries of an edition are still to be attempted or answered; it counts no further than that."""
        held = sa.and_(delivery.c.state == DeliveryState.UNCERTAIN, delivery.c.due_at.is_(None))
        found = sa.select(sa.literal(1)).where(
            delivery.c.edition_id == edition_id, delivery.c.state.not_in(FINAL), ~held
        )
        async with self._database.read() as connection:
            return await connection.scalar(sa.select(sa.func.count()).select_from(found.limit(at_most).subquery())) or 0
