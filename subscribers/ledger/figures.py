"""Figures for whoever watches over an installation: how deliveries, letters, lists and sources stand. They are counted
and name nobody. It only reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.storage.database import Database, Instant
from flows.storage.editions import collection, edition
from subscribers.bounces import AT_ONCE
from subscribers.model import DeliveryState
from subscribers.tables import bounce, delivery, outbox, pause, subscription

WEEK = dt.timedelta(days=7)
"""Editions and collections that were made within it are counted: all of a year would be read anew at each look."""
FROZEN = edition.c.state == "frozen"
LATELY = dt.timedelta(minutes=5)
"""Over which a rate is taken."""


class Figure(NamedTuple):
    """One number: what it is of, its labels, and the value."""

    name: str
    labels: Mapping[str, str]
    value: float


MEANINGS: Mapping[str, str] = {
    "deliveries": "Deliveries of the editions of the last seven days, by state",
    "sent_per_second": "Mails that the mail server took in the last five minutes, a second",
    "oldest_due_seconds": "How long the delivery that waits longest has been due; 0: none is",
    "letters_waiting": "Confirmations, links and other letters that are not sent yet",
    "oldest_letter_seconds": "How long the letter that waits longest has been due; 0: none is",
    "subscriptions": "Subscriptions by state",
    "bounces": "What came back of the editions of the last seven days, by kind, complaints among them",
    "newsletter_paused": "1 while a newsletter is paused since too much came back",
    "edition_age_seconds": "How long ago the newest edition was frozen",
    "source_failed": "Days of the last seven whose collection from a source failed",
    "source_age_seconds": "How long ago a source was last collected without a failure",
}


class Figures:
    """Reads them; each question looks at the editions of a week at most."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def now(self, now: dt.datetime) -> Sequence[Figure]:
        async with self._database.read() as connection:
            recent = (
                await connection.execute(
                    sa.select(edition.c.id, edition.c.newsletter, edition.c.kind, edition.c.changed_at)
                    .where(FROZEN, edition.c.changed_at >= now - WEEK)
                    .order_by(edition.c.changed_at)
                )
            ).all()
            found = await _deliveries(connection, recent, now)
            found += await _letters(connection, now)
            found += await _lists(connection)
            found += await _newest(connection, now)
            found += await _sources(connection, now)
        return found


async def _deliveries(connection: AsyncConnection, recent: Sequence[Any], now: dt.datetime) -> list[Figure]:
    found: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}

    def add(name: str, value: float, **labels: str) -> None:
        key = (name, tuple(labels.items()))
        found[key] = found.get(key, 0) + value

    for one in recent:
        states = sa.select(delivery.c.state, sa.func.count()).where(delivery.c.edition_id == one.id)
        for state, number in await connection.execute(states.group_by(delivery.c.state)):
            add("deliveries", number, newsletter=one.newsletter, kind=one.kind, state=state)
        lately = sa.select(sa.func.count()).where(
            delivery.c.edition_id == one.id,
            delivery.c.state == DeliveryState.SENT,
            delivery.c.changed_at >= now - LATELY,
        )
        sent = await connection.scalar(lately) or 0
        add("sent_per_second", sent / LATELY.total_seconds(), newsletter=one.newsletter)
        waiting = sa.select(
            sa.func.min(sa.func.coalesce(delivery.c.due_at, sa.literal(one.changed_at, Instant)))
        ).where(
            delivery.c.edition_id == one.id,
            delivery.c.state.in_((DeliveryState.PENDING, DeliveryState.DEFERRED)),
            sa.or_(delivery.c.due_at.is_(None), delivery.c.due_at <= now),
        )
        since = await connection.scalar(waiting)
        key = ("oldest_due_seconds", (("newsletter", one.newsletter),))
        found[key] = max(found.get(key, 0), _age(since, now))
        for kind, number in await connection.execute(
            sa.select(bounce.c.kind, sa.func.count())
            .where(bounce.c.edition_id == one.id, bounce.c.source != AT_ONCE)
            .group_by(bounce.c.kind)
        ):
            add("bounces", number, newsletter=one.newsletter, kind=kind)
    return [Figure(name, dict(labels), value) for (name, labels), value in found.items()]


async def _letters(connection: AsyncConnection, now: dt.datetime) -> list[Figure]:
    query = sa.select(sa.func.count(), sa.func.min(outbox.c.due_at)).where(outbox.c.due_at.is_not(None))
    waiting, oldest = (await connection.execute(query)).one()
    return [Figure("letters_waiting", {}, waiting), Figure("oldest_letter_seconds", {}, _age(oldest, now))]


async def _lists(connection: AsyncConnection) -> list[Figure]:
    query = sa.select(subscription.c.newsletter, subscription.c.state, sa.func.count())
    rows = await connection.execute(query.group_by(subscription.c.newsletter, subscription.c.state))
    found = [Figure("subscriptions", {"newsletter": name, "state": state}, number) for name, state, number in rows]
    paused = await connection.execute(sa.select(pause.c.newsletter, pause.c.ended_at))
    return found + [Figure("newsletter_paused", {"newsletter": name}, float(at is None)) for name, at in paused]


async def _newest(connection: AsyncConnection, now: dt.datetime) -> list[Figure]:
    query = sa.select(edition.c.newsletter, edition.c.kind, sa.func.max(edition.c.changed_at)).where(FROZEN)
    return [
        Figure("edition_age_seconds", {"newsletter": newsletter, "kind": kind}, _age(at, now))
        for newsletter, kind, at in await connection.execute(query.group_by(edition.c.newsletter, edition.c.kind))
    ]


async def _sources(connection: AsyncConnection, now: dt.datetime) -> list[Figure]:
    failed = sa.func.count().filter(collection.c.problem != "", collection.c.day >= (now - WEEK).date())
    well = sa.func.max(collection.c.collected_at).filter(collection.c.problem == "")
    rows = await connection.execute(sa.select(collection.c.source, failed, well).group_by(collection.c.source))
    found: list[Figure] = []
    for source, number, at in rows:
        found.append(Figure("source_failed", {"source": source}, number))
        if at is not None:
            found.append(Figure("source_age_seconds", {"source": source}, _age(at, now)))
    return found


def _age(since: dt.datetime | None, now: dt.datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
