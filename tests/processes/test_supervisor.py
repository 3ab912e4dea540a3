"""Processes that should stay, with real ones. That one which hangs is ended is tested in `test_health.py`, what all of
them do together in `test_up.py` and `test_up_keeps_running.py`."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from flows.outcomes import Problem
from flows.processes.supervisor import Stopped, claim_port, locked, port_is_free, supervising
from tests.conftest import free_port
from tests.running_processes import processes_of

WRONG = ("subscribers", "nonsense")
"""A command that says what is wrong with it, and ends."""


def environment(home: Path) -> Mapping[str, str]:
    return {**os.environ, "PAPERROUND_HOME_DIR": str(home), "PAPERROUND_MAIL_URL": f"maildir://{home / 'outbox'}"}


async def test_one_that_ends_stops_all_with_its_last_words_before_they_are_kept(tmp_path: Path) -> None:
    async with supervising(tmp_path / "logs", tmp_path / "here") as supervisor:
        await supervisor.start("child", *WRONG, environment=environment(tmp_path))
        async with asyncio.timeout(60):
            await supervisor.stopping.wait()
        # what was waited for is no longer
        with pytest.raises(Stopped):
            await supervisor.ready("child", f"http://127.0.0.1:{free_port()}")
    log = tmp_path / "logs" / "child.log"
    assert supervisor.failure.startswith(f"The child stopped by itself (status 2): see {log}. Its last words: ")
    assert "nonsense" in log.read_text()


async def test_one_that_is_kept_is_started_again_after_ever_longer_pauses(tmp_path: Path) -> None:
    said = asyncio.Queue[str]()
    async with supervising(tmp_path / "logs", tmp_path / "here") as supervisor:
        supervisor.keep(said.put_nowait)
        await supervisor.start("child", *WRONG, environment=environment(tmp_path))
        async with asyncio.timeout(90):
            first, second = await said.get(), await said.get()
        begun = time.monotonic()
    assert re.search(r"stopped by itself \(status 2\): .* It is started again in 1 s\.$", first)
    assert second.endswith("It is started again in 2 s.")
    assert supervisor.failure == ""
    assert time.monotonic() - begun < 2  # no pause is waited for when all stop


async def test_a_part_that_does_not_come_up_is_a_problem_and_none_is_left_behind(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with supervising(tmp_path / "logs", tmp_path / "here") as supervisor:
        await supervisor.start("web", "web", "--port", str(free_port()), environment=environment(home))
        with pytest.raises(Problem, match=r"The web app did not come up within 0 s: see .*logs\."):
            await supervisor.ready("web app", f"http://127.0.0.1:{free_port()}", timeout=0.1)
        assert processes_of(home)
        assert supervisor.age("web") > 0
    assert not processes_of(home)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_is_a_wish_to_stop_as_long_as_it_supervises(tmp_path: Path, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    async with supervising(tmp_path, tmp_path) as supervisor, asyncio.timeout(10):
        os.kill(os.getpid(), number)
        await supervisor.stopping.wait()
        begun = time.monotonic()
        await supervisor.pause(9)
        assert time.monotonic() - begun < 5
    assert signal.getsignal(number) in (before, signal.SIG_DFL, signal.default_int_handler)


def test_a_lock_is_one_processes_and_free_when_it_is_left(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "one.lock"
    with locked(file) as mine, locked(file) as second:
        assert (mine, second) == (True, False)
    with locked(file) as again:
        assert again


def test_a_port_is_given_once_and_one_that_is_taken_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, ExitStack() as held, ExitStack() as other:
        port = taken.getsockname()[1]
        assert not port_is_free(port)
        first = claim_port(port, held)
        assert first > port
        assert port_is_free(first)  # whom it is for has not bound it yet
        assert claim_port(first, other) > first
        held.close()
        with ExitStack() as later:
            assert claim_port(first, later) == first
