"""One reader's delivery, taken by itself for a welcome: once, and never from somebody who works it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from flows.editions.model import Kind
from flows.storage.database import Database, connect, migrate
from subscribers.ledger.ledger import FINAL_REPLY, Ledger
from subscribers.ledger.report import DeliveryReport
from subscribers.model import DeliveryState
from tests.subscribers.ledger.test_ledger import DAY, DEFERRED, NOW, SENT, expire, subscribe

ADA = 1


async def alone(database: Database) -> Ledger:
    """A ledger in which nobody has a row."""
    await subscribe(database, 1)
    return Ledger(database)


async def test_a_reader_without_a_row_gets_one_which_the_edition_does_not_make_again(database: Database) -> None:
    ledger = await alone(database)
    claim = await ledger.claim_one(1, ADA, NOW)
    assert claim is not None
    (item,) = await ledger.due(claim, NOW)
    assert await ledger.mark(item, NOW)
    assert await ledger.record(item, SENT, NOW)
    await ledger.release(claim, NOW)
    assert await ledger.open(1, "daily", Kind.DAILY, DAY, NOW, at_once=True) == 0
    assert await ledger.counts(1) == {DeliveryState.SENT: 1}
    assert await ledger.claim_one(1, ADA, NOW) is None


async def test_what_somebody_works_is_left_to_them_until_their_lease_is_over(database: Database) -> None:
    ledger = await alone(database)
    assert await ledger.claim_one(1, ADA, NOW) is not None
    assert await ledger.claim_one(1, ADA, NOW) is None
    until = await ledger.busy_until(1, ADA, NOW)
    assert until is not None
    assert NOW < until <= NOW + ledger.lease
    await expire(database)
    assert await ledger.busy_until(1, ADA, NOW) is None
    assert await ledger.claim_one(1, ADA, NOW) is not None


async def test_what_was_put_off_is_due_at_once_and_a_row_among_others_is_not_taken(database: Database) -> None:
    ledger = await alone(database)
    claim = await ledger.claim_one(1, ADA, NOW)
    assert claim is not None
    (item,) = await ledger.due(claim, NOW)
    assert await ledger.mark(item, NOW)
    assert await ledger.record(item, DEFERRED, NOW)
    await ledger.release(claim, NOW)
    again = await ledger.claim_one(1, ADA, NOW)
    assert again is not None
    assert len(await ledger.due(again, NOW)) == 1
    await subscribe(database, 3)
    assert await ledger.open(2, "daily", Kind.DAILY, DAY, NOW, at_once=False) == 3
    assert await ledger.claim_one(2, ADA, NOW) is None


@pytest.mark.parametrize("resend", [True, False])
async def test_what_was_marked_is_left_until_no_reply_can_come_any_more(database: Database, resend: bool) -> None:
    await subscribe(database, 1)
    ledger = Ledger(database, resend=resend)
    claim = await ledger.claim_one(1, ADA, NOW)
    assert claim is not None
    (item,) = await ledger.due(claim, NOW)
    assert await ledger.mark(item, NOW)
    await expire(database)
    soon, late = NOW + FINAL_REPLY - dt.timedelta(seconds=1), NOW + FINAL_REPLY + dt.timedelta(seconds=1)
    assert await ledger.claim_one(1, ADA, soon) is None
    assert await ledger.busy_until(1, ADA, soon) == NOW + FINAL_REPLY
    heir = await ledger.claim_one(1, ADA, late)
    assert heir is not None
    assert await ledger.counts(1) == {DeliveryState.UNCERTAIN: 1}
    assert len(await ledger.due(heir, late)) == resend


async def test_a_time_that_was_kept_as_a_text_is_made_one_that_can_be_read(tmp_path: Path) -> None:
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'paperround.db'}")
    await migrate(database, "0014")
    await subscribe(database, 1)
    ledger = Ledger(database)
    await ledger.open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False)
    async with database.write() as connection:
        await connection.exec_driver_sql("UPDATE delivery SET due_at = '2026-06-09 17:00:00.250000'")
    await migrate(database)
    (line,) = await DeliveryReport(database).page(1, size=9)
    assert line.due_at == NOW.replace(microsecond=250_000)
    await database.close()
