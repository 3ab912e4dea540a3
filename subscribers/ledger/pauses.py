"""Newsletters that are paused since too much came back, until their operator lets them go on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from flows.storage.database import Database
from subscribers.ledger.bounce_rates import BounceRates
from subscribers.ledger.pause_bounds import LOOKED_AT, Bounds, exceeded
from subscribers.tables import pause


@dataclass(frozen=True, slots=True)
class Paused:
    reason: str
    at: dt.datetime
    fresh: bool = False
    """It has just been paused."""


class Pauses:
    def __init__(self, database: Database, rates: BounceRates) -> None:
        self._database, self._rates = database, rates

    async def paused(self, newsletter: str) -> Paused | None:
        """Why a newsletter is paused; None: it is not."""
        row = await self._row(newsletter)
        return None if row is None or row.ended_at is not None else Paused(row.reason, row.at)

    async def watch(self, newsletter: str, bounds: Bounds, now: dt.datetime) -> Paused | None:
        """Pauses a newsletter of whose mails too many came back; None: it goes on."""
        row = await self._row(newsletter)
        if row is not None and row.ended_at is None:
            return Paused(row.reason, row.at)
        since = max(now - LOOKED_AT, row.ended_at if row is not None else now - LOOKED_AT)
        rates = await self._rates.of_newsletter(newsletter, since, now)
        reason = exceeded(rates.offered, rates.complaints, rates.hard + rates.rejected, bounds)
        if not reason:
            return None
        values = {"reason": reason, "at": now, "ended_at": None}
        made = self._database.insert(pause).values(newsletter=newsletter, **values)
        # of several that find out at a time one tells
        changed = made.on_conflict_do_update(
            index_elements=[pause.c.newsletter], set_=values, where=pause.c.ended_at.is_not(None)
        )
        async with self._database.write() as connection:
            fresh = (await connection.execute(changed)).rowcount == 1
        return Paused(reason, now, fresh)

    async def resume(self, newsletter: str, now: dt.datetime) -> bool:
        """Lets a newsletter go on: what has come back until now counts no more. False: it was not paused."""
        mine = (pause.c.newsletter == newsletter, pause.c.ended_at.is_(None))
        async with self._database.write() as connection:
            return (await connection.execute(sa.update(pause).where(*mine).values(ended_at=now))).rowcount == 1

    async def _row(self, newsletter: str) -> sa.Row[tuple[str, str, dt.datetime, dt.datetime | None]] | None:
        async with self._database.read() as connection:
            return (await connection.execute(sa.select(pause).where(pause.c.newsletter == newsletter))).one_or_none()
