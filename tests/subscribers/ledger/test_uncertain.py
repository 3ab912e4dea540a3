"""What nobody knows waits for the operator, who decides: again, or counted as sent."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from flows.storage.database import Database
from subscribers.ledger.ledger import Ledger
from subscribers.ledger.report import DeliveryReport
from subscribers.ledger.uncertain import AT_A_TIME, SETTLED, HeldDeliveries
from subscribers.model import DeliveryState, SubscriptionState
from subscribers.tables import batch, delivery
from tests.subscribers.everyone import NOW, people
from tests.subscribers.ledger.test_report import (
    DEFERRED,
    EDITION,
    LATER,
    REJECTED,
    SENT,
    UNCERTAIN,
    address,
    attempt,
    listed,
    open_ledger,
    subscribe,
)


async def test_what_is_uncertain_after_a_day_is_held_and_attempted_no_more(database: Database) -> None:
    await hold(database, 1)
    (one,) = await listed(database)
    assert (one.state, one.held, one.due_at) == (DeliveryState.UNCERTAIN, True, None)
    assert (await DeliveryReport(database).summary(EDITION)).held == 1
    assert await Ledger(database).claim(EDITION, LATER + dt.timedelta(days=9)) is None


async def test_what_is_held_is_sent_again_when_the_operator_says_so(database: Database) -> None:
    await hold(database, 1, 2)
    await subscribe(database, 3)
    await open_ledger(database)
    await attempt(database, {3: UNCERTAIN}, LATER)
    assert await HeldDeliveries(database).resend(EDITION, LATER) == 2
    assert (await DeliveryReport(database).summary(EDITION)).held == 0
    assert await Ledger(database).unfinished(LATER) == [EDITION]
    # it has another day: a server that says not now is asked again, and the doubt stays
    await attempt(database, {1: DEFERRED, 2: SENT}, LATER)
    first, second, third = await listed(database)
    assert (first.state, first.attempts, first.first_at) == (DeliveryState.UNCERTAIN, 6, LATER)
    assert first.due_at
    assert not first.held
    assert (second.state, second.attempts) == (DeliveryState.SENT, 6)
    assert (third.state, third.attempts) == (DeliveryState.UNCERTAIN, 1)
    assert await HeldDeliveries(database).resend(EDITION, LATER) == 0


async def test_who_has_left_is_not_mailed_again_by_a_decision_to_resend(database: Database) -> None:
    await hold(database, 1)
    found = await people(database).by_address(address(1), "daily")
    assert found
    await people(database).unsubscribe(found.id, LATER)
    await HeldDeliveries(database).resend(EDITION, LATER)
    ledger = Ledger(database)
    claim = await ledger.claim(EDITION, LATER)
    assert claim
    (item,) = await ledger.due(claim, LATER)
    assert item.subscription
    assert item.subscription.state is SubscriptionState.UNSUBSCRIBED


async def test_a_batch_that_a_sender_works_is_left_to_it(database: Database) -> None:
    await hold(database, 1, 2)
    async with database.write() as connection:
        await connection.execute(sa.update(batch).values(next_at=LATER))
    ledger = Ledger(database)
    claim = await ledger.claim(EDITION, LATER)
    assert claim
    assert await HeldDeliveries(database).resend(EDITION, LATER) == 0
    await ledger.release(claim, LATER)
    assert await HeldDeliveries(database).resend(EDITION, LATER) == 2
    assert await ledger.next_due(EDITION, LATER) == LATER


async def test_an_owner_that_lost_its_lease_gives_nothing_back_over_the_decision(database: Database) -> None:
    await hold(database, 1)
    async with database.write() as connection:
        await connection.execute(sa.update(batch).values(next_at=LATER))
    ledger = Ledger(database)
    slow = await ledger.claim(EDITION, LATER)
    assert slow
    async with database.write() as connection:
        await connection.execute(sa.update(batch).values(lease_until=0))
    assert await HeldDeliveries(database).resend(EDITION, LATER) == 1
    await ledger.release(slow, LATER + dt.timedelta(hours=1))
    assert await ledger.next_due(EDITION, LATER) == LATER


async def test_what_is_held_counts_as_sent_when_the_operator_says_so_and_says_by_whom(database: Database) -> None:
    await hold(database, 1, 2)
    await people(database).forget(address(2), LATER)
    await subscribe(database, 3)
    await open_ledger(database)
    await attempt(database, {3: UNCERTAIN}, LATER)
    later = LATER + dt.timedelta(hours=1)
    assert await HeldDeliveries(database).settle(EDITION, later) == 2
    first, second, third = await listed(database)
    assert (first.state, first.words, first.changed_at) == (DeliveryState.SENT, f"{SETTLED}: connection lost", later)
    assert (second.state, second.words) == (DeliveryState.SENT, SETTLED)
    assert (third.state, third.held) == (DeliveryState.UNCERTAIN, False)
    assert await HeldDeliveries(database).settle(EDITION, later) == 0


async def test_a_late_reply_does_not_speak_over_the_decision(database: Database) -> None:
    await subscribe(database, 1)
    await open_ledger(database)
    for hours in (0, 1, 4, 12):
        await attempt(database, {1: DEFERRED}, NOW + dt.timedelta(hours=hours))
    ledger = Ledger(database)
    claim = await ledger.claim(EDITION, LATER)
    assert claim
    (item,) = await ledger.due(claim, LATER)
    assert await ledger.mark(item, LATER)
    assert await ledger.record(item, UNCERTAIN, LATER)
    await HeldDeliveries(database).settle(EDITION, LATER)
    assert not await ledger.record(item, REJECTED, LATER)
    (one,) = await listed(database)
    assert one.state is DeliveryState.SENT


async def test_however_many_are_held_all_are_decided(database: Database) -> None:
    count = AT_A_TIME * 2 + 1
    await subscribe(database, *range(count))
    await open_ledger(database)
    async with database.write() as connection:
        await connection.execute(sa.update(delivery).values(state=DeliveryState.UNCERTAIN, due_at=None))
        await connection.execute(sa.update(batch).values(next_at=None))
    assert await HeldDeliveries(database).resend(EDITION, LATER) == count
    async with database.write() as connection:
        await connection.execute(sa.update(delivery).values(due_at=None))
    assert await HeldDeliveries(database).settle(EDITION, LATER) == count


async def hold(database: Database, *numbers: int) -> None:
    """Readers whose deliveries were tried for a day, and of whose last attempt nobody knows what came of it."""
    await subscribe(database, *numbers)
    await open_ledger(database)
    for hours in (0, 1, 4, 12):
        await attempt(database, dict.fromkeys(numbers, DEFERRED), NOW + dt.timedelta(hours=hours))
    await attempt(database, dict.fromkeys(numbers, UNCERTAIN), LATER)
