"""A sample of the crashes; `python -m tests.crashes` runs all."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.crashes import chosen, kills, pairs, power
from tests.crashes.chosen import Death, Manner
from tests.crashes.copies import database_of
from tests.crashes.trace import can_trace
from tests.crashes.victims import How

STEPS = 700
"""Of the small delivery, more or less."""


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that nobody is connected to."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/ready.db"
    return await database_of(request.getfixturevalue("postgresql"), tmp_path.name)


async def test_a_process_that_dies_between_any_two_of_its_steps_loses_nobody_and_mails_nobody_twice(url: str) -> None:
    await chosen.begin(url)
    random = Random(1)
    hows = list(How) if url.startswith("sqlite") else [How.CUT]
    deaths = [Death(random.randrange(1, STEPS), how, manner) for manner in Manner for how in hows]
    died = [one async for one in chosen.walk(url, deaths)]
    assert [one.audit.broken for one in died] == [[]] * len(deaths)
    assert sum(not one.over for one in died) >= len(deaths) / 2


async def test_processes_that_are_killed_one_after_another_lose_nobody(url: str) -> None:
    await kills.begin(url, 100)
    audit = await kills.kill_until_over(url, 100, Random(1), lease=0.5, at_most=3)
    assert audit.crashes >= 2
    assert not audit.broken


async def test_one_of_two_processes_that_share_an_edition_is_killed(url: str) -> None:
    shared = await pairs.share(url, 500, lease=1.5)
    assert 250 <= shared.half < 500
    assert not shared.audit.broken


@pytest.mark.skipif(not can_trace(), reason="no strace on this machine, or it may not trace")
async def test_what_is_committed_outlives_a_power_failure_and_no_content_leaves_before_it_is(tmp_path: Path) -> None:
    run = await power.trace(tmp_path, 20)
    found = power.judge(run, Random(1))
    assert (found.left, found.confirmed, found.broken) == (20, 40, [])
    for seed in range(2):
        audit = await power.go_on_after(run, Random(seed))
        assert not audit.broken
