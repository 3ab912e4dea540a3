"""More senders for a large list: processes of this machine that work the same rows of the ledger.

A process has one core at most, and a message costs its fraction of a millisecond. Each claims batch after batch, so
that nothing need be divided beforehand, and when one dies the others take over what it had claimed. On another machine
`paperround deliver` does the same, as long as it uses the same database.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import os
from types import TracebackType

from flows.config.settings import Settings
from flows.context import Say
from flows.process import die_with_the_parent, python

BATCHES = 50
"""So many batches that are due pay for one more process, which takes two seconds to start: 25,000 readers."""


class ExtraProcesses:
    """Started processes and what they brought; an async context that ends with the last of them."""

    def __init__(
        self, settings: Settings, edition_id: int, due: int, until: dt.datetime, stop: asyncio.Event, say: Say
    ) -> None:
        wanted = settings.mail_processes or _worth(settings, due)
        self.size = max(1, min(wanted, due, settings.mail_connections))
        """How many senders there are, this process among them."""
        self.ending = asyncio.Event()
        """Set when all of them are to stop: because `stop` was, or because the mail server fails for everybody."""
        self.sent = 0
        """Messages that the other processes sent."""
        self.halted = ""
        """Why one of them stopped early."""
        self.lost = 0
        """How many of them died."""
        self._command = ("deliver-share", str(edition_id), until.isoformat(), "--share", str(self.size))
        self._stop, self._say = stop, say
        self._processes: list[asyncio.subprocess.Process] = []
        self._watches: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> ExtraProcesses:
        for _ in range(self.size - 1):
            process = await asyncio.create_subprocess_exec(
                *python("flows", *self._command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,  # Ctrl-C reaches us alone
                preexec_fn=die_with_the_parent,
            )
            self._processes.append(process)
            self._watches.append(asyncio.create_task(self._watch(process)))
        if self.size > 1:
            self._say(f"{self.size} processes share the readers.")
        self._stopping = asyncio.create_task(self._pass_on())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.end()
        try:
            await self.ended()
        finally:
            self._stopping.cancel()
            await asyncio.gather(self._stopping, return_exceptions=True)

    async def _pass_on(self) -> None:
        await self._stop.wait()
        self.end()

    def end(self) -> None:
        """Makes all of them stop at the boundary of a message."""
        self.ending.set()
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()

    async def ended(self) -> None:
        """Waits until the other processes have ended."""
        await asyncio.gather(*self._watches)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        said, _ = await process.communicate()
        if process.returncode:
            self.lost += 1
            self._say(f"A sender's process ended with status {process.returncode}: the others take over its readers.")
            return
        brought = json.loads(said)
        self.sent += brought["sent"]
        if brought["halted"]:
            self.halted = brought["halted"]
            self.end()


def _worth(settings: Settings, due: int) -> int:
    """How many processes so many batches pay for. SQLite has one writer at a time: two processes that take turns, each
    with a wait for the disk, were measured to take twice as long as one that writes for all connections together."""
    return 1 if settings.database.startswith("sqlite") else min(os.cpu_count() or 1, due // BATCHES)
