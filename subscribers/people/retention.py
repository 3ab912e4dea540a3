"""What is kept for a while only: those who have left become a hash, and old letters go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from subscribers.model import SubscriptionState
from subscribers.people.erasure import rows_of
from subscribers.people.lookup import People
from subscribers.tables import delivery, leaver, outbox, subscriber, subscription
from subscribers.tokens import keyed

_CHUNK = 200


class Retention(People):
    async def forget_leavers(self, before: dt.datetime, now: dt.datetime) -> int:
        """Erases the subscriptions of those who left before a moment, and their addresses where they have no other.
        What stays is a keyed hash, so that no old list brings them back. Returns how many."""
        forgotten = 0
        while found := await self._forget_some(before, now):
            forgotten += found
        return forgotten

    async def _forget_some(self, before: dt.datetime, now: dt.datetime) -> int:
        query = (
            sa.select(subscription.c.id, subscription.c.newsletter, subscriber.c.id.label("person"), subscriber.c.email)
            .join(subscriber)
            .where(subscription.c.state == SubscriptionState.UNSUBSCRIBED, subscription.c.left_at < before)
            .order_by(subscription.c.id)
            .limit(_CHUNK)
        )
        async with self._database.write() as connection:
            rows = (await connection.execute(query.with_for_update())).all()
            if not rows:
                return 0
            keys = {left_key(row.email, row.newsletter, self._key) for row in rows}
            kept = self._database.insert(leaver).on_conflict_do_nothing(index_elements=[leaver.c.address_key])
            await connection.execute(kept, [{"address_key": key, "at": now} for key in keys])
            # a mail server's answer may repeat the address
            for where in await rows_of(connection, [row.id for row in rows]):
                await connection.execute(sa.update(delivery).where(*where).values(words=""))
            await delete(connection, {row.id: row.person for row in rows})
            return len(rows)

    async def forget_letters(self, before: dt.datetime) -> int:
        """Forgets the letters that came to their end before a moment."""
        async with self._database.write() as connection:
            old = sa.delete(outbox).where(outbox.c.due_at.is_(None), outbox.c.changed_at < before)
            return (await connection.execute(old)).rowcount


async def delete(connection: AsyncConnection, subscriptions: Mapping[int, int]) -> None:
    """Deletes subscriptions, given with the numbers of their subscribers, and those of these who have no other."""
    await connection.execute(sa.delete(subscription).where(subscription.c.id.in_(list(subscriptions))))
    another = sa.exists().where(subscription.c.subscriber_id == subscriber.c.id)
    people = sorted(set(subscriptions.values()))
    await connection.execute(sa.delete(subscriber).where(subscriber.c.id.in_(people), ~another))


def left_key(email: str, newsletter: str, key: bytes) -> str:
    """What somebody who has left a newsletter is known by, without being kept."""
    return keyed("left", f"{newsletter}\0{email.lower()}", key)


async def leavers(connection: AsyncConnection, keys: Collection[str]) -> set[str]:
    """Which of these have left and been forgotten."""
    if not keys or await connection.scalar(sa.select(leaver.c.address_key).limit(1)) is None:
        return set()
    query = sa.select(leaver.c.address_key).where(leaver.c.address_key.in_(list(keys)))
    return set((await connection.scalars(query)).all())


async def forget_leaving(connection: AsyncConnection, keys: Collection[str]) -> None:
    """Who has come back has not left."""
    if keys:
        await connection.execute(sa.delete(leaver).where(leaver.c.address_key.in_(list(keys))))
