"""How many readers came and left: numbers, nobody's name."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from flows.storage.database import Database
from subscribers.tables import subscription


async def movements(database: Database, newsletter: str, since: dt.datetime, until: dt.datetime) -> tuple[int, int]:
    """How many confirmed a newsletter, and how many left it, from `since` on and before `until`."""

    def within(column: sa.Column[dt.datetime]) -> sa.ColumnElement[bool]:
        return sa.and_(column >= since, column < until)

    counts = [
        sa.func.count().filter(within(column)) for column in (subscription.c.confirmed_at, subscription.c.left_at)
    ]
    async with database.read() as connection:
        found = await connection.execute(sa.select(*counts).where(subscription.c.newsletter == newsletter))
        row: Any = found.one()
    return row[0], row[1]
