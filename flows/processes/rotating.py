"""Logs that end: a file of bounded size, and a few before it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

SIZE = 10_000_000
"""Bytes of a log before the next one is begun."""
COUNT = 9
"""Logs that are kept besides the newest, as NAME.log.1 (the latest of them) and so on."""
AGE = 86400.0
"""Seconds after which the next one is begun though this one is small, so that what is old can be deleted."""


class RotatingLog:
    """A log that a process begins; one that is full or old makes way."""

    def __init__(self, file: Path, size: int = SIZE, count: int = COUNT, now: Callable[[], float] = time.time) -> None:
        self._file, self._size, self._count, self._now = file, size, count, now
        file.parent.mkdir(parents=True, exist_ok=True)
        self._begin()

    def _begin(self) -> None:
        if self._file.exists() and self._file.stat().st_size:
            for number in range(self._count, 0, -1):
                older = numbered(self._file, number - 1)
                if older.exists():
                    older.replace(numbered(self._file, number))
        # without a buffer: what a full disk does not take is not kept for later
        self._handle = self._file.open("ab", buffering=0)
        self._written, self._begun = 0, self._now()

    def write(self, data: bytes) -> None:
        if self._written and (self._written + len(data) > self._size or self._now() - self._begun > AGE):
            self._handle.close()
            self._begin()
        self._handle.write(data)
        self._written += len(data)

    def close(self) -> None:
        self._handle.close()


def numbered(file: Path, number: int) -> Path:
    return file.with_name(f"{file.name}.{number}") if number else file


async def copy(pipe: asyncio.StreamReader, log: RotatingLog) -> None:
    """Writes down what comes through a pipe, until its end. A disk that is full costs lines, never the process that
    says them."""
    try:
        while data := await pipe.read(65_536):
            with contextlib.suppress(OSError):
                log.write(data)
    finally:
        log.close()
