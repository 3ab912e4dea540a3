"""Subscriptions, looked up; and what all that changes them stands on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.storage.database import Database
from subscribers.model import Subscription
from subscribers.people.rows import DELIVERED, OF_SUBSCRIBER, read_subscription, read_with_previous, subscriptions
from subscribers.tables import subscriber, subscription
from subscribers.zones import known


class People:
    """Who is subscribed to what. `hashing_key` stands for the addresses that are never mailed again."""

    def __init__(self, database: Database, hashing_key: bytes) -> None:
        self._database = database
        self._key = hashing_key

    async def walk(self, newsletter: str | None = None, size: int = 1000) -> AsyncIterator[Subscription]:
        """All subscriptions in the order of their numbers, read in pages: memory does not grow with the list."""
        last = 0
        while True:
            query = subscriptions().where(subscription.c.id > last).order_by(subscription.c.id).limit(size)
            if newsletter is not None:
                query = query.where(subscription.c.newsletter == newsletter)
            async with self._database.read() as connection:
                rows = (await connection.execute(query)).all()
            for row in rows:
                yield read_subscription(row)
            if len(rows) < size:
                return
            last = rows[-1].id

    async def unknown_zones(self, newsletter: str) -> Mapping[str, int]:
        """The zones of a newsletter's readers that this machine does not know, and how many have each."""
        query = sa.select(subscription.c.zone, sa.func.count()).where(subscription.c.newsletter == newsletter)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.group_by(subscription.c.zone))).all()
        return {zone: count for zone, count in rows if not known(zone)}

    async def languages(self, newsletter: str) -> frozenset[str]:
        """Those that the readers of a newsletter have chosen."""
        mine = (subscription.c.newsletter == newsletter, subscription.c.state.in_(DELIVERED))
        query = sa.select(subscription.c.language).distinct().where(*mine, subscription.c.language != "")
        async with self._database.read() as connection:
            return frozenset(await connection.scalars(query))

    async def get(self, identity: int) -> Subscription | None:
        """A subscription with what it was before its last change."""
        async with self._database.read() as connection:
            return await _get(connection, identity)

    async def by_address(self, email: str, newsletter: str) -> Subscription | None:
        async with self._database.read() as connection:
            query = subscriptions().where(
                subscriber.c.email_key == email.lower(), subscription.c.newsletter == newsletter
            )
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else read_with_previous(row)


async def _get(connection: AsyncConnection, identity: int) -> Subscription | None:
    row = (await connection.execute(subscriptions().where(subscription.c.id == identity))).one_or_none()
    return None if row is None else read_with_previous(row)


async def locked(connection: AsyncConnection, identity: int) -> sa.Row[Any] | None:
    """A subscription's row with what is `OF_SUBSCRIBER`, which nobody else changes until the transaction ends."""
    query = sa.select(subscription, *OF_SUBSCRIBER).join(subscriber).where(subscription.c.id == identity)
    return (await connection.execute(query.with_for_update())).one_or_none()


async def updated(connection: AsyncConnection, identity: int, **values: Any) -> Subscription | None:
    """The subscription as it stands after a change in the same transaction."""
    await connection.execute(sa.update(subscription).where(subscription.c.id == identity).values(**values))
    return await _get(connection, identity)
