"""Suppressions that end: of one address, or of many, such as where a mail server knew nobody for a while.

Whoever is freed starts anew: what has come back of their mail until now counts no more. What speaks against an address
besides, such as a blocked domain or another list, goes on speaking.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from subscribers.bounces import BounceState
from subscribers.model import DeliveryState, Suppressed
from subscribers.people.lookup import People
from subscribers.people.rows import address_key, address_keys
from subscribers.people.rows import suppressed as why_suppressed
from subscribers.tables import bounce, delivery, subscriber, subscription, suppression

BY_SERVERS = (Suppressed.HARD_BOUNCE, Suppressed.SOFT_BOUNCES, Suppressed.REFUSED)
"""What mail servers said: who complained, had everything erased or was suppressed by the operator is another matter."""
PAGE = 1000
"""People that are looked at in one transaction: others write meanwhile."""


class Lifting(People):
    async def lift(self, email: str, now: dt.datetime) -> bool:
        """Allows an address to be mailed again. False: it was allowed. One whose domain is blocked stays so."""
        async with self._database.write() as connection:
            keys = suppression.c.address_key.in_(address_keys(email, self._key))
            lifted = await connection.execute(sa.delete(suppression).where(keys))
            query = sa.select(subscriber.c.id).where(subscriber.c.email_key == email.lower())
            person = await connection.scalar(query.with_for_update())
            if person is not None:
                await free(connection, {person: await why_suppressed(connection, email, self._key)}, now)
            return lifted.rowcount > 0

    async def lift_all(
        self,
        reason: Suppressed,
        now: dt.datetime,
        *,
        at: str = "",
        since: dt.datetime | None = None,
        check: bool = False,
    ) -> int:
        """Allows all that were suppressed for a reason, at a domain and since a time where these are given; returns how
        many. With `check` they are counted alone. Those are meant whose address we still know: what had itself erased
        comes back by itself."""
        there = subscriber.c.email_key.endswith(f"@{at.lower()}", autoescape=True) if at else sa.true()
        when = suppression.c.at >= since if since is not None else sa.true()
        return await self._lift((reason,), there, when, now, check=check)

    async def lift_edition(self, edition_id: int, since: dt.datetime, now: dt.datetime) -> int:
        """Allows the readers to whom an edition was rejected, if they were suppressed since it was frozen; how many."""
        refused = sa.exists().where(
            subscription.c.subscriber_id == subscriber.c.id,
            delivery.c.edition_id == edition_id,
            delivery.c.subscription_id == subscription.c.id,
            delivery.c.state == DeliveryState.REJECTED,
        )
        return await self._lift(BY_SERVERS, refused, suppression.c.at >= since, now)

    async def lift_time(self, begin: dt.datetime, end: dt.datetime, now: dt.datetime) -> int:
        """Allows what mail servers suppressed in a stretch of time, also of addresses that are not subscribed; how
        many."""
        within = sa.and_(suppression.c.at >= begin, suppression.c.at < end)
        lifted = await self._lift(BY_SERVERS, sa.true(), within, now)
        async with self._database.write() as connection:
            rest = await connection.execute(sa.delete(suppression).where(within, suppression.c.reason.in_(BY_SERVERS)))
        return lifted + rest.rowcount

    async def _lift(
        self,
        reasons: Sequence[Suppressed],
        whom: sa.ColumnElement[bool],
        when: sa.ColumnElement[bool],
        now: dt.datetime,
        *,
        check: bool = False,
    ) -> int:
        """Those of some people that were made for these reasons and then, a page at a time; returns how many."""
        lifted, last = 0, 0
        query = sa.select(subscriber.c.id, subscriber.c.email).where(subscriber.c.suppressed.in_(reasons), whom)
        query = query.order_by(subscriber.c.id).limit(PAGE)
        while True:
            async with self._database.write() as connection:
                rows = (await connection.execute(query.where(subscriber.c.id > last))).all()
                if not rows:
                    return lifted
                last = rows[-1].id
                people = {address_key(row.email, self._key): row for row in rows}
                mine = (suppression.c.address_key.in_(people), suppression.c.reason.in_(reasons), when)
                keys = (await connection.scalars(sa.select(suppression.c.address_key).where(*mine))).all()
                lifted += len(keys)
                if not check:
                    await connection.execute(sa.delete(suppression).where(suppression.c.address_key.in_(keys)))
                    freed = [people[key] for key in keys]
                    still = {row.id: await why_suppressed(connection, row.email, self._key) for row in freed}
                    await free(connection, still, now)


async def free(connection: AsyncConnection, people: Mapping[int, Suppressed | None], now: dt.datetime) -> None:
    """Lets people be mailed again, but for what still speaks against each; what has come back of theirs is settled."""
    if not people:
        return
    for person, still in people.items():
        await connection.execute(
            sa.update(subscriber).where(subscriber.c.id == person).values(suppressed=still, freed_at=now)
        )
    theirs = sa.select(subscription.c.id).where(subscription.c.subscriber_id.in_(people))
    await connection.execute(
        sa.update(bounce).where(bounce.c.subscription_id.in_(theirs)).values(state=BounceState.SETTLED)
    )
