"""A row is changed only as it was found: by the owner of its batch, of a reader who is as they were read."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace

import pytest
import sqlalchemy as sa

from flows.outcomes import Stage
from flows.storage.database import Database
from subscribers.ledger.ledger import FINAL_REPLY, Ledger
from subscribers.model import DeliveryState, SubscriptionState, Suppressed
from subscribers.people.store import Change, Subscribers
from subscribers.tables import delivery, subscriber, subscription
from tests.factories import HASHING_KEY
from tests.subscribers.ledger.test_ledger import (
    DEFERRED,
    NOW,
    REJECTED,
    claimed,
    expire,
    opened,
)


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
