"""Work that ends between two messages, however the run around it is ended.

As a program, `python -m tests.test_process`, it is a run that a signal handler ends by an exception, as Prefect's
does.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from flows.papers.fetch import Fetcher
from flows.papers.model import Request
from flows.process import LOOPBACK, apart, spare_loopback, stopping
from tests.papers.server import Reply, running


@pytest.mark.parametrize(
    ("given", "spared"),
    [
        ({}, "127.0.0.1,localhost,::1"),
        ({"NO_PROXY": "intern.example, localhost"}, "intern.example,localhost,127.0.0.1,::1"),
        ({"NO_PROXY": "a.example", "no_proxy": "b.example"}, "b.example,127.0.0.1,localhost,::1"),
    ],
)
def test_no_proxy_is_asked_for_this_machine(given: dict[str, str], spared: str) -> None:
    environment = dict(given)
    for _ in range(2):
        spare_loopback(environment)
        assert environment["NO_PROXY"] == environment["no_proxy"] == spared


def test_where_no_proxy_is_asked_for_anything_it_stays_so() -> None:
    environment = {"NO_PROXY": "*"}
    spare_loopback(environment)
    assert environment == {"NO_PROXY": "*"}


async def test_sources_are_asked_through_the_proxy_that_is_set_and_this_machine_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running() as proxy, running() as here:
        proxy.says("http://papers.example/list", Reply(b'["far"]'))
        here.says("/list", Reply(b'["near"]'))
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.setenv(name, ",".join(LOOPBACK))
        async with Fetcher(contact="", cache=tmp_path) as fetcher:
            for url, found in (("http://papers.example", b'["far"]'), (here.url, b'["near"]')):
                request = Request(url=f"{url}/list", kind="page 0", format="json", service="huggingface")
                assert await fetcher.get(request, bytes) == found
        assert proxy.paths() == ["http://papers.example/list"]


async def letters(stop: asyncio.Event, brought: list[str]) -> str:
    """Brings letters, each in two steps, until it is told to stop."""
    while not stop.is_set():
        brought.append("began")
        await asyncio.sleep(0.05)
        brought.append("ended")
    return "stopped"


async def test_work_goes_on_in_a_thread_of_its_own() -> None:
    async def work(stop: asyncio.Event) -> int:
        await asyncio.sleep(0)
        return threading.get_ident()

    assert await apart(work) != threading.get_ident()


async def test_what_it_fails_with_is_raised() -> None:
    async def work(stop: asyncio.Event) -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        await apart(work)


async def test_a_cancellation_waits_for_the_letter_under_way() -> None:
    brought: list[str] = []
    doing = asyncio.create_task(apart(lambda stop: letters(stop, brought)))
    await asyncio.sleep(0.12)
    doing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doing
    assert brought
    assert brought[-1] == "ended"


def test_so_does_a_signal_whose_handler_raises() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.test_process"], capture_output=True, text=True, check=False, timeout=30
    )
    assert ended.returncode == 3, ended.stderr
    assert ended.stdout == "ended\n"


async def test_signals_do_what_they_did_before_again_afterwards() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))
    try:
        with stopping(signal.SIGUSR1) as stop:
            os.kill(os.getpid(), signal.SIGUSR1)
            await asyncio.wait_for(stop.wait(), 5)
        assert not heard
        os.kill(os.getpid(), signal.SIGUSR1)
        await asyncio.sleep(0.05)
        assert heard == [signal.SIGUSR1]
    finally:
        signal.signal(signal.SIGUSR1, before)


class _Ended(BaseException):
    pass


def _end(number: int, frame: object) -> None:
    raise _Ended


async def _run() -> None:
    brought: list[str] = []
    threading.Timer(0.22, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
    try:
        await apart(lambda stop: letters(stop, brought))
    finally:
        print(brought[-1], flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    try:
        asyncio.run(_run())
    except _Ended:
        sys.exit(3)
