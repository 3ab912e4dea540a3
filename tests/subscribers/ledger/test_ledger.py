from __future__ import annotations

import asyncio
import datetime as dt
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from itertools import cycle, pairwise, product
from pathlib import Path
from zoneinfo import available_timezones

import asyncpg
import pytest
import sqlalchemy as sa

from flows.config.settings import Settings
from flows.context import open_context
from flows.editions.model import Kind
from flows.outcomes import Outcome, Stage, Verdict
from flows.storage.database import Database
from subscribers.ledger.create_rows import ROWS
from subscribers.ledger.ledger import BATCH, DOUBT, FINAL_REPLY, Ledger
from subscribers.ledger.model import Claim
from subscribers.model import DeliveryState, SubscriptionState, Suppressed
from subscribers.people.store import Change, Subscribers
from subscribers.tables import batch, delivery, subscriber, subscription
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


async def test_every_confirmed_reader_has_one_row_however_often_the_ledger_is_opened(database: Database) -> None:
    await subscribe(database, BATCH + 20)
    ledger = Ledger(database)
    assert await ledger.open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False) == BATCH + 20
    assert await ledger.open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False) == 0
    assert await ledger.counts(1) == {DeliveryState.PENDING: BATCH + 20}


async def test_readers_may_all_have_an_hour_of_their_own(database: Database) -> None:
    clocks = cycle(product(range(24), sorted(available_timezones())[:20]))
    changes = [
        Change(email=f"reader{n}@example.org", newsletter="daily", columns={"hour": hour, "zone": zone})
        for n, (hour, zone) in zip(range(ROWS + 20), clocks, strict=False)
    ]
    await Subscribers(database, HASHING_KEY).keep(changes, NOW)
    assert await Ledger(database).open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False) == ROWS + 20
    async with database.read() as connection:
        spans = (await connection.execute(sa.select(batch.c.lo, batch.c.hi).order_by(batch.c.lo))).all()
    assert [span.hi - span.lo + 1 for span in spans] == [BATCH] * (ROWS // BATCH) + [20]
    assert all(before.hi + 1 == after.lo for before, after in pairwise(spans))


async def test_who_subscribes_later_is_added_by_a_later_pass(database: Database) -> None:
    ledger = await opened(database, 2)
    await Subscribers(database, HASHING_KEY).keep(
        [Change(email="late@example.org", newsletter="daily", columns={})], NOW
    )
    assert await ledger.open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False) == 1
    assert sum((await ledger.counts(1)).values()) == 3


@pytest.mark.parametrize(
    "columns",
    [
        {"state": SubscriptionState.UNCONFIRMED},
        {"state": SubscriptionState.UNSUBSCRIBED},
        {"state": SubscriptionState.PAUSED},
        {"state": SubscriptionState.PAUSED, "paused_until": dt.date(2026, 6, 10)},
        {"frequency": "weekly"},
    ],
)
async def test_no_row_for_readers_the_edition_is_not_for(database: Database, columns: dict[str, object]) -> None:
    await opened(database, 0)
    await subscribe(database, 1, **columns)
    assert await Ledger(database).open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False) == 0


async def test_a_pause_that_is_over_and_a_weekdays_reader_on_a_weekday_get_the_edition(database: Database) -> None:
    await opened(database, 1, state=SubscriptionState.PAUSED, paused_until=dt.date(2026, 6, 9), frequency="weekdays")


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


async def test_an_edition_is_unfinished_as_long_as_something_of_it_is_due(database: Database) -> None:
    ledger = await opened(database, 1, hour=7, zone="Asia/Tokyo")
    await ledger.release(await claimed(ledger), NOW)
    assert await ledger.unfinished(NOW) == []
    later = NOW + dt.timedelta(hours=5)
    assert await ledger.unfinished(later) == [1]
    claim = await claimed(ledger, later)
    for item in await ledger.due(claim, later):
        assert await ledger.mark(item, later)
        await ledger.record(item, SENT, later)
    await ledger.release(claim, later)
    assert await ledger.unfinished(later) == []


async def test_at_once_disregards_the_hour_also_of_rows_that_are_there(database: Database) -> None:
    ledger = await opened(database, 1, hour=7, zone="Asia/Tokyo")
    await ledger.open(1, "daily", Kind.DAILY, DAY, NOW, at_once=True)
    assert len(await ledger.due(await claimed(ledger), NOW)) == 1


async def test_who_is_suppressed_after_the_batch_was_read_is_not_marked(database: Database) -> None:
    """Whoever suppresses them: the mark looks in its own transaction."""
    ledger = await opened(database, 1)
    claim = await claimed(ledger)
    (item,) = await ledger.due(claim, NOW)
    assert item.subscription is not None
    await Subscribers(database, HASHING_KEY).suppress(item.subscription.email, Suppressed.OPERATOR, NOW)
    assert not await ledger.mark(item, NOW)


async def test_who_unsubscribes_after_the_batch_was_read_is_not_marked(database: Database) -> None:
    ledger = await opened(database, 1)
    claim = await claimed(ledger)
    (item,) = await ledger.due(claim, NOW)
    await Subscribers(database, HASHING_KEY).unsubscribe(item.subscription_id, NOW)
    assert not await ledger.mark(item, NOW)
    (again,) = await ledger.due(claim, NOW)
    assert again.subscription is not None
    assert again.subscription.state is SubscriptionState.UNSUBSCRIBED


@pytest.mark.parametrize("what", ["suppressed", "other settings", "another address", "attempted meanwhile"])
async def test_a_reader_who_is_not_as_they_were_read_is_not_marked(database: Database, what: str) -> None:
    ledger = await opened(database, 1)
    claim = await claimed(ledger)
    (item,) = await ledger.due(claim, NOW)
    people = Subscribers(database, HASHING_KEY)
    async with database.write() as connection:
        match what:
            case "other settings":
                more = sa.update(subscription).values(revision=subscription.c.revision + 1)
                await connection.execute(more)
            case "another address":
                await connection.execute(sa.update(subscriber).values(email="new@example.org"))
            case "attempted meanwhile":
                await connection.execute(sa.update(delivery).values(attempts=1))
    if what == "suppressed":
        await people.suppress("reader0@example.org", Suppressed.COMPLAINT, NOW)
    assert not await ledger.mark(item, NOW)
    assert await ledger.counts(1) == {DeliveryState.PENDING: 1}


async def test_a_suppressed_reader_gets_no_row(database: Database) -> None:
    await subscribe(database, 3)
    await Subscribers(database, HASHING_KEY).suppress("reader1@example.org", Suppressed.COMPLAINT, NOW)
    assert await Ledger(database).open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False) == 2


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


async def test_an_erased_reader_keeps_a_row_without_a_person(database: Database) -> None:
    ledger = await opened(database, 1)
    async with database.write() as connection:
        await connection.execute(sa.delete(subscription))
    claim = await claimed(ledger)
    (item,) = await ledger.due(claim, NOW)
    assert item.subscription is None
    await ledger.skip(item, "erased", NOW)
    await ledger.release(claim, NOW)
    assert await ledger.counts(1) == {DeliveryState.SKIPPED: 1}


async def expire(database: Database) -> None:
    """The lease runs out."""
    async with database.write() as connection:
        await connection.execute(sa.update(batch).values(lease_until=0))


async def test_a_worker_that_lost_its_lease_marks_nothing(database: Database) -> None:
    ledger = await opened(database, 1)
    slow = await claimed(ledger)
    (item,) = await ledger.due(slow, NOW)
    await expire(database)
    heir = await claimed(ledger)
    assert not await ledger.mark(replace(item, claim=slow), NOW)
    assert not await ledger.skip(replace(item, claim=slow), "paused", NOW)
    assert not await ledger.renew(slow)
    await ledger.release(slow, NOW)
    assert await ledger.mark(replace(item, claim=heir), NOW)


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


async def test_what_comes_at_a_time_is_written_together_and_each_answer_goes_to_its_own(database: Database) -> None:
    ledger = await opened(database, 40)
    claim = await claimed(ledger)
    items = await ledger.due(claim, NOW)
    await Subscribers(database, HASHING_KEY).unsubscribe(items[3].subscription_id, NOW)
    marked = await asyncio.gather(*(ledger.mark(item, NOW) for item in items))
    assert [item for item, mark in zip(items, marked, strict=True) if not mark] == [items[3]]
    recorded = await asyncio.gather(*(ledger.record(item, SENT, NOW) for item in items))
    assert recorded == marked
    assert await ledger.counts(1) == {DeliveryState.SENT: 39, DeliveryState.PENDING: 1}


async def test_a_mark_that_nobody_waits_for_is_not_made_and_a_record_is(database: Database) -> None:
    """Nothing of a message has left before its mark is known; what a server has answered is written in any case."""
    ledger = await opened(database, 3)
    claim = await claimed(ledger)
    first, second, third = await ledger.due(claim, NOW)
    assert await ledger.mark(third, NOW)
    leaving = ledger.mark(first, NOW)
    staying = ledger.mark(second, NOW)
    answered = ledger.record(third, SENT, NOW)
    await asyncio.sleep(0)
    leaving.cancel()
    answered.cancel()
    assert await staying
    await ledger.settled()
    counts = {DeliveryState.PENDING: 1, DeliveryState.SENDING: 1, DeliveryState.SENT: 1}
    assert await ledger.counts(1) == counts
    await ledger.settled()
    assert await ledger.mark(first, NOW)


async def test_a_failure_to_write_is_told_to_whom_it_concerns_and_the_next_write_goes(database: Database) -> None:
    ledger = await opened(database, 2)
    claim = await claimed(ledger)
    first, second = await ledger.due(claim, NOW)
    assert await ledger.mark(first, NOW)
    with pytest.raises((asyncpg.DataError, UnicodeEncodeError)):
        await ledger.record(first, replace(SENT, text="\udce9"), NOW)
    assert await ledger.record(first, SENT, NOW)
    assert await ledger.mark(second, NOW)


async def test_two_who_open_the_ledger_at_a_time_make_each_row_once(database: Database) -> None:
    await subscribe(database, 300)
    ledgers = [Ledger(database, size=50) for _ in range(3)]
    made = await asyncio.gather(*(ledger.open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False) for ledger in ledgers))
    assert sum(made) == 300
    assert await ledgers[0].counts(1) == {DeliveryState.PENDING: 300}


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


async def test_who_was_erased_after_the_batch_was_read_is_not_marked(database: Database) -> None:
    ledger = await opened(database, 1)
    claim = await claimed(ledger)
    (item,) = await ledger.due(claim, NOW)
    async with database.write() as connection:
        await connection.execute(sa.delete(subscription))
    assert not await ledger.mark(item, NOW)


async def test_who_pauses_after_the_batch_was_read_is_not_marked(database: Database) -> None:
    ledger = await opened(database, 1)
    claim = await claimed(ledger)
    (item,) = await ledger.due(claim, NOW)
    paused = Change(email="reader0@example.org", newsletter="daily", columns={"state": SubscriptionState.PAUSED})
    await Subscribers(database, HASHING_KEY).keep([paused], NOW)
    assert not await ledger.mark(item, NOW)


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


async def test_a_late_outcome_does_not_speak_over_a_newer_attempt(database: Database) -> None:
    ledger = await opened(database, 1)
    slow, later = await claimed(ledger), NOW + FINAL_REPLY * 2
    (item,) = await ledger.due(slow, NOW)
    assert await ledger.mark(replace(item, claim=slow), NOW)
    await expire(database)
    heir = await claimed(ledger, later)
    (again,) = await ledger.due(heir, later)
    assert await ledger.mark(replace(again, claim=heir), later)
    assert not await ledger.record(replace(item, claim=slow), REJECTED, later)
    assert await ledger.counts(1) == {DeliveryState.SENDING: 1}


async def test_the_servers_words_are_counted_by_state(database: Database) -> None:
    ledger = await opened(database, 3)
    claim = await claimed(ledger)
    for item in await ledger.due(claim, NOW):
        assert await ledger.mark(item, NOW)
        await ledger.record(item, REJECTED, NOW)
    assert await ledger.reasons(1, DeliveryState.REJECTED) == {"no such user": 3}


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


def test_an_outcome_that_nobody_waits_for_is_written_before_the_process_ends(tmp_path: Path) -> None:
    """Also where the database is locked by another just then."""
    settings = Settings(_env_file=None, home_dir=tmp_path)

    async def send() -> None:
        async with open_context(settings) as context:
            ledger = context.ledger
            await subscribe(context.database, 1)
            await ledger.open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False)
            claim = await claimed(ledger)
            (item,) = await ledger.due(claim, NOW)
            assert await ledger.mark(item, NOW)
            other = sqlite3.connect(tmp_path / "paperround.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            asyncio.get_running_loop().call_later(0.3, other.close)
            ledger.record(item, SENT, NOW)

    async def look() -> Mapping[DeliveryState, int]:
        async with open_context(settings) as context:
            return await context.ledger.counts(1)

    asyncio.run(send())
    assert asyncio.run(look()) == {DeliveryState.SENT: 1}


async def test_a_late_answer_is_looked_at_in_time_also_where_the_uncertain_wait_for_the_operator(
    database: Database,
) -> None:
    """Its batch has been given back by another meanwhile, with nothing to do in it any more."""
    await opened(database, 1)
    ledger = Ledger(database, resend=False, lease=dt.timedelta(0))
    slow = await claimed(ledger)
    (item,) = await ledger.due(slow, NOW)
    assert await ledger.mark(item, NOW)
    later = NOW + FINAL_REPLY * 2
    await asyncio.sleep(0.01)
    heir = await claimed(ledger, later)
    assert await ledger.counts(1) == {DeliveryState.UNCERTAIN: 1}
    await ledger.release(heir, later)
    assert await ledger.next_due(1, later) is None

    assert await ledger.record(item, replace(DEFERRED, stage=Stage.CONTENT), later)
    due = await ledger.next_due(1, later)
    assert due is not None
    (again,) = await ledger.due(await claimed(ledger, due), due)
    assert await ledger.mark(again, due)
