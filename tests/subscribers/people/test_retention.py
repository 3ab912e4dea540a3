from __future__ import annotations

import datetime as dt

import pytest

from flows.outcomes import Outcome, Stage, Verdict
from flows.storage.database import Database
from subscribers.model import Suppressed
from subscribers.people.store import Change
from tests.subscribers.delivered import delivered
from tests.subscribers.everyone import ADA, DAY, NOW, asked, everything_kept, people, reader

LATER = NOW + 31 * DAY
BEFORE = NOW + DAY


async def left(database: Database) -> None:
    """Somebody who has left and whose time is over."""
    found = await reader(database)
    await people(database).unsubscribe(found.id, NOW)
    await people(database).leave_reason(found.id, "too many mails", NOW)
    assert await people(database).forget_leavers(BEFORE, LATER) == 1


async def test_who_left_long_ago_is_a_hash(database: Database) -> None:
    kept = await reader(database, "ben@example.org")
    gone = await reader(database, "cleo@example.org")
    await people(database).unsubscribe(gone.id, LATER)
    await left(database)
    text = (await everything_kept(database)).lower()
    assert "ada@" not in text
    assert "too many mails" not in text
    assert await people(database).get(kept.id)
    assert await people(database).get(gone.id)
    assert await people(database).forget_leavers(BEFORE, LATER) == 0


async def test_who_left_one_newsletter_stays_on_the_other(database: Database) -> None:
    other = await reader(database, newsletter="arxiv")
    await left(database)
    assert await people(database).get(other.id)
    assert await people(database).by_address(ADA, "daily") is None


@pytest.mark.parametrize(("resubscribe", "added"), [(False, 0), (True, 1)])
async def test_no_old_list_brings_them_back(database: Database, resubscribe: bool, added: int) -> None:
    await left(database)
    for _ in range(2):
        change = Change(email=ADA.upper(), newsletter="daily", columns={}, line=2)
        kept = await people(database).keep([change], LATER, resubscribe=resubscribe)
        assert (kept.added + kept.unchanged, [one.because for one in kept.refused]) == (added, [None] * (1 - added))
    elsewhere = Change(email=ADA, newsletter="arxiv", columns={})
    assert (await people(database).keep([elsewhere], LATER)).added == 1


async def test_a_list_that_says_that_they_have_left_brings_their_address_back_no_more(database: Database) -> None:
    await left(database)
    kept = await people(database).keep(
        [Change(email=ADA, newsletter="daily", columns={"state": "unsubscribed"})], LATER
    )
    assert kept.unchanged == 1
    assert ADA not in await everything_kept(database)


async def test_they_themselves_come_back_by_signing_up(database: Database) -> None:
    await left(database)
    again = await asked(database, now=LATER)
    change = Change(email=ADA, newsletter="daily", columns={"state": "confirmed"})
    assert len((await people(database).keep([change], LATER)).refused) == 1
    assert await people(database).confirm(again.id, LATER)
    assert (await people(database).keep([change], LATER)).unchanged == 1


async def test_what_a_server_said_of_them_goes_too(database: Database) -> None:
    found = await reader(database)
    answer = Outcome(Verdict.REJECTED, Stage.RCPT, 550, "5.1.1", f"<{ADA}>: no such user")
    await delivered(database, 1, NOW, answer)
    await people(database).unsubscribe(found.id, NOW)
    await people(database).forget_leavers(BEFORE, LATER)
    assert ADA not in await everything_kept(database)


async def test_a_suppressed_address_stays_suppressed(database: Database) -> None:
    await people(database).suppress(ADA, Suppressed.COMPLAINT, NOW)
    assert await people(database).forget_leavers(dt.datetime.now(dt.UTC), LATER) == 0
    kept = await people(database).keep([Change(email=ADA, newsletter="daily", columns={})], LATER)
    assert [one.because for one in kept.refused] == [Suppressed.COMPLAINT]
