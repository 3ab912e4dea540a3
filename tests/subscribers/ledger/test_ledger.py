from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from itertools import pairwise

import pytest
import sqlalchemy as sa

from flows.editions.model import Kind
from flows.outcomes import Outcome, Stage, Verdict
from flows.storage.database import Database
from subscribers.ledger.ledger import DOUBT, FINAL_REPLY, Ledger
from subscribers.ledger.model import Claim
from subscribers.model import DeliveryState
from subscribers.people.store import Change, Subscribers
from subscribers.tables import batch, delivery, subscription
from tests.factories import HASHING_KEY

NOW = dt.datetime(2026, 6, 9, 17, 0, tzinfo=dt.UTC)
DAY = dt.date(2026, 6, 9)
SENT = Outcome(Verdict.SENT, Stage.CONTENT, 250, "2.0.0", "taken")
DEFERRED = Outcome(Verdict.DEFERRED, Stage.RCPT, 451, "4.7.1", "greylisted")
REJECTED = Outcome(Verdict.REJECTED, Stage.RCPT, 550, "5.1.1", "no such user")
UNCERTAIN = Outcome(Verdict.UNCERTAIN, Stage.CONTENT, text="connection lost")
UNSENT = Outcome(Verdict.UNSENT, Stage.CONNECT, text="no connection")


async def subscribe(database: Database, number: int, **columns: object) -> None:
    changes = [Change(email=f"reader{n}@example.org", newsletter="daily", columns=dict(columns)) for n in range(number)]
    await Subscribers(database, HASHING_KEY).keep(changes, NOW)


async def opened(database: Database, number: int = 3, **columns: object) -> Ledger:
    await subscribe(database, number, **columns)
    ledger = Ledger(database)
    assert await ledger.open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False) == number
    return ledger


async def claimed(ledger: Ledger, now: dt.datetime = NOW) -> Claim:
    claim = await ledger.claim(1, now)
    assert claim is not None
    return claim


async def test_a_batch_is_claimed_by_one_worker(database: Database) -> None:
    ledger = await opened(database)
    await claimed(ledger)
    assert await ledger.claim(1, NOW) is None


async def test_a_delivery_is_marked_once(database: Database) -> None:
    """The mark is a compare-and-swap: a second worker with the same row in hand does not get it."""
    ledger = await opened(database, 1)
    claim = await claimed(ledger)
    (item,) = await ledger.due(claim, NOW)
    assert await ledger.mark(item, NOW)
    assert not await ledger.mark(item, NOW)


@pytest.mark.parametrize(
    ("outcome", "state", "retry"),
    [
        (SENT, DeliveryState.SENT, None),
        (REJECTED, DeliveryState.REJECTED, None),
        (DEFERRED, DeliveryState.DEFERRED, dt.timedelta(minutes=1)),
        (UNCERTAIN, DeliveryState.UNCERTAIN, dt.timedelta(minutes=1)),
        (UNSENT, DeliveryState.PENDING, dt.timedelta(0)),
    ],
)
async def test_an_outcome_is_recorded_and_says_what_follows(
    database: Database, outcome: Outcome, state: DeliveryState, retry: dt.timedelta | None
) -> None:
    ledger = await opened(database, 1)
    claim = await claimed(ledger)
    (item,) = await ledger.due(claim, NOW)
    assert await ledger.mark(item, NOW)
    await ledger.record(item, outcome, NOW)
    await ledger.release(claim, NOW)
    assert await ledger.counts(1) == {state: 1}
    assert await ledger.next_due(1, NOW) == (None if retry is None else NOW + retry)


async def test_what_was_sent_is_not_due_again(database: Database) -> None:
    ledger = await opened(database, 2)
    claim = await claimed(ledger)
    for item in await ledger.due(claim, NOW):
        assert await ledger.mark(item, NOW)
        await ledger.record(item, SENT, NOW)
    await ledger.release(claim, NOW)
    assert await ledger.claim(1, NOW + dt.timedelta(days=2)) is None
    assert await ledger.open(1, "daily", Kind.DAILY, DAY, NOW, at_once=True) == 0
    assert await ledger.claim(1, NOW + dt.timedelta(days=2)) is None


async def test_a_deferred_delivery_is_due_again_and_given_up_after_a_day(database: Database) -> None:
    ledger, now = await opened(database, 1), NOW
    attempts = 0
    while (due := await ledger.next_due(1, now)) is not None:
        now = max(due, now)
        claim = await claimed(ledger, now)
        for item in await ledger.due(claim, now):
            assert await ledger.mark(item, now)
            await ledger.record(item, DEFERRED, now)
            attempts += 1
        await ledger.release(claim, now)
    assert await ledger.counts(1) == {DeliveryState.REJECTED: 1}
    assert dt.timedelta(hours=20) < now - NOW <= dt.timedelta(hours=24)
    assert attempts > 10


async def test_a_reader_is_mailed_at_their_hour(database: Database) -> None:
    ledger = await opened(database, 1, hour=7, zone="Asia/Tokyo")
    claim = await ledger.claim(1, NOW)
    if claim is not None:
        assert await ledger.due(claim, NOW) == []
        await ledger.release(claim, NOW)
    assert await ledger.next_due(1, NOW) == dt.datetime(2026, 6, 9, 22, 0, tzinfo=dt.UTC)


async def test_what_is_put_off_is_due_then_and_otherwise_as_it_was(database: Database) -> None:
    ledger = await opened(database, 2)
    claim = await claimed(ledger)
    first, second = await ledger.due(claim, NOW)
    later = NOW + dt.timedelta(minutes=10)
    assert await ledger.put_off(first, later, NOW)
    assert [one.subscription_id for one in await ledger.due(claim, NOW)] == [second.subscription_id]
    await ledger.record(second, SENT, NOW, marked=False)
    await ledger.release(claim, NOW)
    assert await ledger.next_due(1, NOW) == later
    (again,) = await ledger.due(await claimed(ledger, later), later)
    assert (again.subscription_id, again.attempts, again.first_at) == (first.subscription_id, 0, None)


async def test_what_stopped_a_run_comes_last_in_the_next(database: Database) -> None:
    ledger = await opened(database, 3)
    claim = await claimed(ledger)
    first, *_ = await ledger.due(claim, NOW)
    await ledger.record(first, replace(UNSENT, stage=Stage.RCPT, code=550), NOW, marked=False)
    numbers = [one.subscription_id for one in await ledger.due(claim, NOW)]
    assert numbers[-1] == first.subscription_id
    assert await ledger.counts(1) == {DeliveryState.PENDING: 3}


async def expire(database: Database) -> None:
    """The lease runs out."""
    async with database.write() as connection:
        await connection.execute(sa.update(batch).values(lease_until=0))


async def test_a_lease_is_renewed_by_hand_and_by_every_mark(database: Database) -> None:
    ledger = await opened(database, 1)
    claim = await claimed(ledger)
    (item,) = await ledger.due(claim, NOW)
    await expire(database)
    assert await ledger.renew(claim)
    assert await ledger.claim(1, NOW) is None
    await expire(database)
    assert await ledger.mark(item, NOW)
    assert await ledger.claim(1, NOW) is None


async def test_who_claims_at_a_time_gets_batches_apart(database: Database) -> None:
    await subscribe(database, 40)
    ledger = Ledger(database, size=10)
    await ledger.open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False)
    claims = await asyncio.gather(*(ledger.claim(1, NOW) for _ in range(6)))
    spans = sorted((claim.lo, claim.hi) for claim in claims if claim)
    # one that waited for a batch which another took may find none, and comes again
    assert len(set(spans)) == len(spans) >= 1
    assert all(hi < lo for (_, hi), (lo, _) in pairwise(spans))


async def test_what_did_not_leave_was_no_attempt(database: Database) -> None:
    """A day without a mail server must not use up the day in which a delivery is tried again."""
    ledger = await opened(database, 1)
    tomorrow = NOW + dt.timedelta(hours=25)
    for now, outcome in ((NOW, UNSENT), (tomorrow, DEFERRED)):
        claim = await claimed(ledger, now)
        (item,) = await ledger.due(claim, now)
        assert (item.attempts, item.first_at) == (0, None)
        assert await ledger.mark(item, now)
        await ledger.record(item, outcome, now)
        await ledger.release(claim, now)
    assert await ledger.counts(1) == {DeliveryState.DEFERRED: 1}


async def test_what_a_dead_worker_left_in_sending_is_uncertain_only_when_no_reply_can_come_any_more(
    database: Database,
) -> None:
    ledger = await opened(database, 1)
    dead = await claimed(ledger)
    (item,) = await ledger.due(dead, NOW)
    assert await ledger.mark(replace(item, claim=dead), NOW)
    await expire(database)
    soon = NOW + dt.timedelta(minutes=2)
    heir = await claimed(ledger, soon)
    assert await ledger.due(heir, soon) == []
    await ledger.release(heir, soon)
    assert await ledger.next_due(1, NOW) == NOW + FINAL_REPLY
    later = NOW + FINAL_REPLY + dt.timedelta(seconds=1)
    heir = await claimed(ledger, later)
    (again,) = await ledger.due(heir, later)
    assert again.attempts == 1
    assert await ledger.counts(1) == {DeliveryState.UNCERTAIN: 1}


async def test_a_late_outcome_counts_on_a_row_that_was_held_for_uncertain(database: Database) -> None:
    ledger = await opened(database, 1)
    slow = await claimed(ledger)
    (item,) = await ledger.due(slow, NOW)
    assert await ledger.mark(replace(item, claim=slow), NOW)
    await expire(database)
    heir = await claimed(ledger, NOW + FINAL_REPLY * 2)
    assert await ledger.record(replace(item, claim=slow), SENT, NOW + FINAL_REPLY * 2)
    assert await ledger.counts(1) == {DeliveryState.SENT: 1}
    assert await ledger.due(heir, NOW + FINAL_REPLY * 2) == []


async def test_an_erased_readers_number_is_not_given_to_another(database: Database) -> None:
    """Links and the ledger name a subscription by its number: a new reader must not inherit an old one's."""
    await opened(database, 2)
    async with database.write() as connection:
        await connection.execute(sa.delete(subscription))
    await Subscribers(database, HASHING_KEY).keep(
        [Change(email="new@example.org", newsletter="daily", columns={})], NOW
    )
    async with database.read() as connection:
        new = await connection.scalar(sa.select(subscription.c.id))
        old = set(await connection.scalars(sa.select(delivery.c.subscription_id)))
    assert new not in old


@pytest.mark.parametrize("outcome", [DEFERRED, UNSENT, UNCERTAIN])
async def test_a_doubt_is_not_forgotten_with_the_next_attempt(database: Database, outcome: Outcome) -> None:
    """The server may have taken the first one: that it puts off the next does not tell whether it did."""
    ledger = await opened(database, 1)
    now = NOW
    for said in (UNCERTAIN, outcome):
        claim = await claimed(ledger, now)
        (item,) = await ledger.due(claim, now)
        assert await ledger.mark(item, now)
        await ledger.record(item, said, now)
        await ledger.release(claim, now)
        assert await ledger.counts(1) == {DeliveryState.UNCERTAIN: 1}
        assert await ledger.next_due(1, now) is not None
        now += dt.timedelta(minutes=10)


@pytest.mark.parametrize("marked", [True, False])
async def test_who_was_refused_after_a_doubt_is_said_to_have_it_perhaps(database: Database, marked: bool) -> None:
    ledger = await opened(database, 1)
    claim = await claimed(ledger)
    (item,) = await ledger.due(claim, NOW)
    assert await ledger.mark(item, NOW)
    await ledger.record(item, UNCERTAIN, NOW)
    await ledger.release(claim, NOW)
    later = NOW + dt.timedelta(minutes=10)
    claim = await claimed(ledger, later)
    (item,) = await ledger.due(claim, later)
    if marked:
        assert await ledger.mark(item, later)
    assert await ledger.record(item, REJECTED, later, marked=marked)
    assert list(await ledger.reasons(1, DeliveryState.REJECTED)) == [f"{DOUBT}: {REJECTED.text}"]


async def test_who_left_after_a_doubt_is_left_to_the_operator(database: Database) -> None:
    ledger = await opened(database, 1)
    claim = await claimed(ledger)
    (item,) = await ledger.due(claim, NOW)
    assert await ledger.mark(item, NOW)
    await ledger.record(item, UNCERTAIN, NOW)
    await ledger.release(claim, NOW)
    later = NOW + dt.timedelta(minutes=10)
    claim = await claimed(ledger, later)
    (item,) = await ledger.due(claim, later)
    assert await ledger.skip(item, "unsubscribed", later)
    await ledger.release(claim, later)
    assert await ledger.next_due(1, later) is None
    assert list(await ledger.reasons(1, DeliveryState.UNCERTAIN)) == [f"{DOUBT}: unsubscribed"]


async def test_a_doubt_that_outlives_all_attempts_is_left_to_the_operator(database: Database) -> None:
    ledger = await opened(database, 1)
    now = NOW
    for said in (UNCERTAIN, *[DEFERRED] * 30):
        claim = await claimed(ledger, now)
        (item,) = await ledger.due(claim, now)
        assert await ledger.mark(item, now)
        await ledger.record(item, said, now)
        await ledger.release(claim, now)
        waits = await ledger.next_due(1, now)
        if waits is None:
            break
        now = waits
    assert await ledger.next_due(1, now) is None
    assert await ledger.counts(1) == {DeliveryState.UNCERTAIN: 1}


async def test_what_is_taken_at_last_is_sent(database: Database) -> None:
    ledger = await opened(database, 1)
    now = NOW
    for said in (UNCERTAIN, DEFERRED, SENT):
        claim = await claimed(ledger, now)
        (item,) = await ledger.due(claim, now)
        assert await ledger.mark(item, now)
        await ledger.record(item, said, now)
        await ledger.release(claim, now)
        now += dt.timedelta(minutes=10)
    assert await ledger.counts(1) == {DeliveryState.SENT: 1}


async def test_what_is_tried_again_comes_last_and_in_another_order_each_time(database: Database) -> None:
    """A server that takes so many a second would else put off the same readers for ever."""
    ledger = await opened(database, 8)
    now, orders = NOW, []
    for _ in range(4):
        claim = await claimed(ledger, now)
        items = await ledger.due(claim, now)
        orders.append([item.subscription_id for item in items])
        assert [item.attempts > 0 for item in items] == sorted(item.attempts > 0 for item in items)
        for item in items[:6]:
            assert await ledger.mark(item, now)
            await ledger.record(item, DEFERRED, now)
        await ledger.release(claim, now)
        now += dt.timedelta(hours=2)
    assert orders[0] == sorted(orders[0])
    assert all(sorted(order) == orders[0] for order in orders)
    assert len({tuple(order) for order in orders}) == len(orders)
