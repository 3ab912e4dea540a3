"""Runs Paperround's processes as one: the Prefect server, the runner of its flows, the web app.

Each in a session of its own, so that Ctrl-C reaches the supervisor alone, which then stops them in order: SIGTERM to
the whole process group, SIGKILL after ten seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

from flows.outcomes import Problem
from flows.process import die_with_the_parent, python
from flows.processes.rotating import RotatingLog, copy

GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL."""


@dataclass(frozen=True, slots=True)
class Child:
    name: str
    process: asyncio.subprocess.Process
    log: Path
    copying: asyncio.Task[None]
    """Writes down what it says; what it started may go on saying things after it has ended."""


class Supervisor:
    """Started processes, and the wish to stop: set by Ctrl-C, SIGTERM, or the end of a process that should stay."""

    def __init__(self, logs: Path, folder: Path) -> None:
        self._logs = logs
        self._folder = folder
        self._children: list[Child] = []
        self._watches: list[asyncio.Task[None]] = []
        self.stopping = asyncio.Event()
        self.failure = ""
        """Why it stops, where nobody asked it to."""

    async def start(self, name: str, *command: str, environment: Mapping[str, str]) -> None:
        """Starts the command of ours that is named, in a folder of our own: where it was started, Prefect would read
        somebody else's `.env` and `prefect.toml`. What it prints goes into its log."""
        self._logs.mkdir(parents=True, exist_ok=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        process = await asyncio.create_subprocess_exec(
            *python("flows", *command),
            env=dict(environment),
            cwd=self._folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_the_parent,
        )
        assert process.stdout is not None  # noqa: S101 - it was asked for
        file = self._logs / f"{name}.log"
        child = Child(name, process, file, asyncio.create_task(copy(process.stdout, RotatingLog(file))))
        self._children.append(child)
        self._watches.append(asyncio.create_task(self._watch(child)))

    async def _watch(self, child: Child) -> None:
        status = await child.process.wait()
        if not self.stopping.is_set():
            await asyncio.wait([child.copying], timeout=1)
            said = child.log.read_text(errors="replace").strip().splitlines()[-1:]
            last = f" Its last words: {said[0].removeprefix('Error: ')}" if said else ""
            self.failure = f"The {child.name} stopped by itself (status {status}): see {child.log}.{last}"
            self.stopping.set()

    async def ready(self, name: str, url: str, timeout: float = 120) -> None:  # noqa: ASYNC109 - in words below
        """Waits until `url` answers 200. Raises Problem when the process ends or the time runs out."""
        deadline = asyncio.get_running_loop().time() + timeout
        async with httpx.AsyncClient(timeout=5) as client:
            while not self.stopping.is_set():
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(url)).status_code == 200:
                        return
                if asyncio.get_running_loop().time() > deadline:
                    raise Problem(f"The {name} did not come up within {timeout:.0f} s: see {self._logs}.")
                await self.pause(0.2)
        raise Stopped

    async def pause(self, seconds: float) -> None:
        """Waits, but no longer than until the wish to stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)

    async def stop(self) -> None:
        """Stops every process, the last started first, and returns when none is left."""
        self.stopping.set()
        for child in reversed(self._children):
            _signal(child, signal.SIGTERM)
            try:
                await asyncio.wait_for(child.process.wait(), GRACE)
            except TimeoutError:
                _signal(child, signal.SIGKILL)
                await child.process.wait()
            # what it started itself and left behind, a flow run for instance
            _signal(child, signal.SIGKILL)
            await asyncio.wait([child.copying], timeout=1)
            child.copying.cancel()
        await asyncio.gather(*self._watches)


class Stopped(Exception):  # noqa: N818
    """Somebody asked to stop while something was being waited for."""


def _signal(child: Child, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.process.pid, number)


@contextlib.asynccontextmanager
async def supervising(logs: Path, folder: Path) -> AsyncIterator[Supervisor]:
    """A supervisor, its processes at work in `folder`, that obeys Ctrl-C and SIGTERM and leaves no process behind,
    whatever happens inside."""
    supervisor = Supervisor(logs, folder)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.stopping.set)
    try:
        yield supervisor
    finally:
        await supervisor.stop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def locked(file: Path) -> Iterator[bool]:
    """Whether this process could take the lock; it is free again when the process ends, however it does."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as handle:
        yield _lock(handle)


def _lock(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def claim_port(preferred: int, held: contextlib.ExitStack) -> int:
    """A port that nothing listens on: the preferred one or one soon after it. Until `held` closes, no other process
    of this user is given the same, also while what it is for has not yet bound it."""
    folder = Path(tempfile.gettempdir()) / f"paperround-{os.getuid()}"
    for port in range(preferred, preferred + 500):
        if held.enter_context(locked(folder / f"{port}.lock")) and port_is_free(port):
            return port
    raise Problem(f"No port from {preferred} to {preferred + 499} is free: stop something that listens there.")


def port_is_free(port: int) -> bool:
    """Whether nothing on this machine listens there."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
