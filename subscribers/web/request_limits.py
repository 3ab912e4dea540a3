"""How often something may be done: counted in the database, so that it holds over all processes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from flows.storage.database import Database
from subscribers.tables import rate
from subscribers.tokens import keyed

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Count:
    """`who` may do `what` so often in each window of length `per`."""

    what: str
    who: str
    limit: int
    per: dt.timedelta

    def begins(self, now: dt.datetime) -> dt.datetime:
        """When the present window began."""
        return _EPOCH + (now - _EPOCH) // self.per * self.per


class _Full(Exception):  # noqa: N818
    """What was counted meanwhile is to be taken back."""


class Limits:
    """Counts in fixed windows. Whoever is counted is known by a keyed hash alone."""

    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self._key = key

    async def allow(self, what: str, who: str, limit: int, per: dt.timedelta, now: dt.datetime) -> bool:
        """Whether `who` may do `what` once more, `limit` times in each window of length `per`; counts it if so."""
        return await self.count([Count(what, who, limit, per)], now) is None

    async def count(self, counts: Sequence[Count], now: dt.datetime) -> dt.datetime | None:
        """Counts one more of each, and returns None; where one of them is full, none is counted, and it returns when
        the last of the full ones has room again.

        Around the end of a window it can be twice as often. What is refused is not written down: a flood costs a
        look at a few rows.
        """
        # in one order, so that two who count the same do not wait for each other
        keys = {self._bucket(one): one for one in counts}
        wanted = dict(sorted(keys.items()))
        known = sa.tuple_(rate.c.bucket, rate.c.window_at).in_([(key, one.begins(now)) for key, one in wanted.items()])
        async with self._database.read() as connection:
            rows = await connection.execute(sa.select(rate.c.bucket, rate.c.count.label("number")).where(known))
            counted = {row.bucket: row.number for row in rows}
        full = [one for key, one in wanted.items() if one.limit <= counted.get(key, 0)]
        if not full:
            full = await self._add(wanted, now)
        return max((one.begins(now) + one.per for one in full), default=None)

    async def _add(self, wanted: dict[str, Count], now: dt.datetime) -> list[Count]:
        """Counts all, or returns the first that is full."""
        try:
            async with self._database.write() as connection:
                for key, one in wanted.items():
                    row = self._database.insert(rate).values(bucket=key, window_at=one.begins(now), count=1)
                    once_more = row.on_conflict_do_update(
                        index_elements=[rate.c.bucket, rate.c.window_at],
                        set_={"count": rate.c.count + 1},
                        where=rate.c.count < one.limit,
                    )
                    added = await connection.execute(once_more.returning(rate.c.count))
                    if added.one_or_none() is None:
                        raise _Full(one)
        except _Full as error:
            return [error.args[0]]
        return []

    def _bucket(self, one: Count) -> str:
        # windows of different lengths may begin together
        per = "" if one.per == dt.timedelta(hours=1) else f"\0{one.per}"
        return keyed("rate", f"{one.what}\0{one.who}{per}", self._key)
