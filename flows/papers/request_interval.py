"""One request at a time, and so many seconds between two, over all processes of this machine.

arXiv asks for a request every three seconds and a single connection, over its query API, RSS and OAI together:
https://info.arxiv.org/help/api/tou.html
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

_POLL = 0.05  # seconds; waiting for flock itself would hold the event loop


class RequestInterval:
    """A turn at a service, kept by a lock on a file in which the end of the last turn is written.

    The system frees the lock when a process dies, however it dies. `clock` must be the same for all processes.
    """

    def __init__(
        self,
        file: Path,
        interval: float,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]],
        say: Callable[[str], None],
    ) -> None:
        self._file = file
        self._interval = interval
        self._clock = clock
        self._sleep = sleep
        self._say = say

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Held during a request: nobody else on this machine has a turn meanwhile, nor shortly after."""
        lock = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            await self._take(lock)
            await self._wait(lock)
            self._stamp(lock)  # in case that this process is killed before the turn ends
            try:
                yield
            finally:
                self._stamp(lock)
        finally:
            os.close(lock)

    async def _take(self, lock: int) -> None:
        waiting = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not waiting:
                    self._say("waiting for another request to arXiv from this machine to end")
                waiting = True
                await self._sleep(_POLL)
            else:
                return

    async def _wait(self, lock: int) -> None:
        # A clock that was set back must not make anybody wait for hours.
        left = min(self._last(lock) + self._interval - self._clock(), self._interval)
        if left >= 1:
            self._say(f"waiting {left:.0f} s for arXiv, which asks for {self._interval:g} s between two requests")
        if left > 0:
            await self._sleep(left)

    def _last(self, lock: int) -> float:
        try:
            return float(os.pread(lock, 40, 0))
        except ValueError:
            return 0.0

    def _stamp(self, lock: int) -> None:
        os.pwrite(lock, f"{self._clock():20.6f}".encode(), 0)
