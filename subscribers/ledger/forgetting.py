"""What an old edition's deliveries keep: how many there were in each state, and nobody's name."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from flows.storage.database import Database
from flows.storage.editions import edition
from subscribers.tables import batch, delivery

NOBODY = 2_000_000_000
"""From here on a subscription's number is nobody's: such a delivery has lost its name."""
_LAST = 2_147_483_647
"""The largest number that the column holds on PostgreSQL."""
_CHUNK = 5_000
"""Rows that change their names at a time: among so many each is lost, and others wait some milliseconds for it."""


async def lose_names(database: Database, before: dt.date) -> int:
    """Takes the names from the deliveries of all editions dated before a day that are at their end; their states, codes
    and times stay, in no order that would tell whose they were. Returns how many editions it were."""
    named = sa.exists().where(delivery.c.edition_id == edition.c.id, delivery.c.subscription_id < NOBODY)
    going_on = sa.exists().where(batch.c.edition_id == edition.c.id, batch.c.next_at.is_not(None))
    async with database.read() as connection:
        query = sa.select(edition.c.id).where(edition.c.day < before, named, ~going_on).order_by(edition.c.id)
        old = (await connection.scalars(query)).all()
    for identity in old:
        while await _lose_some(database, identity):
            pass
    return len(old)


async def _lose_some(database: Database, edition_id: int) -> bool:
    mine = delivery.c.edition_id == edition_id
    named = (mine, delivery.c.subscription_id < NOBODY)
    async with database.write() as connection:
        some = sa.select(delivery.c.subscription_id).where(*named).order_by(delivery.c.subscription_id).limit(_CHUNK)
        numbers = (await connection.scalars(some)).all()
        if not numbers:
            return False
        nameless = sa.select(sa.func.count()).where(mine, delivery.c.subscription_id >= NOBODY)
        first = _LAST - (await connection.execute(nameless)).scalar_one()
        these = (mine, delivery.c.subscription_id.between(numbers[0], numbers[-1]))
        in_no_order = sa.func.row_number().over(order_by=sa.func.random()) - 1
        given = {
            "edition_id": delivery.c.edition_id,
            "subscription_id": sa.literal(first) - in_no_order,
            **{name: delivery.c[name] for name in ("state", "attempts", "due_at", "first_at", "changed_at", "code")},
            "words": sa.literal(""),
        }
        copies = sa.select(*given.values()).where(*these)
        await connection.execute(sa.insert(delivery).from_select(list(given), copies))
        await connection.execute(sa.delete(delivery).where(*these))
        return True
