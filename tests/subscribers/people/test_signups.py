from __future__ import annotations

import asyncio
import datetime as dt

import pytest
import sqlalchemy as sa

from flows.editions.model import Interests, Kind
from flows.storage.database import Database
from subscribers.ledger.ledger import Ledger
from subscribers.model import Frequency, Letter, SubscriptionState, Suppressed
from subscribers.people.signups import FORGOTTEN
from subscribers.people.store import Change
from subscribers.tables import outbox, rate, subscriber, subscription, suppression
from subscribers.web.request_limits import Limits
from tests.factories import HASHING_KEY
from tests.subscribers.everyone import ADA, DAY, HOUR, NOW, asked, letters, people, reader, wish

LATER = NOW + 2 * HOUR
FOR_GOOD = [Suppressed.OPERATOR, Suppressed.HARD_BOUNCE, Suppressed.COMPLAINT]


async def test_a_wish_waits_for_its_confirmation(database: Database) -> None:
    found = await asked(database, interests=Interests(topics=frozenset({"agents"})), frequency=Frequency.WEEKDAYS)
    assert (found.state, found.frequency) == (SubscriptionState.UNCONFIRMED, Frequency.WEEKDAYS)
    assert found.interests.topics == {"agents"}
    assert (found.consent_at, found.consent_source, found.confirmed_at) == (NOW, "sign-up", None)
    assert await letters(database) == [(Letter.CONFIRM, found.id)]
    assert await people(database).pending() == 1


async def test_confirming_makes_a_subscription_once_and_welcomes_it_once(database: Database) -> None:
    waiting = await asked(database)
    for now in (LATER, LATER + DAY):
        found = await people(database).confirm(waiting.id, now)
        assert found is not None
        assert (found.state, found.confirmed_at, found.consent_at) == (SubscriptionState.CONFIRMED, LATER, NOW)
    assert await letters(database) == [(Letter.CONFIRM, waiting.id), (Letter.WELCOME, waiting.id)]
    assert await people(database).pending() == 0


async def test_two_confirmations_at_the_same_time_are_one(database: Database) -> None:
    waiting = await asked(database)
    await asyncio.gather(*(people(database).confirm(waiting.id, NOW) for _ in range(5)))
    assert await letters(database) == [(Letter.CONFIRM, waiting.id), (Letter.WELCOME, waiting.id)]


async def test_signing_up_at_the_same_time_keeps_one_wish_and_one_letter(database: Database) -> None:
    await asyncio.gather(*(people(database).sign_up(wish(), NOW) for _ in range(5)))
    assert [kind for kind, _ in await letters(database)] == [Letter.CONFIRM]
    assert len([one async for one in people(database).walk()]) == 1


async def test_a_wish_that_is_not_confirmed_is_replaced_by_the_next(database: Database) -> None:
    first = await asked(database, interests=Interests(topics=frozenset({"agents"})))
    second = await asked(database, now=LATER, interests=Interests(topics=frozenset({"video"})), consent_version="2")
    assert (second.id, second.interests.topics, second.consent_at) == (first.id, frozenset({"video"}), LATER)


async def test_a_confirmation_goes_to_an_address_once_an_hour_and_none_is_lost(database: Database) -> None:
    """A second newsletter's waits for its turn; asking again while one waits adds none."""
    await asked(database)
    await asked(database, now=NOW + dt.timedelta(minutes=1), newsletter="arxiv")
    await asked(database, now=NOW + dt.timedelta(minutes=2), newsletter="arxiv")
    await asked(database, "ben@example.org", now=NOW + dt.timedelta(minutes=3))
    async with database.read() as connection:
        due = (await connection.scalars(sa.select(outbox.c.due_at).order_by(outbox.c.id))).all()
    assert due == [NOW, NOW + HOUR, NOW + dt.timedelta(minutes=3)]


@pytest.mark.parametrize("paused", [False, True])
async def test_who_is_subscribed_is_told_so_by_mail_and_nothing_is_changed(database: Database, paused: bool) -> None:
    found = await reader(database)
    if paused:
        await people(database).pause(found.id, dt.date(2026, 7, 1), NOW)
    before = await people(database).get(found.id)
    await people(database).sign_up(wish(interests=Interests(topics=frozenset({"video"}))), LATER)
    assert await people(database).get(found.id) == before
    assert (await letters(database))[2:] == [(Letter.KNOWN, found.id)]


@pytest.mark.parametrize("reason", FOR_GOOD)
async def test_a_suppressed_address_gets_nothing_and_is_not_kept(database: Database, reason: Suppressed) -> None:
    await people(database).suppress(ADA, reason, NOW)
    await people(database).sign_up(wish("ADA@example.org"), NOW)
    assert await people(database).by_address(ADA, "daily") is None
    assert await letters(database) == []


async def test_an_address_that_is_suppressed_before_it_confirms_does_not(database: Database) -> None:
    waiting = await asked(database)
    await people(database).suppress(ADA, Suppressed.COMPLAINT, NOW)
    assert await people(database).confirm(waiting.id, LATER) is None
    still = await people(database).get(waiting.id)
    assert still is not None
    assert still.state is SubscriptionState.UNCONFIRMED


async def test_who_had_everything_erased_can_come_back_themselves(database: Database) -> None:
    await people(database).erase((await reader(database)).id, NOW)
    waiting = await asked(database, now=LATER)
    assert waiting.suppressed is Suppressed.ERASED
    assert await letters(database) == [(Letter.CONFIRM, waiting.id)]
    back = await people(database).confirm(waiting.id, LATER)
    assert back is not None
    assert (back.state, back.suppressed) == (SubscriptionState.CONFIRMED, None)
    kept = await people(database).keep([Change(email=ADA, newsletter="arxiv", columns={})], LATER)
    assert (kept.added, kept.refused) == (1, [])


async def test_an_erased_address_that_a_stranger_signs_up_is_forgotten_again(database: Database) -> None:
    await people(database).erase((await reader(database)).id, NOW)
    await asked(database, now=LATER)
    assert await people(database).forget_unconfirmed(LATER + FORGOTTEN + HOUR) == 1
    kept = await people(database).keep([Change(email=ADA, newsletter="daily", columns={})], LATER)
    assert [one.because for one in kept.refused] == [Suppressed.ERASED]
    async with database.read() as connection:
        assert (await connection.execute(sa.select(subscriber))).all() == []
        assert (await connection.scalars(sa.select(suppression.c.reason))).all() == [Suppressed.ERASED]


async def test_who_has_left_comes_back_by_a_confirmation_alone(database: Database) -> None:
    found = await reader(database)
    await people(database).unsubscribe(found.id, NOW)
    waiting = await asked(database, now=LATER)
    assert (waiting.id, waiting.state, waiting.left_at) == (found.id, SubscriptionState.UNCONFIRMED, NOW)
    list_of_old = [Change(email=ADA, newsletter="daily", columns={"state": SubscriptionState.CONFIRMED})]
    assert len((await people(database).keep(list_of_old, LATER)).refused) == 1
    back = await people(database).confirm(found.id, LATER)
    assert back is not None
    assert (back.state, back.left_at, back.previous) == (SubscriptionState.CONFIRMED, None, None)


async def test_an_old_confirmation_link_brings_nobody_back(database: Database) -> None:
    found = await reader(database)
    await people(database).unsubscribe(found.id, NOW)
    still = await people(database).confirm(found.id, LATER)
    assert still is not None
    assert still.state is SubscriptionState.UNSUBSCRIBED


async def test_what_is_not_confirmed_within_a_week_is_forgotten(database: Database) -> None:
    await asked(database)
    fresh = await asked(database, "ben@example.org", now=NOW + DAY)
    both = await reader(database, "cleo@example.org")
    await asked(database, "cleo@example.org", newsletter="arxiv")
    end = NOW + FORGOTTEN + HOUR
    assert await people(database).forget_unconfirmed(end) == 2
    assert await people(database).forget_unconfirmed(end) == 0
    left = [one async for one in people(database).walk()]
    assert [(one.email, one.newsletter) for one in left] == [(fresh.email, "daily"), (both.email, "daily")]
    async with database.read() as connection:
        emails = (await connection.scalars(sa.select(subscriber.c.email).order_by(subscriber.c.email))).all()
    assert emails == ["ben@example.org", "cleo@example.org"]


async def test_a_stranger_who_signs_up_somebody_who_has_left_changes_nothing_for_good(database: Database) -> None:
    """After the week they have left, with the settings and the consent of their own time."""
    found = await reader(database, interests=Interests(topics=frozenset({"agents"}), keywords=("tensor",), size=7))
    gone = await people(database).unsubscribe(found.id, NOW)
    assert gone is not None
    for hours in (2, 4):
        await asked(database, now=NOW + hours * HOUR, frequency=Frequency.WEEKLY, consent_version="9", source="else")
    assert await people(database).forget_unconfirmed(NOW + FORGOTTEN + DAY) == 1
    again = await people(database).get(found.id)
    assert again is not None
    assert (again.state, again.left_at, again.interests) == (SubscriptionState.UNSUBSCRIBED, NOW, found.interests)
    assert (again.frequency, again.consent_at, again.consent_source) == (Frequency.DAILY, NOW, "sign-up")
    async with database.read() as connection:
        assert await connection.scalar(sa.select(subscription.c.consent_version)) == "1"
    assert await people(database).pending() == 0


async def test_a_wish_that_is_taken_back_is_none(database: Database) -> None:
    waiting = await asked(database)
    gone = await people(database).unsubscribe(waiting.id, NOW)
    assert gone is not None
    assert (gone.state, gone.previous) == (SubscriptionState.UNSUBSCRIBED, None)
    assert await people(database).undo(waiting.id, gone.revision, NOW) is None
    assert await people(database).pending() == 0


async def test_what_is_kept_for_a_while_goes_with_time(database: Database) -> None:
    found = await reader(database)
    assert await Limits(database, HASHING_KEY).allow("sign-up", "a network", 1, HOUR, NOW)
    async with database.write() as connection:
        await connection.execute(sa.update(outbox).values(due_at=None, changed_at=NOW))
    await people(database).ask_address(found.id, "new@example.org", NOW)
    await people(database).forget_unconfirmed(NOW + DAY)
    assert len(await letters(database)) == 3
    await people(database).forget_unconfirmed(NOW + 31 * DAY)
    await people(database).forget_letters(NOW + DAY)
    assert [kind for kind, _ in await letters(database)] == [Letter.ADDRESS]
    async with database.read() as connection:
        assert (await connection.execute(sa.select(rate))).all() == []


async def test_only_who_has_confirmed_and_is_not_suppressed_gets_an_edition(database: Database) -> None:
    await asked(database)
    ben = await reader(database, "ben@example.org")
    await reader(database, "cleo@example.org")
    await people(database).suppress("cleo@example.org", Suppressed.HARD_BOUNCE, NOW)
    ledger = Ledger(database)
    assert await ledger.open(1, "daily", Kind.DAILY, NOW.date(), NOW, at_once=True) == 1
    claim = await ledger.claim(1, NOW)
    assert claim is not None
    (item,) = await ledger.due(claim, NOW)
    assert item.subscription_id == ben.id
    await people(database).suppress("ben@example.org", Suppressed.COMPLAINT, NOW)
    assert not await ledger.mark(item, NOW)
