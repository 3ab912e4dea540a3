from __future__ import annotations

import asyncio
import datetime as dt

import pytest
import sqlalchemy as sa

from flows.outcomes import Outcome, Stage, Verdict
from flows.storage.database import Database
from subscribers.model import DeliveryState, Letter, SubscriptionState, Suppressed
from subscribers.people.outbox import LEASE, LIFE, UNSENT_AGAIN, Outbox, OutboxLetter, put
from subscribers.people.store import Change
from subscribers.policy import BACK_OFF, GIVE_UP
from subscribers.tables import outbox
from tests.subscribers.everyone import ADA, DAY, HOUR, NOW, asked, letters, people, reader

SENT = Outcome(Verdict.SENT, Stage.CONTENT, 250, "2.0.0", "taken")
DEFERRED = Outcome(Verdict.DEFERRED, Stage.RCPT, 451, "4.7.1", "greylisted")
REJECTED = Outcome(Verdict.REJECTED, Stage.RCPT, 550, "5.1.1", "no such user")
UNCERTAIN = Outcome(Verdict.UNCERTAIN, Stage.CONTENT, text="connection lost")
UNSENT = Outcome(Verdict.UNSENT, Stage.CONNECT, text="no connection")
GONE = dt.timedelta(0)
"""The lease of a worker that dies at once."""
SOON = dt.timedelta(milliseconds=1)


async def claimed(box: Outbox, now: dt.datetime = NOW) -> OutboxLetter:
    item = await box.claim(now)
    assert item is not None
    return item


async def states(database: Database) -> list[tuple[DeliveryState, int, str]]:
    """How the letters stand: state, attempts, last words."""
    async with database.read() as connection:
        rows = await connection.execute(sa.select(outbox).order_by(outbox.c.id))
        return [(DeliveryState(row.state), row.attempts, row.words) for row in rows]


async def test_a_letter_is_due_at_once_and_claimed_by_one_worker(database: Database) -> None:
    box = Outbox(database)
    assert await box.next_due(NOW) is None
    waiting = await asked(database)
    assert await box.next_due(NOW) == NOW
    item = await claimed(box)
    assert (item.kind, item.to, item.subscription.id, item.attempts) == (Letter.CONFIRM, ADA, waiting.id, 0)
    assert item.created_at == NOW
    assert await box.claim(NOW) is None
    assert await Outbox(database).claim(NOW) is None


async def test_workers_never_hold_the_same_letter(database: Database) -> None:
    for n in range(20):
        await asked(database, f"r{n}@example.org")

    async def work() -> list[int]:
        box, mine = Outbox(database), []
        while (item := await box.claim(NOW)) is not None:
            mine.append(item.id)
            await asyncio.sleep(0)
            assert await box.record(item, SENT, NOW)
        return mine

    found = [one for mine in await asyncio.gather(*(work() for _ in range(5))) for one in mine]
    assert sorted(found) == list(range(1, 21))
    assert [state for state, _, _ in await states(database)] == [DeliveryState.SENT] * 20


async def test_the_oldest_goes_first(database: Database) -> None:
    for n, minutes in enumerate((2, 1, 3)):
        await asked(database, f"r{n}@example.org", now=NOW + dt.timedelta(minutes=minutes))
    box, now = Outbox(database), NOW + HOUR
    assert [(await claimed(box, now)).to for _ in range(3)] == ["r1@example.org", "r0@example.org", "r2@example.org"]


@pytest.mark.parametrize(
    ("outcome", "state", "again"),
    [
        (SENT, DeliveryState.SENT, None),
        (REJECTED, DeliveryState.REJECTED, None),
        (DEFERRED, DeliveryState.DEFERRED, BACK_OFF[0]),
        (UNCERTAIN, DeliveryState.UNCERTAIN, BACK_OFF[0]),
    ],
)
async def test_an_outcome_is_recorded_and_says_what_follows(
    database: Database, outcome: Outcome, state: DeliveryState, again: dt.timedelta | None
) -> None:
    await asked(database)
    box = Outbox(database)
    assert await box.record(await claimed(box), outcome, NOW)
    assert await states(database) == [(state, 1, outcome.text)]
    assert await box.next_due(NOW) == (again and NOW + again)
    if again:
        assert await box.claim(NOW + again - SOON) is None
        assert (await claimed(box, NOW + again)).attempts == 1


async def test_a_letter_that_did_not_leave_is_due_soon_and_counts_no_attempt(database: Database) -> None:
    await asked(database)
    box = Outbox(database)
    now = NOW
    for _ in range(3):
        item = await claimed(box, now)
        assert (item.attempts, item.first_at) == (0, None)
        assert await box.record(item, UNSENT, now)
        assert await states(database) == [(DeliveryState.PENDING, 0, "no connection")]
        now += UNSENT_AGAIN
        assert await box.next_due(now) == now
    item = await claimed(box, now)
    assert await box.record(item, DEFERRED, now)
    later = await claimed(box, now + BACK_OFF[0])
    assert (later.attempts, later.first_at) == (1, now)
    assert await box.record(later, UNSENT, now + BACK_OFF[0])
    assert await states(database) == [(DeliveryState.DEFERRED, 1, "no connection")]


async def test_a_letter_is_tried_for_a_day(database: Database) -> None:
    await asked(database)
    box, now, tries = Outbox(database), NOW, 0
    while (item := await box.claim(now)) is not None:
        tries += 1
        assert await box.record(item, DEFERRED, now)
        due = await box.next_due(now)
        if due is None:
            break
        now = due
    assert tries > len(BACK_OFF)
    assert now - NOW <= GIVE_UP
    assert await states(database) == [(DeliveryState.REJECTED, tries, "greylisted")]


async def test_what_a_worker_that_died_held_is_taken_again_under_the_same_number(database: Database) -> None:
    await asked(database)
    dead = await claimed(Outbox(database, lease=GONE))
    await asyncio.sleep(0.005)
    again = await claimed(Outbox(database))
    assert (again.id, again.first_at) == (dead.id, NOW)
    assert again.lease != dead.lease
    assert not await Outbox(database).record(dead, SENT, NOW)
    assert await Outbox(database).record(again, SENT, NOW)
    assert not await Outbox(database).record(again, DEFERRED, NOW)
    assert [state for state, _, _ in await states(database)] == [DeliveryState.SENT]


async def test_a_late_outcome_counts_while_nobody_else_has_the_letter(database: Database) -> None:
    await asked(database)
    box = Outbox(database, lease=GONE)
    item = await claimed(box)
    await asyncio.sleep(0.005)
    assert await box.record(item, SENT, NOW)
    assert await box.claim(NOW) is None


async def test_a_lease_is_waited_for(database: Database) -> None:
    await asked(database)
    box = Outbox(database)
    await claimed(box)
    due = await box.next_due(NOW)
    assert due is not None
    assert abs(due - (NOW + LEASE)) < dt.timedelta(seconds=30)


async def test_a_letter_that_is_given_back_is_as_it_was(database: Database) -> None:
    await asked(database)
    box = Outbox(database)
    first = await claimed(box)
    await box.release(first, NOW)
    assert await states(database) == [(DeliveryState.PENDING, 0, "")]
    again = await claimed(box)
    assert (again.id, again.attempts, again.first_at) == (first.id, 0, None)
    await box.release(first, NOW)  # it is not theirs any more
    assert await box.claim(NOW) is None


async def test_a_letter_that_can_not_be_written_is_dropped_by_its_owner(database: Database) -> None:
    await asked(database)
    box = Outbox(database, lease=GONE)
    dead = await claimed(box)
    await asyncio.sleep(0.005)
    owner = await claimed(Outbox(database))
    await box.drop(dead, "no reason", NOW)
    await box.drop(owner, "there is no edition", NOW)
    assert await states(database) == [(DeliveryState.SKIPPED, 2, "there is no edition")]
    assert await box.next_due(NOW) is None


async def test_a_confirmation_of_what_is_confirmed_is_dropped_and_the_next_letter_taken(database: Database) -> None:
    await reader(database)
    box = Outbox(database)
    assert (await claimed(box)).kind is Letter.WELCOME
    assert (await states(database))[0] == (DeliveryState.SKIPPED, 0, "the subscription is confirmed")


@pytest.mark.parametrize("kind", [kind for kind in Letter if kind not in (Letter.ADDRESS, Letter.MOVED)])
@pytest.mark.parametrize("reason", list(Suppressed))
async def test_a_suppressed_address_gets_no_letter(database: Database, kind: Letter, reason: Suppressed) -> None:
    found = await (asked(database) if kind is Letter.CONFIRM else reader(database))
    async with database.write() as connection:
        await connection.execute(sa.delete(outbox))
        await put(connection, kind, found.id, NOW)
    await people(database).suppress(ADA, reason, NOW)
    back = kind is Letter.CONFIRM and reason is Suppressed.ERASED
    assert (await Outbox(database).claim(NOW) is not None) is back
    if not back:
        assert await states(database) == [(DeliveryState.SKIPPED, 0, f"suppressed: {reason}")]


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [(Letter.KNOWN, False), (Letter.WELCOME, False), (Letter.LINK, False), (Letter.PRIVATE, True)],
)
async def test_who_has_left_gets_no_more_than_they_ask_for(database: Database, kind: Letter, wanted: bool) -> None:
    found = await reader(database)
    async with database.write() as connection:
        await connection.execute(sa.delete(outbox))
        await put(connection, kind, found.id, NOW)
    await people(database).unsubscribe(found.id, NOW)
    assert (await Outbox(database).claim(NOW) is not None) is wanted


async def test_a_letter_that_nobody_waits_for_any_more_is_dropped(database: Database) -> None:
    found = await reader(database)
    async with database.write() as connection:
        await connection.execute(sa.delete(outbox))
        await put(connection, Letter.PRIVATE, found.id, NOW)
    assert await Outbox(database).claim(NOW + LIFE[Letter.PRIVATE] + HOUR) is None
    assert await states(database) == [(DeliveryState.SKIPPED, 0, "it waited too long")]


@pytest.mark.parametrize("kind", [Letter.KNOWN, Letter.LINK, Letter.PRIVATE])
async def test_what_anybody_can_ask_for_is_sent_now_and_then(database: Database, kind: Letter) -> None:
    """However often it is asked for, it is one letter now and one in a while."""
    found = await reader(database)
    box = Outbox(database)
    async with database.write() as connection:
        await connection.execute(sa.delete(outbox))
    for seconds in range(3):
        async with database.write() as connection:
            await put(connection, kind, found.id, NOW + seconds * dt.timedelta(seconds=1))
    assert len(await letters(database)) == 1
    assert await box.record(await claimed(box), SENT, NOW)
    for minutes in (2, 3):
        async with database.write() as connection:
            await put(connection, kind, found.id, NOW + minutes * dt.timedelta(minutes=1))
    assert len(await letters(database)) == 2
    assert await box.claim(NOW + dt.timedelta(minutes=4)) is None
    assert (await claimed(box, NOW + HOUR)).kind is kind


async def test_a_letter_goes_with_what_caused_it(database: Database) -> None:
    """One transaction: a wish that is not kept causes no letter."""
    found = await reader(database)

    async def fail_after_putting() -> None:
        async with database.write() as connection:
            await put(connection, Letter.LINK, found.id, NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_after_putting()
    assert Letter.LINK not in [kind for kind, _ in await letters(database)]


async def test_who_was_imported_gets_no_letter(database: Database) -> None:
    columns = {"state": SubscriptionState.UNCONFIRMED}
    await people(database).keep([Change(email=ADA, newsletter="daily", columns=columns)], NOW)
    assert await letters(database) == []
    assert await people(database).pending() == 1
    assert await people(database).forget_unconfirmed(NOW + 8 * DAY) == 1
