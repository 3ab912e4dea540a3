"""A clock that jumped between two runs is told, once by a run and for a week by the doctor."""

from __future__ import annotations

import datetime as dt
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from flows.delivery.clock_jumps import FILE, TOLD_FOR, Seen, against_the_database, look, remember, remembered, told
from flows.delivery.run import deliver
from flows.storage.database import Database
from subscribers.ledger import clocks
from tests.delivery.test_run import Scene
from tests.sending.smtp import mail_server
from tests.subscribers.everyone import ADA, DAY, HOUR, NOW, asked

THEN = NOW.timestamp()
DAYS = 86400.0


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (3 * DAYS, "jumped by +72.0 hours some time before 2026-06-12 08:30 UTC: look whether it is right"),
        (-2 * DAYS, "jumped by -48.0 hours some time before 2026-06-07 08:30 UTC"),
        (60.0, ""),
    ],
)
def test_a_jump_since_the_last_look_is_told(by: float, words: str) -> None:
    """An hour passed, by what the machine has run."""
    seen = Seen("a", 4600.0, THEN + 3600 + by).after(Seen("a", 1000.0, THEN))
    assert [words in sentence for sentence in told(seen)] == ([True] if words else [])


def test_sleep_and_a_new_start_are_no_jumps() -> None:
    before = Seen("a", 1000.0, THEN)
    assert told(Seen("a", 1000.0 + 3 * DAYS, THEN + 3 * DAYS).after(before)) == []
    assert told(Seen("b", 5.0, THEN + 3 * DAYS).after(before)) == []
    assert told(Seen("", 5.0, THEN + 3 * DAYS).after(Seen("", 1000.0, THEN))) == []


def test_a_run_tells_it_once_and_the_doctor_for_a_week() -> None:
    jumped = Seen("a", 1060.0, THEN + 3 * DAYS).after(Seen("a", 1000.0, THEN))
    later = Seen("a", 1060.0 + DAYS, THEN + 4 * DAYS).after(jumped)
    assert told(later) == []
    assert len(told(later, TOLD_FOR)) == 1
    much_later = Seen("b", 7.0, THEN + 11 * DAYS).after(later)
    assert told(much_later, TOLD_FOR) == []


def test_a_look_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    assert remembered(tmp_path) is None
    seen = look()
    assert abs(seen.wall - dt.datetime.now(dt.UTC).timestamp()) < 5
    remember(tmp_path, seen)
    assert remembered(tmp_path) == seen
    assert [file.name for file in tmp_path.iterdir()] == [FILE]
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize("damaged", ["", "{", "[]", "3", '{"boot": "a"}', '{"boot": "a", "running": "x"}'])
def test_a_file_that_is_damaged_is_made_anew(tmp_path: Path, damaged: str) -> None:
    (tmp_path / FILE).write_text(damaged)
    assert remembered(tmp_path) is None
    remember(tmp_path / "nowhere", look())  # and one that can't be written keeps nobody from anything


async def test_what_was_recorded_in_a_time_to_come_is_told(database: Database) -> None:
    real = dt.datetime.now(dt.UTC)
    assert await clocks.last_recorded(database) is None
    assert await against_the_database(database, NOW, real) == []
    await asked(database, ADA, NOW + 3 * DAY)
    assert await clocks.last_recorded(database) == NOW + 3 * DAY
    (told_of,) = await against_the_database(database, NOW, real)
    assert "recorded last is of 2026-06-12 07:30 UTC, +72.0 hours from now" in told_of
    assert await against_the_database(database, NOW + 3 * DAY, real) == []


async def test_a_clock_that_differs_from_the_databases_is_told(database: Database) -> None:
    (words,) = await against_the_database(database, NOW, dt.datetime.now(dt.UTC) + 5 * HOUR)
    assert "database's differ by +5.0 hours" in words


async def test_a_delivery_tells_a_jump_once(database: Database, tmp_path: Path) -> None:
    seen = look()
    if not seen.boot:
        pytest.skip("this system does not say when it was started")
    remember(tmp_path, replace(seen, wall=seen.wall - 3 * DAYS))
    said: list[str] = []
    async with mail_server() as server:
        scene = Scene(database, tmp_path, server)
        await scene.begin(ADA)
        for _ in range(2):
            await deliver(scene.context, await scene.frozen(), said.append)
    assert [sentence for sentence in said if "jumped by +72.0 hours" in sentence] == said[:1]
    assert len(server.taken) == 1
