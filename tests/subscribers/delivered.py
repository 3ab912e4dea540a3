"""An edition in the ledger whose deliveries are at their end."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from flows.editions.model import Kind
from flows.outcomes import Outcome, Stage, Verdict
from flows.storage.database import Database
from flows.storage.editions import edition
from subscribers.ledger.ledger import Ledger

SENT = Outcome(Verdict.SENT, Stage.CONTENT, 250)


async def delivered(
    database: Database, edition_id: int, at: dt.datetime, outcome: Outcome = SENT, *, at_once: bool = True
) -> None:
    """An edition that has been delivered to all its readers, with this outcome."""
    async with database.write() as connection:
        await connection.execute(
            sa.insert(edition).values(
                id=edition_id, newsletter="daily", kind=Kind.DAILY, day=at.date(), state="frozen", number=edition_id,
                document="{}", reason="", changed_at=at,
            )
        )  # fmt: skip
    ledger = Ledger(database)
    await ledger.open(edition_id, "daily", Kind.DAILY, at.date(), at, at_once=at_once)
    while (claim := await ledger.claim(edition_id, at)) is not None:
        for item in await ledger.due(claim, at):
            assert await ledger.mark(item, at)
            assert await ledger.record(item, outcome, at)
        await ledger.release(claim, at)
    await ledger.settled()
