from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from flows.storage.database import Database
from subscribers.model import Letter, Suppressed
from subscribers.people.outbox import Outbox, OutboxLetter
from subscribers.people.requested_mail import MAX_CHANGES
from subscribers.people.signups import FORGOTTEN
from subscribers.tables import address_change, outbox
from tests.subscribers.everyone import ADA, DAY, HOUR, NOW, asked, everything_kept, letters, people, reader

NEW = "ada@example.net"
LATER = NOW + HOUR
MINUTE = dt.timedelta(minutes=1)


async def waiting(database: Database, now: dt.datetime = LATER) -> list[OutboxLetter]:
    """What is due, in its order; what came before it has been sent."""
    found = []
    while (item := await Outbox(database).claim(now)) is not None:
        found.append(item)
    return found


async def emptied(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(sa.delete(outbox))


async def test_a_fresh_link_is_mailed_for_each_subscription(database: Database) -> None:
    daily, arxiv = await reader(database), await reader(database, newsletter="arxiv")
    left = await reader(database, newsletter="sample")
    await people(database).unsubscribe(left.id, NOW)
    await people(database).pause(arxiv.id, dt.date(2026, 7, 1), NOW)
    await asked(database, newsletter="another")
    await emptied(database)
    await people(database).ask_link("ADA@example.org", None, NOW)
    assert await letters(database) == [(Letter.LINK, daily.id), (Letter.LINK, arxiv.id)]
    await people(database).ask_link(ADA, None, NOW)
    assert len(await letters(database)) == 2


async def test_a_fresh_link_can_be_asked_for_on_one_newsletter(database: Database) -> None:
    await reader(database)
    arxiv = await reader(database, newsletter="arxiv")
    await emptied(database)
    await people(database).ask_link(ADA, "arxiv", NOW)
    assert await letters(database) == [(Letter.LINK, arxiv.id)]


async def test_no_link_for_a_stranger_or_a_suppressed_address(database: Database) -> None:
    await reader(database)
    await people(database).suppress(ADA, Suppressed.HARD_BOUNCE, NOW)
    await emptied(database)
    for email in (ADA, "nobody@example.org", "' OR 1=1 --"):
        await people(database).ask_link(email, None, NOW)
    assert await letters(database) == []


async def test_a_private_link_is_mailed_to_who_has_confirmed_once(database: Database) -> None:
    found = await reader(database)
    stranger = await asked(database, "ben@example.org")
    await emptied(database)
    for identity in (found.id, found.id, stranger.id):
        await people(database).ask_private(identity, NOW)
    assert await letters(database) == [(Letter.PRIVATE, found.id)]


async def test_who_has_left_can_still_ask_for_what_we_hold(database: Database) -> None:
    found = await reader(database)
    await people(database).unsubscribe(found.id, NOW)
    await people(database).ask_private(found.id, LATER)
    assert [item.kind for item in await waiting(database)] == [Letter.PRIVATE]


async def test_a_new_address_counts_once_it_is_confirmed_and_the_old_one_is_told(database: Database) -> None:
    found = await reader(database)
    arxiv = await reader(database, newsletter="arxiv")
    await emptied(database)
    assert await people(database).ask_address(found.id, NEW, NOW) == ""
    (letter,) = await waiting(database)
    assert (letter.kind, letter.to, letter.subscription.email) == (Letter.ADDRESS, NEW, ADA)
    assert letter.address_change_id is not None
    for _ in range(2):
        assert await people(database).confirm_address(letter.address_change_id, LATER)
    for identity in (found.id, arxiv.id):
        moved = await people(database).get(identity)
        assert moved is not None
        assert moved.email == NEW
    assert await people(database).by_address(ADA, "daily") is None
    (told,) = await waiting(database)
    assert (told.kind, told.to, told.subscription.email) == (Letter.MOVED, ADA, NEW)
    await people(database).forget_unconfirmed(NOW + FORGOTTEN + HOUR)
    assert ADA not in await everything_kept(database)


async def test_the_same_address_is_no_change(database: Database) -> None:
    found = await reader(database)
    assert await people(database).ask_address(found.id, "ADA@example.org", NOW) == "errors.address_same"


async def test_nobody_learns_that_an_address_is_somebodys_or_suppressed(database: Database) -> None:
    found = await reader(database)
    await reader(database, NEW)
    await people(database).suppress("gone@example.net", Suppressed.COMPLAINT, NOW)
    await emptied(database)
    for email in (NEW, "gone@example.net"):
        assert await people(database).ask_address(found.id, email, NOW) == ""
    assert await letters(database) == []


async def test_an_address_that_somebody_takes_first_is_theirs(database: Database) -> None:
    found = await reader(database)
    assert await people(database).ask_address(found.id, NEW, NOW) == ""
    number = await last_change(database)
    await reader(database, NEW)
    assert not await people(database).confirm_address(number, LATER)
    still = await people(database).get(found.id)
    assert still is not None
    assert still.email == ADA


async def last_change(database: Database) -> int:
    async with database.read() as connection:
        return int((await connection.execute(sa.select(sa.func.max(address_change.c.id)))).scalar_one())


async def test_the_latest_wish_for_an_address_counts(database: Database) -> None:
    found = await reader(database)
    await emptied(database)
    assert await people(database).ask_address(found.id, "typo@example.net", NOW) == ""
    first = await last_change(database)
    assert await people(database).ask_address(found.id, NEW, NOW + MINUTE) == ""
    assert not await people(database).confirm_address(first, LATER)
    assert [item.to for item in await waiting(database)] == [NEW]
    assert "typo@example.net" not in await everything_kept(database)
    assert await people(database).confirm_address(await last_change(database), LATER)


async def test_a_new_address_is_written_to_once_an_hour_whoever_asks(database: Database) -> None:
    ada, ben = await reader(database), await reader(database, "ben@example.org")
    await emptied(database)
    for one, minutes in ((ada, 0), (ada, 1), (ben, 2)):
        assert await people(database).ask_address(one.id, NEW, NOW + minutes * MINUTE) == ""
    assert await letters(database) == [(Letter.ADDRESS, ada.id)]


async def test_a_reader_changes_address_a_few_times_a_day(database: Database) -> None:
    found = await reader(database)
    for n in range(MAX_CHANGES):
        assert await people(database).ask_address(found.id, f"n{n}@example.net", NOW) == ""
    assert await people(database).ask_address(found.id, NEW, NOW) == "errors.address_often"
    assert await people(database).ask_address(found.id, NEW, NOW + DAY + HOUR) == ""


@pytest.mark.parametrize(
    ("reason", "moves"), [(Suppressed.HARD_BOUNCE, True), (Suppressed.COMPLAINT, False), (Suppressed.OPERATOR, False)]
)
async def test_who_can_not_be_reached_can_still_follow_the_link(
    database: Database, reason: Suppressed, moves: bool
) -> None:
    found = await reader(database)
    assert await people(database).ask_address(found.id, NEW, NOW) == ""
    await people(database).suppress(ADA, reason, NOW)
    await emptied(database)
    assert await people(database).confirm_address(await last_change(database), LATER) is moves
    after = await people(database).get(found.id)
    assert after is not None
    assert (after.email, after.suppressed) == ((NEW, None) if moves else (ADA, reason))
    assert await letters(database) == []  # an address that can't be reached is not told either


async def test_a_change_of_address_waits_for_a_week(database: Database) -> None:
    found = await reader(database)
    assert await people(database).ask_address(found.id, NEW, NOW) == ""
    number = await last_change(database)
    assert not await people(database).confirm_address(number, NOW + FORGOTTEN + HOUR)
    await people(database).forget_unconfirmed(NOW + FORGOTTEN + HOUR)
    assert NEW not in await everything_kept(database)
