"""A sample of `outages`: the database goes away in the middle of a delivery, and the process lives."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.conftest import own_postgresql
from tests.crashes import outages


async def test_a_lock_that_lasts_longer_than_a_lease_makes_nobody_get_it_twice(tmp_path: Path) -> None:
    outcome = await outages.locked(tmp_path, 600, 12)
    assert not outcome.broken, outcome
    assert outcome.waited  # SQLite itself waits for ten seconds


async def test_a_full_disk_makes_nobody_get_it_twice(tmp_path: Path) -> None:
    with outages.small_disk(tmp_path, 16_000) as disk:
        if disk is None:
            pytest.skip("a disk of its own can't be made here")
        outcome = await outages.full(disk, 500, 1)
    assert not outcome.broken, outcome
    assert outcome.waited


async def test_a_database_server_that_is_restarted_makes_nobody_get_it_twice() -> None:
    with own_postgresql() as server:
        if server is None:
            pytest.skip("no PostgreSQL programs on this machine")
        outcome = await outages.restarted(server, 600, 2, Random(1))
    assert not outcome.broken, outcome
    assert outcome.waited
