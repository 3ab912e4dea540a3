"""What all senders share: rates and windows, in one database."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import tempfile
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.storage.database import Database, connect, migrate
from flows.turns import DAY, HOUR, MINUTE, SLACK, Asked, RollingWindow, WarmUp
from subscribers.ledger.shared_limits import Turns

BEGIN = dt.datetime(2026, 6, 9, 6, 0, tzinfo=dt.UTC)


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> dt.datetime:
        return BEGIN + dt.timedelta(seconds=self.seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_nobody_gets_the_turns_of_another(database: Database) -> None:
    turns = Turns(database)
    granted = await asyncio.gather(*(turns.reserve(Asked("", 10, 5)) for _ in range(8)))
    assert sorted(one.ahead for one in granted) == pytest.approx([2.0 * n for n in range(8)], abs=1.0)


async def test_each_place_has_turns_of_its_own(database: Database) -> None:
    turns = Turns(database)
    assert (await turns.reserve(Asked("", 100, 1))).ahead == 0
    assert (await turns.reserve(Asked("example.org", 100, 1))).ahead == 0
    assert (await turns.reserve(Asked("example.org", 1, 1))).ahead > 90


async def test_turns_that_nobody_asked_for_in_time_are_lost(database: Database) -> None:
    turns = Turns(database)
    await turns.reserve(Asked("", 1, 10))
    await asyncio.sleep(0.3)
    assert (await turns.reserve(Asked("", 1, 10))).ahead == 0


async def test_machines_share_what_a_window_has_room_for_and_are_told_when_it_opens(
    database: Database, clock: Clock
) -> None:
    asked = Asked("", 30, windows=(RollingWindow(100, HOUR),))
    machines = [Turns(database, clock) for _ in range(6)]
    granted = await asyncio.gather(*(one.reserve(asked) for one in machines))
    assert sum(one.turns for one in granted) == 100
    full = await machines[0].reserve(asked)
    assert (full.turns, full.limit) == (0, "100/hour")
    ((after, number),) = full.openings
    assert HOUR < after < HOUR + 2 * MINUTE
    assert number == 100
    clock.seconds += after - 1
    assert (await machines[1].reserve(asked)).turns == 0
    clock.seconds += 1
    assert (await machines[1].reserve(asked)).turns == 30


async def test_what_was_not_used_goes_back(database: Database, clock: Clock) -> None:
    turns, asked = Turns(database, clock), Asked("", 60, windows=(RollingWindow(100, DAY),))
    await turns.reserve(asked)
    assert (await turns.reserve(replace(asked, turns=0, unused=45))).turns == 0
    assert [(await turns.reserve(asked)).turns, (await turns.reserve(asked)).turns] == [60, 25]


async def test_what_left_without_a_turn_is_counted_and_may_fill_the_window(database: Database, clock: Clock) -> None:
    turns, asked = Turns(database, clock), Asked("example.org", 5, warm_up=WarmUp(20, 1.5))
    full = await turns.reserve(replace(asked, taken=20))
    assert (full.turns, full.limit) == (0, "20/day, PAPERROUND_MAIL_WARM_UP")
    assert full.openings[0][0] == pytest.approx(DAY, abs=1)


async def test_a_letter_is_counted_and_waits_for_no_window(database: Database, clock: Clock) -> None:
    turns, asked = Turns(database, clock), Asked("", 10, windows=(RollingWindow(10, DAY),))
    assert (await turns.reserve(replace(asked, urgent=True))).turns == 10
    assert (await turns.reserve(asked)).turns == 0
    assert (await turns.reserve(replace(asked, urgent=True))).turns == 10


async def test_the_narrowest_window_decides_and_the_one_that_stays_closed_longest_is_named(
    database: Database, clock: Clock
) -> None:
    turns = Turns(database, clock)
    asked = Asked("", 50, windows=(RollingWindow(20, MINUTE), RollingWindow(30, DAY)))
    assert (await turns.reserve(asked)).turns == 20
    assert (await turns.reserve(asked)).limit == "20/minute"
    clock.seconds += 2 * MINUTE
    assert (await turns.reserve(asked)).turns == 10
    clock.seconds += 2 * MINUTE
    assert (await turns.reserve(asked)).limit == "30/day"


async def day_of(turns: Turns, clock: Clock, asked: Asked, deferred: int = 0) -> int:
    """All that leaves in a day and is answered, with somebody looking every quarter of an hour."""
    sent = 0
    for _ in range(96):
        while granted := (await turns.reserve(asked)).turns:
            sent += granted
            await turns.reserve(replace(asked, turns=0, replies=granted, deferred=min(deferred, granted)))
        clock.seconds += 900
    return sent


async def test_a_warm_up_grows_from_day_to_day(database: Database, clock: Clock) -> None:
    turns, asked = Turns(database, clock), Asked("", 10**6, warm_up=WarmUp(200, 1.5))
    days = [await day_of(turns, clock, asked) for _ in range(14)]
    assert days[0] == 200
    assert all(before < after for before, after in itertools.pairwise(days))
    assert sum(days) == pytest.approx(sum(200 * 1.5**n for n in range(14)), rel=0.05)


async def test_a_warm_up_holds_where_more_than_a_few_per_cent_are_put_off(database: Database, clock: Clock) -> None:
    turns, asked = Turns(database, clock), Asked("example.org", 200, warm_up=WarmUp(200, 2))
    assert await day_of(turns, clock, asked, deferred=20) == 200
    assert await day_of(turns, clock, asked) <= 200
    assert await day_of(turns, clock, asked) > 200


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1500), st.integers(0, 60), st.integers(0, 9)), max_size=40))
@settings(max_examples=15, deadline=None)
def test_whatever_two_machines_do_no_window_is_overrun(history: list[tuple[int, float, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_two_machines(f"sqlite+aiosqlite:///{folder}/test.db", history))


async def _two_machines(url: str, history: list[tuple[int, float, int, int]]) -> None:
    window = RollingWindow(100, HOUR)
    database, clock = connect(url), Clock()
    await migrate(database)
    machines = [Turns(database, clock), Turns(database, clock)]
    left: list[float] = []
    unused = [0, 0]
    for machine, gap, wanted, wasted in history:
        clock.seconds += gap
        asked = Asked("", wanted, windows=(window,), unused=unused[machine])
        granted = await machines[machine].reserve(asked)
        unused[machine] = min(wasted, granted.turns)
        left += [clock.seconds] * (granted.turns - unused[machine])
    for end in left:
        assert sum(end - HOUR - SLACK <= one <= end for one in left) <= window.count
    await database.close()
