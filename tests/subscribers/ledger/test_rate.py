"""The pace that all couriers share."""

from __future__ import annotations

import asyncio

import pytest

from flows.storage.database import Database
from subscribers.ledger.rate import Turns


async def test_nobody_gets_the_turns_of_another(database: Database) -> None:
    turns = Turns(database)
    ahead = await asyncio.gather(*(turns.reserve("", 10, 5) for _ in range(8)))
    assert sorted(ahead) == pytest.approx([2.0 * n for n in range(8)], abs=1.0)


async def test_each_place_has_turns_of_its_own(database: Database) -> None:
    turns = Turns(database)
    assert await turns.reserve("", 100, 1) == 0
    assert await turns.reserve("example.org", 100, 1) == 0
    assert await turns.reserve("example.org", 1, 1) > 90


async def test_turns_that_nobody_asked_for_in_time_are_lost(database: Database) -> None:
    turns = Turns(database)
    await turns.reserve("", 1, 10)
    await asyncio.sleep(0.3)
    assert await turns.reserve("", 1, 10) == 0
