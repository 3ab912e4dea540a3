"""Lifts what one edition or one day suppressed: the remedy for a mail server that, for a while, knew nobody.

Only what mail servers said is lifted: who complained, had everything erased or was suppressed by the operator stays so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa

from flows.storage.database import Database
from subscribers.model import DeliveryState, Suppressed
from subscribers.people.rows import address_key
from subscribers.tables import delivery, subscriber, subscription, suppression

BY_SERVERS = (Suppressed.HARD_BOUNCE, Suppressed.REFUSED)
AT_A_TIME = 500
"""Addresses that are looked at in one transaction: others write meanwhile."""


class Lifting:
    """Suppressions, lifted many at a time. Each method returns how many it lifted."""

    def __init__(self, database: Database, hashing_key: bytes) -> None:
        self._database, self._key = database, hashing_key

    async def of_edition(self, edition_id: int, since: dt.datetime) -> int:
        """Those of readers to whom an edition was rejected, if they were suppressed since it was frozen."""
        refused = sa.exists().where(
            subscription.c.subscriber_id == subscriber.c.id,
            delivery.c.edition_id == edition_id,
            delivery.c.subscription_id == subscription.c.id,
            delivery.c.state == DeliveryState.REJECTED,
        )
        return await self._lift(suppression.c.at >= since, refused)

    async def of_day(self, begin: dt.datetime, end: dt.datetime) -> int:
        """Those of a stretch of time, also of addresses that are not subscribed."""
        within = sa.and_(suppression.c.at >= begin, suppression.c.at < end)
        lifted = await self._lift(within, sa.true())
        async with self._database.write() as connection:
            rest = await connection.execute(sa.delete(suppression).where(within, suppression.c.reason.in_(BY_SERVERS)))
        return lifted + rest.rowcount

    async def _lift(self, when: sa.ColumnElement[bool], whom: sa.ColumnElement[bool]) -> int:
        lifted = last = 0
        query = (
            sa.select(subscriber.c.id, subscriber.c.email)
            .where(subscriber.c.id > sa.bindparam("last"), subscriber.c.suppressed.in_(BY_SERVERS), whom)
            .order_by(subscriber.c.id)
            .limit(AT_A_TIME)
        )
        while True:
            async with self._database.write() as connection:
                rows = (await connection.execute(query, {"last": last})).all()
                if not rows:
                    return lifted
                keys = {address_key(row.email, self._key): row.id for row in rows}
                mine = (suppression.c.address_key.in_(keys), suppression.c.reason.in_(BY_SERVERS), when)
                gone: Sequence[str] = (
                    await connection.scalars(sa.delete(suppression).where(*mine).returning(suppression.c.address_key))
                ).all()
                theirs = subscriber.c.id.in_([keys[key] for key in gone])
                await connection.execute(sa.update(subscriber).where(theirs).values(suppressed=None))
            lifted += len(gone)
            last = rows[-1].id
