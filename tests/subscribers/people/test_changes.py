from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import fields, replace

import pytest

from flows.editions.model import EVERY, Interests
from flows.storage.database import Database
from subscribers.model import Frequency, Subscription, SubscriptionState, Suppressed
from subscribers.people.changes import MAX_REASON
from subscribers.people.store import Change
from subscribers.preferences import Preferences, preferences_of
from tests.subscribers.everyone import ADA, DAY, HOUR, NOW, asked, people, reader

LATER = NOW + HOUR
JULY = dt.date(2026, 7, 1)
ALL = Preferences(
    interests=Interests(
        muted=frozenset({"video", "audio"}),
        keywords=("tensor",),
        authors=("Ada Brook",),
        leave_out=("diffusion model", "Cleo Dunmore"),
        size=9,
    ),
    frequency=Frequency.WEEKLY,
    weekday=5,
    hour=7,
    zone="Europe/Berlin",
    language="de",
)


def test_all_that_readers_set_is_tried_here() -> None:
    """A new preference needs a value in ALL that is not its default: else nobody sees that it is not kept."""
    usual = Preferences()
    assert [one.name for one in fields(Preferences) if getattr(ALL, one.name) == getattr(usual, one.name)] == []
    wants, anything = ALL.interests, usual.interests
    same = [one.name for one in fields(Interests) if getattr(wants, one.name) == getattr(anything, one.name)]
    assert same == ["topics"]  # those who mute some have picked none


def state_of(one: Subscription | None) -> SubscriptionState:
    assert one is not None
    return one.state


async def test_everything_that_readers_set_is_kept(database: Database) -> None:
    found = await reader(database)
    for preferences in (ALL, replace(ALL, interests=Interests(muted=frozenset({EVERY}), authors=("Ada Brook",)))):
        changed = await people(database).change(found.id, preferences, LATER)
        assert changed is not None
        assert preferences_of(changed) == preferences
        assert await people(database).get(found.id) == changed


async def test_a_change_counts_once_and_tells_what_was_before(database: Database) -> None:
    found = await reader(database)
    for now in (LATER, LATER + DAY):
        changed = await people(database).change(found.id, ALL, now)
        assert changed is not None
        assert (changed.revision, changed.changed_at, changed.frequency_at) == (found.revision + 1, LATER, LATER)
        assert changed.previous is not None
        assert preferences_of(changed.previous) == preferences_of(found)


async def test_the_frequency_has_a_time_of_its_own(database: Database) -> None:
    found = await reader(database)
    changed = await people(database).change(found.id, Preferences(hour=7), LATER)
    assert changed is not None
    assert changed.frequency_at is None


async def test_an_undo_brings_back_what_was_and_can_be_undone(database: Database) -> None:
    found = await reader(database)
    changed = await people(database).change(found.id, ALL, LATER)
    assert changed is not None
    undone = await people(database).undo(found.id, changed.revision, LATER)
    assert undone is not None
    assert preferences_of(undone) == preferences_of(found)
    again = await people(database).undo(found.id, undone.revision, LATER)
    assert again is not None
    assert preferences_of(again) == ALL


async def test_an_undo_that_is_sent_twice_is_done_once(database: Database) -> None:
    found = await reader(database)
    changed = await people(database).change(found.id, ALL, LATER)
    assert changed is not None
    undone = await asyncio.gather(*(people(database).undo(found.id, changed.revision, LATER) for _ in range(4)))
    assert all(one == undone[0] for one in undone)
    assert undone[0] is not None
    assert undone[0].revision == changed.revision + 1


async def test_an_undo_does_not_reach_behind_another_change(database: Database) -> None:
    found = await reader(database)
    first = await people(database).change(found.id, ALL, LATER)
    assert first is not None
    second = await people(database).change(found.id, replace(ALL, hour=9), LATER)
    assert second is not None
    assert await people(database).undo(found.id, first.revision, LATER) is None
    assert await people(database).undo(found.id, second.revision + 1, LATER) is None
    assert await people(database).get(found.id) == second


async def test_an_undo_works_for_a_day(database: Database) -> None:
    found = await reader(database)
    changed = await people(database).change(found.id, ALL, NOW)
    assert changed is not None
    assert await people(database).undo(found.id, changed.revision, NOW + DAY) is None
    assert await people(database).undo(found.id, changed.revision, NOW + DAY - HOUR) is not None


async def test_an_undo_does_not_reach_behind_what_the_operator_did(database: Database) -> None:
    found = await reader(database)
    left = await people(database).unsubscribe(found.id, NOW)
    assert left is not None
    await people(database).keep([Change(email=ADA, newsletter="daily", columns={"hour": 8})], LATER)
    for revision in range(left.revision + 2):
        assert await people(database).undo(found.id, revision, LATER) is None
    assert state_of(await people(database).get(found.id)) is SubscriptionState.UNSUBSCRIBED


async def test_a_pause_and_its_end_can_be_undone(database: Database) -> None:
    found = await reader(database)
    paused = await people(database).pause(found.id, JULY, LATER)
    assert paused is not None
    assert (paused.state, paused.paused_until) == (SubscriptionState.PAUSED, JULY)
    assert await people(database).pause(found.id, JULY, LATER) == paused
    resumed = await people(database).resume(found.id, LATER)
    assert resumed is not None
    assert (resumed.state, resumed.paused_until) == (SubscriptionState.CONFIRMED, None)
    assert await people(database).resume(found.id, LATER) == resumed
    again = await people(database).undo(found.id, resumed.revision, LATER)
    assert again is not None
    assert (again.state, again.paused_until) == (SubscriptionState.PAUSED, JULY)


async def test_leaving_counts_once_and_can_be_undone_with_the_pause_that_was(database: Database) -> None:
    found = await reader(database)
    await people(database).pause(found.id, JULY, NOW)
    for now in (LATER, LATER + HOUR):
        left = await people(database).unsubscribe(found.id, now)
        assert left is not None
        assert (left.state, left.left_at) == (SubscriptionState.UNSUBSCRIBED, LATER)
    await people(database).leave_reason(found.id, "  too\x00 much\n\u202eof it " + "x" * 2000, LATER)
    told = await people(database).get(found.id)
    assert told is not None
    assert told.left_reason.startswith("too much of it xxx")
    assert len(told.left_reason) == MAX_REASON
    back = await people(database).undo(found.id, told.revision, LATER)
    assert back is not None
    assert (back.state, back.paused_until, back.left_at, back.left_reason) == (SubscriptionState.PAUSED, JULY, None, "")


async def test_who_is_here_gives_no_reason_for_leaving(database: Database) -> None:
    found = await reader(database)
    await people(database).leave_reason(found.id, "because", NOW)
    assert await people(database).get(found.id) == found


@pytest.mark.parametrize("left", [False, True])
async def test_who_has_not_confirmed_or_has_left_has_nothing_to_change(database: Database, left: bool) -> None:
    found = await (reader(database) if left else asked(database))
    if left:
        await people(database).unsubscribe(found.id, NOW)
    before = await people(database).get(found.id)
    assert await people(database).change(found.id, ALL, LATER) == before
    assert await people(database).pause(found.id, JULY, LATER) == before
    assert await people(database).resume(found.id, LATER) == before
    assert await people(database).get(found.id) == before


async def test_who_reported_us_does_not_come_back_by_an_undo(database: Database) -> None:
    found = await reader(database)
    left = await people(database).unsubscribe(found.id, NOW)
    assert left is not None
    await people(database).suppress(ADA, Suppressed.COMPLAINT, NOW)
    assert await people(database).undo(found.id, left.revision, LATER) is None


async def test_nobody_is_changed_for_a_number_that_is_nobodys(database: Database) -> None:
    store = people(database)
    assert await store.change(7, ALL, NOW) is None
    assert await store.pause(7, JULY, NOW) is None
    assert await store.resume(7, NOW) is None
    assert await store.undo(7, 1, NOW) is None
    assert await store.unsubscribe(7, NOW) is None
    assert await store.leave_reason(7, "x", NOW) is None
    assert await store.confirm(7, NOW) is None
    assert await store.ask_address(7, ADA, NOW) == ""
    assert not await store.confirm_address(7, NOW)
    assert await store.everything(7) == {}
    await store.ask_private(7, NOW)
    await store.erase(7, NOW)
    assert not await store.forget(ADA, NOW)
    assert not await store.lift(ADA, NOW)
