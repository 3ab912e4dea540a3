"""The only SQL about people and their subscriptions."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.database import Database
from flows.editions.model import Interests
from subscribers.model import Frequency, Subscription, SubscriptionState, Suppressed
from subscribers.tables import subscriber, subscription

MUTED = "-"
"""What a muted topic begins with among `topics`, in the database and in CSV."""
LISTS = ("topics", "keywords", "authors", "tags")


@dataclass(slots=True)
class Kept:
    """What became of a batch of subscriptions."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[str] = field(default_factory=list)
    """The addresses that had unsubscribed and were not brought back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to keep of one subscription: its key, and the columns that are given. The others stay as they are, or
    get their default where the subscription is new."""

    email: str
    newsletter: str
    columns: Mapping[str, Any]


def columns(given: Mapping[str, Any]) -> dict[str, Any]:
    """Columns as the database keeps them: lists as JSON, the rest unchanged."""
    return {
        name: json.dumps(list(value), ensure_ascii=False) if name in LISTS else value for name, value in given.items()
    }


_DEFAULTS = columns(
    {
        "state": SubscriptionState.CONFIRMED,
        "topics": (),
        "keywords": (),
        "authors": (),
        "size": None,
        "frequency": Frequency.DAILY,
        "hour": None,
        "zone": "UTC",
        "weekday": None,
        "tags": (),
        "paused_until": None,
        "consent_at": None,
        "consent_source": "",
    }
)


class Subscribers:
    """Who is subscribed to what."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, changes: Iterable[Change], now: dt.datetime, *, resubscribe: bool = False) -> Kept:
        """Adds or changes subscriptions in one transaction; the same changes again change nothing.

        Whoever has unsubscribed stays so unless `resubscribe`: an old list must not bring them back.
        """
        kept = Kept()
        latest = {(change.email.lower(), change.newsletter): change for change in changes}
        async with self._database.write() as connection:
            people = await self._people(connection, latest.values(), now)
            known = await self._known(connection, people.values())
            fresh = []
            for (key, newsletter), change in latest.items():
                wanted = columns(change.columns)
                row = known.get((people[key], newsletter))
                if row is None:
                    fresh.append(
                        {
                            **_DEFAULTS,
                            **wanted,
                            "subscriber_id": people[key],
                            "newsletter": newsletter,
                            "changed_at": now,
                        }
                    )
                    continue
                back = row["state"] == SubscriptionState.UNSUBSCRIBED != wanted.get("state", row["state"])
                if back and not resubscribe:
                    kept.refused.append(change.email)
                    continue
                if all(row[name] == value for name, value in wanted.items()):
                    kept.unchanged += 1
                    continue
                await connection.execute(
                    sa.update(subscription).where(subscription.c.id == row["id"]).values(**wanted, changed_at=now)
                )
                kept.changed += 1
            if fresh:
                await connection.execute(sa.insert(subscription), fresh)
                kept.added = len(fresh)
        return kept

    async def _people(self, connection: AsyncConnection, changes: Iterable[Change], now: dt.datetime) -> dict[str, int]:
        rows = {change.email.lower(): change.email for change in changes}
        if rows:
            await connection.execute(
                self._database.insert(subscriber).on_conflict_do_nothing(index_elements=[subscriber.c.email_key]),
                [{"email": email, "email_key": key, "created_at": now} for key, email in rows.items()],
            )
        found = await connection.execute(
            sa.select(subscriber.c.email_key, subscriber.c.id).where(subscriber.c.email_key.in_(list(rows)))
        )
        return {row.email_key: row.id for row in found}

    async def _known(self, connection: AsyncConnection, people: Iterable[int]) -> dict[tuple[int, str], dict[str, Any]]:
        rows = await connection.execute(sa.select(subscription).where(subscription.c.subscriber_id.in_(list(people))))
        return {(row.subscriber_id, row.newsletter): dict(row._mapping) for row in rows}

    async def walk(self, newsletter: str | None = None, size: int = 1000) -> AsyncIterator[Subscription]:
        """All subscriptions in the order of their numbers, read in pages: memory does not grow with the list."""
        last = 0
        while True:
            query = _subscriptions().where(subscription.c.id > last).order_by(subscription.c.id).limit(size)
            if newsletter is not None:
                query = query.where(subscription.c.newsletter == newsletter)
            async with self._database.read() as connection:
                rows = (await connection.execute(query)).all()
            for row in rows:
                yield read_subscription(row)
            if len(rows) < size:
                return
            last = rows[-1].id

    async def get(self, identity: int) -> Subscription | None:
        async with self._database.read() as connection:
            row = (await connection.execute(_subscriptions().where(subscription.c.id == identity))).one_or_none()
        return None if row is None else read_subscription(row)

    async def by_address(self, email: str, newsletter: str) -> Subscription | None:
        async with self._database.read() as connection:
            query = _subscriptions().where(
                subscriber.c.email_key == email.lower(), subscription.c.newsletter == newsletter
            )
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else read_subscription(row)

    async def unsubscribe(self, identity: int, now: dt.datetime) -> None:
        """Ends a subscription; doing it again changes nothing."""
        async with self._database.write() as connection:
            await connection.execute(
                sa.update(subscription)
                .where(subscription.c.id == identity, subscription.c.state != SubscriptionState.UNSUBSCRIBED)
                .values(state=SubscriptionState.UNSUBSCRIBED, changed_at=now)
            )


def _subscriptions() -> sa.Select[Any]:
    return sa.select(subscription, *OF_SUBSCRIBER).join(subscriber)


OF_SUBSCRIBER = (subscriber.c.email, subscriber.c.suppressed)
"""What `read_subscription` needs besides the columns of `subscription`."""


def read_subscription(row: sa.Row[Any]) -> Subscription:
    """A row of `subscription` with what is `OF_SUBSCRIBER`."""
    topics = json.loads(row.topics)
    return Subscription(
        id=row.id,
        email=row.email,
        newsletter=row.newsletter,
        state=SubscriptionState(row.state),
        interests=Interests(
            topics=frozenset(slug for slug in topics if not slug.startswith(MUTED)),
            muted=frozenset(slug.removeprefix(MUTED) for slug in topics if slug.startswith(MUTED)),
            keywords=tuple(json.loads(row.keywords)),
            authors=tuple(json.loads(row.authors)),
            size=row.size,
        ),
        frequency=Frequency(row.frequency),
        hour=row.hour,
        zone=row.zone,
        weekday=row.weekday,
        tags=tuple(json.loads(row.tags)),
        paused_until=row.paused_until,
        consent_at=row.consent_at,
        consent_source=row.consent_source,
        frequency_at=row.frequency_at,
        revision=row.revision,
        suppressed=Suppressed(row.suppressed) if row.suppressed else None,
    )
