from __future__ import annotations

import sqlalchemy as sa

from flows.editions.model import Kind
from flows.outcomes import Outcome, Stage, Verdict
from flows.storage.database import Database
from subscribers.ledger.forgetting import lose_names
from subscribers.ledger.ledger import Ledger
from subscribers.ledger.report import DeliveryReport
from subscribers.people.store import Change
from subscribers.tables import delivery
from tests.subscribers.delivered import delivered
from tests.subscribers.everyone import DAY, NOW, people


async def _numbers(database: Database, edition_id: int) -> list[int]:
    async with database.read() as connection:
        query = sa.select(delivery.c.subscription_id).where(delivery.c.edition_id == edition_id)
        return sorted((await connection.scalars(query)).all())


async def test_an_old_edition_keeps_its_sums_and_no_name(database: Database) -> None:
    readers = [Change(email=f"reader{n}@example.org", newsletter="daily", columns={}) for n in range(12)]
    await people(database).keep(readers, NOW)
    await delivered(database, 1, NOW)
    await delivered(database, 2, NOW + 40 * DAY)
    before = await DeliveryReport(database).summary(1)
    assert await lose_names(database, (NOW + DAY).date()) == 1
    assert await lose_names(database, (NOW + DAY).date()) == 0
    assert (await DeliveryReport(database).summary(1)).counts == before.counts
    assert {one.email for one in await DeliveryReport(database).page(1)} == {""}
    assert "" not in {one.email for one in await DeliveryReport(database).page(2)}
    assert set(await _numbers(database, 1)).isdisjoint(await _numbers(database, 2))


async def test_an_old_edition_is_delivered_to_nobody_again(database: Database) -> None:
    await people(database).keep([Change(email="ada@example.org", newsletter="daily", columns={})], NOW)
    await delivered(database, 1, NOW)
    await lose_names(database, (NOW + DAY).date())
    ledger = Ledger(database)
    await ledger.open(1, "daily", Kind.DAILY, NOW.date(), NOW + DAY, at_once=True)
    assert await ledger.claim(1, NOW + DAY) is None
    assert sum((await ledger.counts(1)).values()) == 1


async def test_an_edition_that_is_still_being_delivered_keeps_its_names(database: Database) -> None:
    await people(database).keep([Change(email="ada@example.org", newsletter="daily", columns={})], NOW)
    put_off = Outcome(Verdict.DEFERRED, Stage.RCPT, 451)
    await delivered(database, 1, NOW, put_off)
    assert await lose_names(database, (NOW + DAY).date()) == 0
    assert {one.email for one in await DeliveryReport(database).page(1)} == {"ada@example.org"}
