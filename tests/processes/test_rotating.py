from __future__ import annotations

import os
import time
from pathlib import Path

from flows.process import run
from flows.processes import rotating
from flows.processes.rotating import RotatingLog
from flows.processes.supervisor import supervising


def test_a_flood_of_lines_fills_a_few_files_and_no_disk(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "web.log", size=100, count=3)
    for number in range(1000):
        log.write(f"line {number}\n".encode())
    log.close()
    kept = sorted(tmp_path.iterdir())
    assert [file.name for file in kept] == ["web.log", "web.log.1", "web.log.2", "web.log.3"]
    assert max(file.stat().st_size for file in kept) <= 100
    assert kept[0].read_text().endswith("line 999\n")
    assert "line 9" in kept[3].read_text()


def test_each_start_and_each_day_begins_a_log(tmp_path: Path) -> None:
    clock = [0.0]
    log = RotatingLog(tmp_path / "web.log", now=lambda: clock[0])
    log.write(b"one\n")
    clock[0] = 2 * 86400
    log.write(b"two\n")
    log.close()
    RotatingLog(tmp_path / "web.log").close()
    assert [rotating.numbered(tmp_path / "web.log", n).read_text() for n in range(3)] == ["", "two\n", "one\n"]


def test_what_a_process_says_is_in_its_log_when_it_has_ended_by_itself(tmp_path: Path) -> None:
    async def work() -> str:
        async with supervising(tmp_path / "logs", tmp_path) as supervisor:
            # it knows no such command: it says so and ends
            await supervisor.start("child", "nonsense", environment=os.environ)
            await supervisor.pause(60)
            return supervisor.failure

    started = time.time()
    assert "nonsense" in run(work())
    log = tmp_path / "logs" / "child.log"
    assert "nonsense" in log.read_text()
    assert log.stat().st_mtime >= started - 1
