"""What a clock that was wrong for a while has written, put right: no delivery waits for a day that it made up."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from flows.storage.database import Database, database_now, milliseconds, one_row
from flows.storage.editions import edition
from subscribers.model import DeliveryState
from subscribers.tables import batch, bounce, delivery, outbox

SLACK = dt.timedelta(minutes=10)
"""Clocks of machines differ by so much, and nobody is to be told."""


async def ahead(database: Database, now: dt.datetime) -> dt.timedelta:
    """By how much our clock is ahead of the database's; negative where it is behind."""
    async with database.read() as connection:
        theirs: int = (await connection.execute(sa.select(database_now()))).scalar_one()
    return dt.timedelta(milliseconds=milliseconds(now) - theirs)


async def last_recorded(database: Database) -> dt.datetime | None:
    """The latest moment at which anything was done, by whatever clock it was done; None: nothing was yet. Each is found
    without reading a whole table."""
    last_letter = sa.select(outbox.c.created_at).order_by(outbox.c.id.desc()).limit(1)
    async with database.read() as connection:
        frozen = await connection.scalar(sa.select(sa.func.max(edition.c.changed_at)))
        came_back = await connection.scalar(sa.select(sa.func.max(bounce.c.at)))
        asked = await connection.scalar(last_letter)
    return max((one for one in (frozen, came_back, asked) if one is not None), default=None)


async def mend(database: Database, now: dt.datetime, longest: dt.timedelta) -> int:
    """Makes due now what was put off until later than any wait allows (`longest` is the longest one), and what waits
    for a reader's hour after an edition was frozen at a time that is still to come. Returns how many deliveries and
    letters."""
    limit = now + longest + SLACK
    mended = 0
    tried = delivery.c.state.in_([DeliveryState.DEFERRED, DeliveryState.UNCERTAIN])
    frozen_later = edition.c.changed_at > now + SLACK
    within = (
        delivery.c.edition_id == batch.c.edition_id,
        delivery.c.subscription_id.between(batch.c.lo, batch.c.hi),
        delivery.c.due_at > limit,
    )
    # asked of all at once: of a large edition thousands of batches wait for their readers' hours, as they should
    wrong = sa.or_(tried, sa.and_(frozen_later, delivery.c.state == DeliveryState.PENDING))
    late = (
        sa.select(batch.c.id, batch.c.edition_id, batch.c.lo, batch.c.hi, frozen_later.label("frozen_later"))
        .outerjoin(edition, edition.c.id == batch.c.edition_id)
        .where(batch.c.next_at > limit, one_row(delivery, *within, wrong, of=[batch, edition]).is_not(None))
    )
    async with database.read() as connection:
        batches = (await connection.execute(late)).all()
    for one in batches:
        theirs = (
            delivery.c.edition_id == one.edition_id,
            delivery.c.subscription_id.between(one.lo, one.hi),
            delivery.c.due_at > limit,
            sa.or_(tried, delivery.c.state == DeliveryState.PENDING) if one.frozen_later else tried,
        )
        async with database.write() as connection:
            # batches before deliveries, as a worker locks them that claims and records
            found = sa.exists().where(*theirs)
            await connection.execute(sa.update(batch).where(batch.c.id == one.id, found).values(next_at=now))
            mended += (await connection.execute(sa.update(delivery).where(*theirs).values(due_at=now))).rowcount
    async with database.write() as connection:
        put_off = outbox.c.state.in_([DeliveryState.DEFERRED, DeliveryState.UNCERTAIN])
        letters = sa.update(outbox).where(outbox.c.due_at > limit, put_off).values(due_at=now)
        mended += (await connection.execute(letters)).rowcount
    return mended
