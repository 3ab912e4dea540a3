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

from flows.context import Say
from flows.outcomes import Problem
from flows.process import die_with_the_parent, python
from flows.processes.rotating import RotatingLog, copy

GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL."""
PAUSES = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Seconds until a part that ended is started again, after each end; the last one repeats."""
WELL = 120.0
"""Seconds after which a part counts as well: should it end then, the first pause is taken."""


@dataclass(slots=True)
class KeptProcess:
    """A process that should stay, whichever it is by now."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    process: asyncio.subprocess.Process
    copying: asyncio.Task[None]
    """Writes down what it says; what it started may go on saying things after it has ended."""
    begun: float
    ends: int = 0
    """How often it ended without having been well."""
    killed_for: str = ""
    """Why we ended it, where we did."""


class Supervisor:
    """Started processes, and the wish to stop: set by Ctrl-C, SIGTERM, or the end of a process that should stay and
    is not `keep`t."""

    def __init__(self, logs: Path, folder: Path) -> None:
        self._logs = logs
        self._folder = folder
        self._parts: dict[str, KeptProcess] = {}
        self._watches: list[asyncio.Task[None]] = []
        self._say: Say | None = None
        self._starting = asyncio.Lock()
        self.stopping = asyncio.Event()
        self.failure = ""
        """Why it stops, where nobody asked it to."""

    async def start(self, name: str, *command: str, environment: Mapping[str, str]) -> None:
        """Starts the command of ours that is named, in a folder of our own: where it was started, Prefect would read
        somebody else's `.env` and `prefect.toml`. What it prints goes into its log."""
        self._logs.mkdir(parents=True, exist_ok=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._logs / f"{name}.log"
        process, copying = await self._begin(command, environment, file)
        part = KeptProcess(name, command, dict(environment), file, process, copying, _now())
        self._parts[name] = part
        self._watches.append(asyncio.create_task(self._watch(part)))

    def keep(self, say: Say) -> None:
        """From now on whatever ends is started again, and that is said with the reason."""
        self._say = say

    async def _begin(
        self, command: tuple[str, ...], environment: Mapping[str, str], log: Path
    ) -> tuple[asyncio.subprocess.Process, asyncio.Task[None]]:
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
        return process, asyncio.create_task(copy(process.stdout, RotatingLog(log)))

    async def _watch(self, part: KeptProcess) -> None:
        while True:
            status = await part.process.wait()
            if self.stopping.is_set():
                return
            await asyncio.wait([part.copying], timeout=1)
            reason = _reason(part, status)
            if self._say is None:
                self.failure = reason
                self.stopping.set()
                return
            await self._again(part, reason, self._say)

    async def _again(self, part: KeptProcess, reason: str, say: Say) -> None:
        """Starts a part that ended once more, when nothing of the one before is left."""
        part.ends = 0 if _now() - part.begun > WELL else part.ends + 1
        pause = PAUSES[min(max(part.ends - 1, 0), len(PAUSES) - 1)]
        say(f"{reason} It is started again in {pause:.0f} s.")
        await self._sweep(part)
        await self.pause(pause)
        async with self._starting:
            if self.stopping.is_set():
                return
            part.copying.cancel()
            part.killed_for = ""
            try:
                part.process, part.copying = await self._begin(part.command, part.environment, part.log)
            except OSError as error:  # no memory, no more processes: the next attempt may do
                say(f"The {part.name} can't be started ({error.strerror}).")
            part.begun = _now()

    async def _sweep(self, part: KeptProcess) -> None:
        """Ends what a part that has ended left behind, a flow run for instance, which nobody could stop any more."""
        until = _now() + GRACE
        _signal(part, signal.SIGTERM)
        while _lives(part) and _now() < until and not self.stopping.is_set():
            await self.pause(0.1)
        _signal(part, signal.SIGKILL)

    def age(self, name: str) -> float:
        """For how many seconds a part has been there."""
        return _now() - self._parts[name].begun

    def kill(self, name: str, reason: str) -> None:
        """Ends a part that does nothing any more, so that it is started again."""
        self._parts[name].killed_for = reason
        _signal(self._parts[name], signal.SIGKILL)

    def renew(self, name: str, reason: str) -> None:
        """Asks a part to end, as it would when all are stopped, so that it is started again."""
        self._parts[name].killed_for = reason
        _signal(self._parts[name], signal.SIGTERM)

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
        async with self._starting:  # what is just being started is there to be stopped
            pass
        for part in reversed(self._parts.values()):
            _signal(part, signal.SIGTERM)
            try:
                await asyncio.wait_for(part.process.wait(), GRACE)
            except TimeoutError:
                _signal(part, signal.SIGKILL)
                await part.process.wait()
            # what it started itself and left behind, a flow run for instance
            _signal(part, signal.SIGKILL)
            await asyncio.wait([part.copying], timeout=1)
            part.copying.cancel()
        await asyncio.gather(*self._watches)


class Stopped(Exception):  # noqa: N818
    """Somebody asked to stop while something was being waited for."""


def _now() -> float:
    return asyncio.get_running_loop().time()


def _reason(part: KeptProcess, status: int) -> str:
    """Why a part is not there any more, in a sentence or two."""
    if part.killed_for:
        return part.killed_for
    said = part.log.read_text(errors="replace").strip().splitlines()[-1:]
    last = f" Its last words: {said[0].removeprefix('Error: ')}" if said else ""
    how = f"status {status}" if status >= 0 else f"signal {-status}"
    return f"The {part.name} stopped by itself ({how}): see {part.log}.{last}"


def _signal(part: KeptProcess, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(part.process.pid, number)


def _lives(part: KeptProcess) -> bool:
    """Whether a process of the part's group is left."""
    try:
        os.killpg(part.process.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


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
