"""Suppressions that end for many at a time: for those who are meant, and as if each had been lifted alone."""

from __future__ import annotations

import sqlalchemy as sa

from flows.outcomes import Outcome, Stage, Verdict
from flows.storage.database import Database
from subscribers.bounces import BounceState, ReportedMail
from subscribers.ledger.came_back import CameBack
from subscribers.ledger.whose_delivery import LETTER
from subscribers.model import Suppressed
from subscribers.people.rows import BLOCKED
from subscribers.people.store import Change
from subscribers.tables import bounce, subscriber
from tests.factories import HASHING_KEY
from tests.subscribers.delivered import delivered
from tests.subscribers.everyone import ADA, DAY, HOUR, NOW, people

BEN, CLEO = "ben@example.org", "cleo@blocked.example"


async def suppressed(database: Database) -> dict[str, str | None]:
    async with database.read() as connection:
        rows = await connection.execute(sa.select(subscriber.c.email, subscriber.c.suppressed))
        return {row.email: row.suppressed for row in rows}


async def listed(database: Database, *addresses: str) -> None:
    await people(database).keep([Change(email=one, newsletter="daily", columns={}) for one in addresses], NOW)


async def test_of_a_time_those_of_servers_alone_are_lifted(database: Database) -> None:
    await listed(database, ADA, BEN, CLEO)
    store = people(database)
    await store.suppress(ADA, Suppressed.HARD_BOUNCE, NOW)
    await store.suppress("stranger@example.org", Suppressed.REFUSED, NOW)
    await store.suppress(BEN, Suppressed.COMPLAINT, NOW)
    await store.suppress(CLEO, Suppressed.HARD_BOUNCE, NOW + DAY)
    assert await store.lift_time(NOW, NOW + DAY, NOW + DAY) == 2
    assert await suppressed(database) == {ADA: None, BEN: Suppressed.COMPLAINT, CLEO: Suppressed.HARD_BOUNCE}
    assert await store.lift_time(NOW, NOW + DAY, NOW + DAY) == 0


async def test_what_speaks_against_an_address_besides_goes_on_speaking(database: Database) -> None:
    await listed(database, ADA, CLEO)
    store = people(database)
    for address in (ADA, CLEO):
        await store.suppress(address, Suppressed.HARD_BOUNCE, NOW)
    await store.rule("blocked.example", BLOCKED, NOW)
    assert await store.lift_time(NOW, NOW + DAY, NOW + HOUR) == 2
    assert await suppressed(database) == {ADA: None, CLEO: Suppressed.BLOCKED}


async def test_who_is_freed_starts_anew(database: Database) -> None:
    """What had come back of their mail counts no more, as where one address is lifted."""
    await listed(database, ADA)
    store = people(database)
    found = await store.by_address(ADA, "daily")
    assert found is not None
    said = ReportedMail(subscription_id=found.id, edition_id=LETTER, words="over quota")
    await CameBack(database, HASHING_KEY).record([said], NOW)
    await store.suppress(ADA, Suppressed.REFUSED, NOW)
    assert await store.lift_time(NOW, NOW + DAY, NOW + HOUR) == 1
    async with database.read() as connection:
        assert await connection.scalar(sa.select(bounce.c.state)) == BounceState.SETTLED
        assert await connection.scalar(sa.select(subscriber.c.freed_at)) == NOW + HOUR


async def test_of_an_edition_those_are_lifted_to_whom_it_was_rejected_since(database: Database) -> None:
    await listed(database, ADA)
    store = people(database)
    await delivered(database, 1, NOW, Outcome(Verdict.REJECTED, Stage.RCPT, 550, "5.7.1"))
    await listed(database, BEN)
    for address in (ADA, BEN):
        await store.suppress(address, Suppressed.REFUSED, NOW)
    assert await store.lift_edition(1, NOW + HOUR, NOW + HOUR) == 0
    assert await store.lift_edition(1, NOW, NOW + HOUR) == 1
    assert await suppressed(database) == {ADA: None, BEN: Suppressed.REFUSED}


async def test_counting_before_changes_nothing(database: Database) -> None:
    await listed(database, ADA, CLEO)
    store = people(database)
    for address in (ADA, CLEO):
        await store.suppress(address, Suppressed.HARD_BOUNCE, NOW)
    assert await store.lift_all(Suppressed.HARD_BOUNCE, NOW + HOUR, check=True) == 2
    assert await store.lift_all(Suppressed.HARD_BOUNCE, NOW + HOUR, at="blocked.example") == 1
    assert await store.lift_all(Suppressed.HARD_BOUNCE, NOW + HOUR, since=NOW + HOUR) == 0
    assert await suppressed(database) == {ADA: Suppressed.HARD_BOUNCE, CLEO: None}


async def test_suppressions_are_lifted_in_bulk_by_reason_domain_and_day(database: Database) -> None:
    store = people(database)
    await listed(database, ADA, BEN, CLEO)
    await store.suppress(ADA, Suppressed.HARD_BOUNCE, NOW - 5 * DAY)
    await store.suppress(BEN, Suppressed.HARD_BOUNCE, NOW)
    await store.suppress(CLEO, Suppressed.COMPLAINT, NOW)
    assert await store.lift_all(Suppressed.HARD_BOUNCE, NOW, at="blocked.example") == 0
    assert await store.lift_all(Suppressed.HARD_BOUNCE, NOW, at="example.org", since=NOW - DAY) == 1
    assert await suppressed(database) == {ADA: Suppressed.HARD_BOUNCE, BEN: None, CLEO: Suppressed.COMPLAINT}
    assert await store.lift_all(Suppressed.HARD_BOUNCE, NOW) == 1
    assert await suppressed(database) == {ADA: None, BEN: None, CLEO: Suppressed.COMPLAINT}
