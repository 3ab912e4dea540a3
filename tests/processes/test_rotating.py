from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from pathlib import Path

from flows.process import run
from flows.processes import rotating
from flows.processes.rotating import RotatingLog
from flows.processes.supervisor import supervising
from tests.conftest import free_port


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


async def test_bad_clients_fill_a_few_files_of_the_web_process_and_no_more(tmp_path: Path) -> None:
    """The process that `up` starts, and what is no request of a kind that it writes a line about, each time."""
    log, port = tmp_path / "logs" / "web.log", free_port()
    given = {"PAPERROUND_HOME_DIR": str(tmp_path), "PAPERROUND_MAIL_URL": f"maildir://{tmp_path / 'outbox'}"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "flows", "web", "--port", str(port)),
        env={**os.environ, **given},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    copying = asyncio.create_task(rotating.copy(process.stdout, RotatingLog(log, size=2000, count=3)))
    try:
        async with asyncio.timeout(120):
            while not await asyncio.to_thread(_listens, port):
                assert process.returncode is None, log.read_text()
                await asyncio.sleep(0.1)
            for _ in range(300):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"\x16\x03\x01 \r\n\r\n")
                assert (await reader.read(12)).startswith(b"HTTP/1.1 400")
                writer.close()
    finally:
        process.terminate()
        await process.wait()
        await copying
    kept = sorted(log.parent.iterdir())
    assert [file.name for file in kept] == ["web.log", "web.log.1", "web.log.2", "web.log.3"]
    # what comes in one piece is not divided
    assert max(file.stat().st_size for file in kept) <= 2000 + 1000
    assert "Invalid HTTP request" in kept[3].read_text()


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


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
