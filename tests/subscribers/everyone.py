"""Subscribers to test with, and what their tables hold."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from flows.storage.database import Database, metadata
from subscribers.model import Letter, Subscription
from subscribers.people.store import SignUp, Subscribers
from subscribers.tables import outbox
from tests.factories import HASHING_KEY

NOW = dt.datetime(2026, 6, 9, 7, 30, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
ADA = "ada@example.org"


def people(database: Database) -> Subscribers:
    return Subscribers(database, HASHING_KEY)


def wish(email: str = ADA, newsletter: str = "daily", **given: Any) -> SignUp:
    made: dict[str, Any] = {"consent_version": "1", "consent_network": "a hash of it"}
    return SignUp(email=email, newsletter=newsletter, **(made | given))


async def asked(database: Database, email: str = ADA, now: dt.datetime = NOW, **given: Any) -> Subscription:
    """Somebody who has signed up and not confirmed."""
    await people(database).sign_up(wish(email, **given), now)
    found = await people(database).by_address(email, given.get("newsletter", "daily"))
    assert found is not None
    return found


async def reader(database: Database, email: str = ADA, now: dt.datetime = NOW, **given: Any) -> Subscription:
    """Somebody who has signed up and confirmed."""
    found = await people(database).confirm((await asked(database, email, now, **given)).id, now)
    assert found is not None
    return found


async def letters(database: Database) -> list[tuple[Letter, int]]:
    """What lies in the outbox: the letters and whose they are."""
    async with database.read() as connection:
        rows = await connection.execute(sa.select(outbox.c.kind, outbox.c.subscription_id).order_by(outbox.c.id))
        return [(Letter(row.kind), row.subscription_id) for row in rows]


async def everything_kept(database: Database) -> str:
    """All rows of all tables, as one text."""
    found = []
    async with database.read() as connection:
        for table in metadata.sorted_tables:
            found += [f"{table.name}: {dict(row)}" for row in (await connection.execute(sa.select(table))).mappings()]
    return "\n".join(found)
