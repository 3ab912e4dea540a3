"""arXiv's pace, over tasks and processes."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from flows.papers.fetch import Fetcher
from flows.papers.model import Request
from flows.papers.request_interval import RequestInterval
from tests.papers.server import Reply, Server

INTERVAL = 0.3
ROOT = Path(__file__).resolve().parents[2]
CLIENT = """
import asyncio, pathlib, sys
from flows.papers.fetch import Fetcher
from flows.papers.model import Request
async def main(url, cache, *paths):
    async with Fetcher(contact="", cache=pathlib.Path(cache), arxiv_interval=0.3, timeout=5) as fetcher:
        print("ready", flush=True)
        for path in paths:
            await fetcher.get(Request(url=url + path, kind="rss", format="xml", service="arxiv"), bytes)
asyncio.run(main(*sys.argv[1:]))
"""


def client(server: Server, cache: Path, *paths: str) -> subprocess.Popen[str]:
    """Another process that asks arXiv, with the same cache."""
    command = [sys.executable, "-c", CLIENT, server.url, str(cache), *paths]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout
    assert process.stdout.readline() == "ready\n"


def assert_paced(server: Server) -> None:
    """No two requests overlap, and between any two lies the interval."""
    spans = sorted((one.at, one.ended) for one in server.asked)
    gaps = [after[0] - before[0] for before, after in pairwise(spans)]
    assert all(gap >= INTERVAL for gap in gaps), gaps
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


async def test_tasks_take_turns_over_all_services(server: Server, tmp_path: Path) -> None:
    """Feed and query share one pace, attempts included, and the wait is told; other services do not wait."""
    said: list[str] = []
    for path, replies in {"/rss/a": [Reply(b"<a/>")], "/query": [Reply(status=503), Reply(b"<a/>")]}.items():
        server.says(path, *replies)
    server.says("/list", Reply())
    async with Fetcher(contact="", cache=tmp_path, arxiv_interval=INTERVAL, backoff=0.01, say=said.append) as fetcher:
        asked = [
            Request(url=server.url + path, kind="x", format="xml", service="arxiv") for path in ("/rss/a", "/query")
        ]
        await asyncio.gather(*(fetcher.get(request, bytes) for request in asked * 2))
        assert len(server.asked) == 5
        assert_paced(server)
        begun = time.monotonic()
        hub = Request(url=f"{server.url}/list", kind="page 0", format="json", service="huggingface")
        await asyncio.gather(*(fetcher.get(hub, bytes) for _ in range(5)))
        assert time.monotonic() - begun < INTERVAL
    assert any("waiting" in sentence for sentence in said)


async def test_processes_take_turns(server: Server, tmp_path: Path) -> None:
    """Two at once keep the interval between them."""
    for name in "abcdef":
        server.says(f"/{name}", Reply(b"<a/>"))
    both = [client(server, tmp_path, "/a", "/b", "/c"), client(server, tmp_path, "/d", "/e", "/f")]
    for process in both:
        assert await asyncio.to_thread(process.wait, 20) == 0
        assert process.stdout
        process.stdout.close()
    assert len(server.asked) == 6
    assert_paced(server)


async def test_a_killed_process_frees_its_turn(server: Server, tmp_path: Path) -> None:
    """Even in the middle of a request; its time still counts."""
    server.says("/slow", Reply(b"<a/>", fault="stall"))
    server.says("/fast", Reply(b"<a/>"))
    process = client(server, tmp_path, "/slow")
    await asyncio.to_thread(ready, process)
    await asyncio.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait(5)
    assert process.stdout
    process.stdout.close()
    begun = time.monotonic()
    async with Fetcher(contact="", cache=tmp_path, arxiv_interval=INTERVAL) as fetcher:
        await fetcher.get(Request(url=f"{server.url}/fast", kind="rss", format="xml", service="arxiv"), bytes)
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize(
    ("left", "waited"), [("1000.0", [3.0]), ("99.0", [2.0]), ("nonsense", []), ("", []), ("1", [])]
)
async def test_a_strange_time_in_the_lock_is_no_long_wait(tmp_path: Path, left: str, waited: list[float]) -> None:
    """A clock that was set back costs one interval at most."""
    waits: list[float] = []
    said: list[str] = []

    async def sleep(wait: float) -> None:
        waits.append(wait)

    (tmp_path / "lock").write_text(left)
    async with RequestInterval(tmp_path / "lock", 3.0, clock=lambda: 100.0, sleep=sleep, say=said.append).turn():
        pass
    assert waits == waited
    assert len(said) == len(waited)
    assert float((tmp_path / "lock").read_text()) == 100.0


async def test_who_gives_up_waiting_leaves_the_turn_to_others(tmp_path: Path) -> None:
    """A cancelled wait holds nothing, and does not hold the event loop either."""
    said: list[str] = []
    pace = RequestInterval(tmp_path / "lock", 0, clock=time.time, sleep=asyncio.sleep, say=said.append)

    async def wait() -> None:
        async with pace.turn():
            pass

    async with pace.turn():
        task = asyncio.create_task(wait())
        await asyncio.sleep(0.12)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await asyncio.wait_for(wait(), 1)
    assert said == ["waiting for another request to arXiv from this machine to end"]
