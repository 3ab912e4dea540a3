"""The rows of the ledger for an edition: made in bulk, in small transactions, each once however many make them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.editions.model import Kind
from flows.storage.database import Database, Instant, one_row
from subscribers.ledger.forgetting import NOBODY
from subscribers.model import DeliveryState, Frequency, SubscriptionState
from subscribers.policy import due, frequencies
from subscribers.tables import batch, delivery, subscriber, subscription

ROWS = 5_000
"""Rows that are made in one transaction: others wait some milliseconds for it. Each may have a time of its own, which
takes five values, and a statement holds no more than 32,766 of them."""

Conditions = Sequence[sa.ColumnElement[bool]]


def readers_of(newsletter: str, kind: Kind, day: dt.date) -> Conditions:
    """Whose subscription an edition is for. A weekly one comes to its readers within seven days: a pause that ends
    until then is looked at again when it does."""
    last = day + dt.timedelta(days=7) if kind is Kind.WEEKLY else day
    theirs = subscriber.c.id == subscription.c.subscriber_id
    return (
        subscription.c.newsletter == newsletter,
        subscription.c.frequency.in_(frequencies(kind, day)),
        sa.or_(
            subscription.c.state == SubscriptionState.CONFIRMED,
            sa.and_(subscription.c.state == SubscriptionState.PAUSED, subscription.c.paused_until <= last),
        ),
        one_row(subscriber, theirs, subscriber.c.suppressed.is_not(None), of=[subscription]).is_(None),
    )


class NewRows:
    """An edition whose deliveries are being made."""

    def __init__(
        self, database: Database, edition_id: int, frozen_at: dt.datetime, readers: Conditions, zone: str = "UTC"
    ) -> None:
        """`zone` is the newsletter's, which counts for a reader whose own is not known."""
        self._database = database
        self._edition_id = edition_id
        self._frozen_at = frozen_at
        mine = (delivery.c.edition_id == edition_id, delivery.c.subscription_id == subscription.c.id)
        there = one_row(delivery, *mine, of=[subscription])
        # one whose deliveries have lost their names is over: nobody could tell any more who has got it
        over = sa.exists().where(delivery.c.edition_id == edition_id, delivery.c.subscription_id >= NOBODY)
        self._wanted = (*readers, there.is_(None), ~over)
        self._due = cache(partial(due, frozen_at, otherwise=zone))

    async def make_rows(self, size: int, *, at_once: bool) -> int:
        """Makes what is missing, in batches of `size`; returns how many rows it made."""
        made, last = 0, 0
        page = sa.select(subscription.c.id).where(subscription.c.id > sa.bindparam("last"), *self._wanted)
        page = page.order_by(subscription.c.id).limit(max(ROWS // size, 1) * size)
        while True:
            async with self._database.write() as connection:
                ids = (await connection.scalars(page, {"last": last})).all()
                if not ids:
                    return made
                span = (ids[0], ids[-1])
                due_at = sa.null() if at_once else await self._due_at(connection, span)
                fresh = await self._add(connection, span, due_at)
                if fresh:
                    await self._divide(connection, ids, size)
            made += fresh
            last = ids[-1]

    async def _due_at(self, connection: AsyncConnection, span: tuple[int, int]) -> sa.ColumnElement[Any]:
        """An SQL expression for when a subscription's mail is due: one case for each hour, zone and weekday that the
        span has, since those of all readers together could be more than a statement may bind."""
        hour, zone = subscription.c.hour, subscription.c.zone
        # who reads daily may have a weekday from before, which says nothing then
        weekday = sa.case((subscription.c.frequency == Frequency.WEEKLY, subscription.c.weekday), else_=sa.null())
        query = (
            sa.select(hour, zone, weekday.label("weekday"))
            .where(subscription.c.id.between(*span), *self._wanted)
            .where(sa.or_(hour.is_not(None), weekday.is_not(None)))
            .distinct()
        )
        cases = [
            (sa.and_(hour == clock.hour, zone == clock.zone, weekday == clock.weekday), sa.literal(moment, Instant))
            for clock in (await connection.execute(query)).all()
            if (moment := self._due(clock.hour, clock.zone, clock.weekday)) is not None
        ]
        return sa.case(*cases, else_=sa.null()) if cases else sa.null()

    async def _add(self, connection: AsyncConnection, span: tuple[int, int], due_at: sa.ColumnElement[Any]) -> int:
        rows = sa.select(
            sa.literal(self._edition_id),
            subscription.c.id,
            sa.literal(DeliveryState.PENDING.value),
            sa.literal(0),
            due_at,
            sa.literal(""),
        ).where(subscription.c.id.between(*span), *self._wanted)
        names = ["edition_id", "subscription_id", "state", "attempts", "due_at", "words"]
        # Another process may be making the same rows: on PostgreSQL it is waited for here.
        fresh = self._database.insert(delivery).from_select(names, rows).on_conflict_do_nothing()
        return (await connection.execute(fresh)).rowcount

    async def _divide(self, connection: AsyncConnection, ids: Sequence[int], size: int) -> None:
        firsts = range(0, len(ids), size)
        spans = [{"lo": ids[at], "hi": ids[min(at + size, len(ids)) - 1]} for at in firsts]
        made = sa.insert(batch).values(edition_id=self._edition_id, next_at=self._frozen_at)
        await connection.execute(made, spans)

    async def hurry(self) -> None:
        """Makes due what still waits for its hour."""
        mine = batch.c.edition_id == self._edition_id
        waits = (
            delivery.c.edition_id == self._edition_id,
            delivery.c.state == DeliveryState.PENDING,
            delivery.c.due_at.is_not(None),
        )
        async with self._database.write() as connection:
            # batches before deliveries, as a worker locks them that claims and records
            await connection.execute(
                sa.update(batch).where(mine, batch.c.next_at > self._frozen_at).values(next_at=self._frozen_at)
            )
            await connection.execute(sa.update(delivery).where(*waits).values(due_at=None))


BATCH_OF_A_CORRECTION = 500
REPLACED = "the corrected edition goes instead"
GOT_IT = (DeliveryState.SENT, DeliveryState.UNCERTAIN)
NOT_YET = (DeliveryState.PENDING, DeliveryState.DEFERRED)


async def correct_rows(
    database: Database, edition_id: int, correction_id: int, now: dt.datetime, *, whole: bool
) -> int:
    """Makes a row of the correction for each who got the edition, or may have; with the `whole` edition also for each
    who has not got it yet, and gets no other. Any number of times; returns how many are new."""
    made, last = 0, 0
    while True:
        async with database.write() as connection:
            mine = (delivery.c.edition_id == edition_id, delivery.c.subscription_id > last)
            states = (*GOT_IT, *NOT_YET) if whole else GOT_IT
            page = sa.select(delivery.c.subscription_id).where(
                *mine, delivery.c.state.in_(states), delivery.c.subscription_id < NOBODY
            )
            # locked, so that whoever marks one of them waits, and finds that it goes no more
            ids = (
                await connection.scalars(page.order_by(delivery.c.subscription_id).limit(ROWS).with_for_update())
            ).all()
            if not ids:
                return made
            these = (delivery.c.edition_id == edition_id, delivery.c.subscription_id.between(ids[0], ids[-1]))
            wanted = (*these, delivery.c.state.in_(states))
            rows = sa.select(
                sa.literal(correction_id),
                delivery.c.subscription_id,
                sa.literal(DeliveryState.PENDING.value),
                sa.literal(0),
                sa.literal(""),
            ).where(*wanted)
            names = ["edition_id", "subscription_id", "state", "attempts", "words"]
            fresh = database.insert(delivery).from_select(names, rows).on_conflict_do_nothing()
            number = (await connection.execute(fresh)).rowcount
            if whole:
                gone = {"state": DeliveryState.SKIPPED, "due_at": None, "changed_at": now, "words": REPLACED}
                await connection.execute(sa.update(delivery).where(*these, delivery.c.state.in_(NOT_YET)).values(gone))
                # who may have got it gets the correction, and not the wrong one once more
                doubtful = sa.update(delivery).where(*these, delivery.c.state == DeliveryState.UNCERTAIN)
                await connection.execute(doubtful.values(due_at=None))
            if number:
                spans = [
                    {"lo": ids[at], "hi": ids[min(at + BATCH_OF_A_CORRECTION, len(ids)) - 1]}
                    for at in range(0, len(ids), BATCH_OF_A_CORRECTION)
                ]
                await connection.execute(sa.insert(batch).values(edition_id=correction_id, next_at=now), spans)
            made += number
            last = ids[-1]
