"""How often something may be done: counted in the database, so that it holds over all processes."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from flows.storage.database import Database
from subscribers.tables import rate
from subscribers.tokens import keyed

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Limits:
    """Counts in fixed windows. Whoever is counted is known by a keyed hash alone."""

    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self._key = key

    async def allow(self, what: str, who: str, limit: int, per: dt.timedelta, now: dt.datetime) -> bool:
        """Whether `who` may do `what` once more, `limit` times in each window of length `per`; counts it if so.

        Around the end of a window it can be twice as often. What is refused is not written down: a flood costs a
        look at one row.
        """
        bucket = keyed("rate", f"{what}\0{who}", self._key)
        window_at = _EPOCH + (now - _EPOCH) // per * per
        mine = (rate.c.bucket == bucket, rate.c.window_at == window_at)
        async with self._database.read() as connection:
            counted = await connection.scalar(sa.select(rate.c.count).where(*mine))
        if limit <= (counted or 0):
            return False
        row = self._database.insert(rate).values(bucket=bucket, window_at=window_at, count=1)
        once_more = row.on_conflict_do_update(
            index_elements=[rate.c.bucket, rate.c.window_at],
            set_={"count": rate.c.count + 1},
            where=rate.c.count < limit,
        )
        async with self._database.write() as connection:
            return (await connection.execute(once_more.returning(rate.c.count))).one_or_none() is not None
