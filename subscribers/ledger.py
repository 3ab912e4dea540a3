"""The ledger: a row for every delivery, the only judge of who was mailed; and the only SQL about it.

A delivery is claimed with the batch that it lies in, marked as *sending* before the first byte of its message leaves,
and its outcome is recorded in a step of its own. The mark is a compare-and-swap: that, not the lease, keeps a
reader from being mailed twice. Every later update names the lease's token and counts its rows.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.database import Database, Instant, database_now, metadata, milliseconds
from flows.editions.model import Kind
from flows.outcomes import Outcome
from subscribers.model import FINAL, DeliveryState, Subscription, SubscriptionState
from subscribers.policy import Follows, due, follow, frequencies
from subscribers.store import read_subscription, subscriber, subscription

BATCH = 500
"""Readers in a batch: the unit that is claimed."""
LEASE = dt.timedelta(seconds=60)
"""How long a worker owns a batch without a sign of life; every mark renews it."""
FINAL_REPLY = dt.timedelta(minutes=10)
"""How long the reply to a message may take (RFC 5321 section 4.5.3.2.6): until then *sending* is not yet uncertain."""

delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("edition_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("subscription_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at", Instant, comment="not before; null: at once"),
    sa.Column("first_at", Instant, comment="when its first attempt began"),
    sa.Column("changed_at", Instant),
    sa.Column("lease", sa.String(22), comment="the token under which it was last marked"),
    sa.Column("code", sa.Integer, comment="the server's last reply, or null"),
    sa.Column("words", sa.Text, nullable=False, comment="the server's last words, or why it was skipped"),
    # No index on state: without one PostgreSQL updates a row in place; the migration leaves its pages the room.
    sqlite_with_rowid=False,
)
batch = sa.Table(
    "batch",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("edition_id", sa.Integer, nullable=False, index=True),
    sa.Column("lo", sa.Integer, nullable=False, comment="the first subscription"),
    sa.Column("hi", sa.Integer, nullable=False, comment="the last one"),
    sa.Column("next_at", Instant, comment="when its next delivery is due; null: all are final"),
    sa.Column("lease_until", sa.BigInteger, comment="milliseconds of the database's clock"),
    sa.Column("lease", sa.String(22)),
)


class LostLease(Exception):  # noqa: N818
    """Another worker has taken the batch over: whoever meets this leaves the batch alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A batch that this worker owns for now."""

    id: int
    edition_id: int
    lo: int
    hi: int
    lease: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A delivery to attempt. `subscription` is None where the person has been erased."""

    subscription_id: int
    attempts: int
    subscription: Subscription | None


class Ledger:
    """The deliveries of all editions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(
        self,
        edition_id: int,
        newsletter: str,
        kind: Kind,
        day: dt.date,
        frozen_at: dt.datetime,
        *,
        at_once: bool,
    ) -> int:
        """Makes the rows for every subscription that the edition is for and that has none yet; returns how many.

        Each is due at the reader's hour, or `at_once`, which also makes due what still waits for its hour.
        """
        wanted = (
            subscription.c.newsletter == newsletter,
            subscription.c.frequency.in_(frequencies(kind, day)),
            sa.or_(
                subscription.c.state == SubscriptionState.CONFIRMED,
                sa.and_(subscription.c.state == SubscriptionState.PAUSED, subscription.c.paused_until <= day),
            ),
            ~sa.exists().where(delivery.c.edition_id == edition_id, delivery.c.subscription_id == subscription.c.id),
        )
        due_at = await self._due_at(wanted, frozen_at, at_once=at_once)
        made, last = 0, 0
        while True:
            async with self._database.write() as connection:
                page = sa.select(subscription.c.id).where(subscription.c.id > last, *wanted)
                ids = (await connection.scalars(page.order_by(subscription.c.id).limit(BATCH))).all()
                if ids:
                    await self._add(connection, edition_id, (ids[0], ids[-1]), wanted, due_at, frozen_at)
            if not ids:
                break
            made, last = made + len(ids), ids[-1]
        if at_once:
            await self._hurry(edition_id, frozen_at)
        return made

    async def _due_at(
        self, wanted: tuple[sa.ColumnElement[bool], ...], frozen_at: dt.datetime, *, at_once: bool
    ) -> sa.ColumnElement[Any]:
        """An SQL expression for when a subscription's mail is due: one case for each hour and zone in use."""
        if at_once:
            return sa.null()
        async with self._database.read() as connection:
            query = sa.select(subscription.c.hour, subscription.c.zone).where(*wanted, subscription.c.hour.is_not(None))
            clocks = (await connection.execute(query.distinct())).all()
        cases = [
            (sa.and_(subscription.c.hour == hour, subscription.c.zone == zone), sa.literal(moment, Instant))
            for hour, zone in clocks
            if (moment := due(frozen_at, hour, zone)) is not None
        ]
        return sa.case(*cases, else_=sa.null()) if cases else sa.null()

    async def _add(
        self,
        connection: AsyncConnection,
        edition_id: int,
        span: tuple[int, int],
        wanted: tuple[sa.ColumnElement[bool], ...],
        due_at: sa.ColumnElement[Any],
        frozen_at: dt.datetime,
    ) -> None:
        rows = sa.select(
            sa.literal(edition_id),
            subscription.c.id,
            sa.literal(DeliveryState.PENDING.value),
            sa.literal(0),
            due_at,
            sa.literal(""),
        ).where(subscription.c.id.between(*span), *wanted)
        names = ["edition_id", "subscription_id", "state", "attempts", "due_at", "words"]
        await connection.execute(sa.insert(delivery).from_select(names, rows))
        await connection.execute(
            sa.insert(batch).values(edition_id=edition_id, lo=span[0], hi=span[1], next_at=frozen_at)
        )

    async def _hurry(self, edition_id: int, now: dt.datetime) -> None:
        async with self._database.write() as connection:
            await connection.execute(
                sa.update(delivery)
                .where(delivery.c.edition_id == edition_id, delivery.c.state == DeliveryState.PENDING)
                .values(due_at=None)
            )
            await connection.execute(
                sa.update(batch).where(batch.c.edition_id == edition_id, batch.c.next_at > now).values(next_at=now)
            )

    async def claim(self, edition_id: int, now: dt.datetime) -> Claim | None:
        """Takes a batch that has something due and that nobody owns; None if there is none at the moment."""
        free = sa.or_(batch.c.lease_until.is_(None), batch.c.lease_until < database_now())
        chosen = (
            sa.select(batch.c.id)
            .where(batch.c.edition_id == edition_id, batch.c.next_at <= now, free)
            .order_by(batch.c.next_at, batch.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        lease = secrets.token_urlsafe(16)
        taken = sa.update(batch).where(batch.c.id == chosen).values(lease=lease, lease_until=_until())
        async with self._database.write() as connection:
            row = (await connection.execute(taken.returning(batch.c.id, batch.c.lo, batch.c.hi))).one_or_none()
            if row is None:
                return None
            claim = Claim(id=row.id, edition_id=edition_id, lo=row.lo, hi=row.hi, lease=lease)
            await self._doubt(connection, claim, now)
        return claim

    async def _doubt(self, connection: AsyncConnection, claim: Claim, now: dt.datetime) -> None:
        """What a worker that died left as *sending* is uncertain once no reply can come any more."""
        await connection.execute(
            sa.update(delivery)
            .where(
                *_in(claim),
                delivery.c.state == DeliveryState.SENDING,
                delivery.c.changed_at < now - FINAL_REPLY,
            )
            .values(state=DeliveryState.UNCERTAIN, due_at=now, words="the courier stopped before the reply came")
        )

    async def due(self, claim: Claim, now: dt.datetime) -> Sequence[Due]:
        """What is due in a claimed batch, with each reader's subscription as it stands now."""
        query = (
            sa.select(delivery.c.subscription_id, delivery.c.attempts, subscription, subscriber.c.email)
            .select_from(delivery)
            .outerjoin(subscription, subscription.c.id == delivery.c.subscription_id)
            .outerjoin(subscriber, subscriber.c.id == subscription.c.subscriber_id)
            .where(
                *_in(claim),
                delivery.c.state.in_([DeliveryState.PENDING, DeliveryState.DEFERRED, DeliveryState.UNCERTAIN]),
                sa.or_(delivery.c.due_at.is_(None), delivery.c.due_at <= now),
                # an uncertain row that nothing is due for any more waits for the operator
                sa.or_(delivery.c.state != DeliveryState.UNCERTAIN, delivery.c.due_at.is_not(None)),
            )
            .order_by(delivery.c.subscription_id)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            Due(
                subscription_id=row.subscription_id,
                attempts=row.attempts,
                subscription=None if row.id is None else read_subscription(row),
            )
            for row in rows
        ]

    async def mark(self, claim: Claim, item: Due, now: dt.datetime) -> bool:
        """Marks a delivery as *sending*, before its message leaves, and renews the lease.

        False: leave it alone, since it was sent, or its reader unsubscribed, in the meantime. Raises LostLease.
        """
        # An unsubscription that was recorded after the batch was read counts.
        left = sa.exists().where(
            subscription.c.id == delivery.c.subscription_id,
            subscription.c.state == SubscriptionState.UNSUBSCRIBED,
        )
        swap = (
            sa.update(delivery)
            .where(
                delivery.c.edition_id == claim.edition_id,
                delivery.c.subscription_id == item.subscription_id,
                delivery.c.attempts == item.attempts,
                delivery.c.state.in_([DeliveryState.PENDING, DeliveryState.DEFERRED, DeliveryState.UNCERTAIN]),
                ~left,
            )
            .values(
                state=DeliveryState.SENDING,
                attempts=item.attempts + 1,
                first_at=sa.func.coalesce(delivery.c.first_at, sa.literal(now, Instant)),
                changed_at=now,
                lease=claim.lease,
            )
        )
        async with self._database.write() as connection:
            await self._renew(connection, claim)
            return (await connection.execute(swap)).rowcount == 1

    async def record(self, claim: Claim, item: Due, outcome: Outcome, now: dt.datetime) -> Follows:
        """Records what an attempt came to. A late outcome is accepted on a row that was held for uncertain."""
        mine = (
            delivery.c.edition_id == claim.edition_id,
            delivery.c.subscription_id == item.subscription_id,
            delivery.c.lease == claim.lease,
            delivery.c.state.in_([DeliveryState.SENDING, DeliveryState.UNCERTAIN]),
        )
        async with self._database.write() as connection:
            first = await connection.scalar(sa.select(delivery.c.first_at).where(*mine))
            follows = follow(outcome, item.attempts + 1, first or now, now)
            changed = await connection.execute(
                sa.update(delivery)
                .where(*mine)
                .values(
                    state=follows.state,
                    due_at=follows.retry_at,
                    # what did not leave was no attempt
                    attempts=item.attempts if follows.state is DeliveryState.PENDING else item.attempts + 1,
                    changed_at=now,
                    code=outcome.code,
                    words=outcome.text,
                )
            )
            if changed.rowcount != 1:
                raise LostLease(f"delivery {item.subscription_id} of edition {claim.edition_id}")
        return follows

    async def skip(self, claim: Claim, item: Due, reason: str, now: dt.datetime) -> None:
        """Ends a delivery without a mail, for a reason in words."""
        async with self._database.write() as connection:
            await self._renew(connection, claim)
            await connection.execute(
                sa.update(delivery)
                .where(
                    delivery.c.edition_id == claim.edition_id,
                    delivery.c.subscription_id == item.subscription_id,
                    delivery.c.attempts == item.attempts,
                    delivery.c.state.not_in([*FINAL, DeliveryState.SENDING]),
                )
                .values(state=DeliveryState.SKIPPED, due_at=None, changed_at=now, words=reason)
            )

    async def release(self, claim: Claim, now: dt.datetime) -> None:
        """Gives a batch back, with the time at which its next delivery is due."""
        answered = sa.type_coerce(delivery.c.changed_at, sa.BigInteger) + _span(FINAL_REPLY)
        due_at = sa.func.coalesce(sa.type_coerce(delivery.c.due_at, sa.BigInteger), milliseconds(now))
        waits = sa.case((delivery.c.state == DeliveryState.SENDING, answered), else_=due_at)
        held = sa.and_(delivery.c.state == DeliveryState.UNCERTAIN, delivery.c.due_at.is_(None))
        soonest = sa.select(sa.func.min(waits)).where(*_in(claim), delivery.c.state.not_in(FINAL), ~held)
        async with self._database.write() as connection:
            await connection.execute(
                sa.update(batch)
                .where(batch.c.id == claim.id, batch.c.lease == claim.lease)
                .values(next_at=soonest.scalar_subquery(), lease=None, lease_until=None)
            )

    async def next_due(self, edition_id: int) -> dt.datetime | None:
        """When the next delivery of an edition is due, or a lease on one ends; None: all are final."""
        # greatest() and max() have other names on the two databases; a case is the same on both
        lease = sa.type_coerce(batch.c.lease_until, Instant)
        later = sa.case((lease > batch.c.next_at, lease), else_=batch.c.next_at)
        async with self._database.read() as connection:
            moment: dt.datetime | None = await connection.scalar(
                sa.select(sa.type_coerce(sa.func.min(later), Instant)).where(
                    batch.c.edition_id == edition_id, batch.c.next_at.is_not(None)
                )
            )
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

    async def _renew(self, connection: AsyncConnection, claim: Claim) -> None:
        renewed = await connection.execute(
            sa.update(batch).where(batch.c.id == claim.id, batch.c.lease == claim.lease).values(lease_until=_until())
        )
        if renewed.rowcount != 1:
            raise LostLease(f"batch {claim.id} of edition {claim.edition_id}")


def _until() -> sa.ColumnElement[int]:
    return database_now() + _span(LEASE)


def _span(span: dt.timedelta) -> int:
    return round(span / dt.timedelta(milliseconds=1))


def _in(claim: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    return (delivery.c.edition_id == claim.edition_id, delivery.c.subscription_id.between(claim.lo, claim.hi))
