"""The database goes away in the middle of a delivery, and the process lives: PostgreSQL is restarted again and again,
SQLite's file is locked by another, its disk is full. Nobody is lost, and nothing that a server acknowledged is sent
again."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from flows.delivery.run import deliver
from flows.editions.model import Kind
from flows.storage.database import connect
from flows.storage.editions import Frozen
from subscribers.model import DeliveryState
from tests import factories
from tests.conftest import PostgresqlServer
from tests.crashes.copies import database_of
from tests.crashes.scene import Place, opened, prepare
from tests.sending.smtp import mail_server

Disturb = Callable[[], Awaitable[int]]
"""Makes the database go away and come back, once or several times; how often it did."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a delivery during which the database was away came to."""

    outages: int
    readers: int
    lost: int
    twice: int
    waited: int
    """How often it said that it waits for the database."""
    left: int
    """Rows that are not sent."""

    @property
    def broken(self) -> bool:
        return bool(self.lost or self.twice or self.left)

    def __str__(self) -> str:
        return (
            f"{self.outages} outages, {self.readers} readers: {self.lost} lost, {self.twice} sent twice, {self.left} "
            f"not sent; it said {self.waited} times that it waits"
        )


async def deliver_through(url: str, readers: int, rate: float, disturb: Disturb) -> Outcome:
    """Delivers to so many readers, at most so many a second, while the database goes away and comes back."""
    addresses = [f"reader-{n}@d{n % 9}.example" for n in range(readers)]
    database = connect(url)
    await prepare(database, addresses)
    await database.close()
    said: list[str] = []
    async with mail_server() as server:
        # its leases are short: also a batch that is lost meanwhile makes nobody get it twice
        place = Place(database=url, port=server.port, connections=4, size=50, lease=2, final_reply=300, rate=rate)
        async with opened(place) as context:
            frozen = await context.store.find("daily", Kind.DAILY, factories.DAY)
            assert isinstance(frozen, Frozen)
            working = asyncio.create_task(deliver(context, frozen, said.append))
            await server.has_taken(readers // 20)
            outages = await disturb()
            delivered = await asyncio.wait_for(working, 600)
    got = Counter(taken.recipient for taken in server.taken)
    return Outcome(
        outages,
        readers,
        lost=len(set(addresses) - set(got)),
        twice=sum(count - 1 for count in got.values()),
        waited=sum("database" in sentence and "wait" in sentence for sentence in said),
        left=readers - delivered.counts.get(DeliveryState.SENT, 0),
    )


async def restarted(server: PostgresqlServer, readers: int, times: int, random: Random) -> Outcome:
    """PostgreSQL is stopped at once and started again, so many times, each after a moment of work."""
    url = await database_of(server.url, "outages")

    async def disturb() -> int:
        for _ in range(times):
            await asyncio.sleep(random.uniform(0.05, 0.6))
            await asyncio.to_thread(server.stop)
            await asyncio.sleep(random.uniform(0, 0.5))
            await asyncio.to_thread(server.start)
        return times

    return await deliver_through(url, readers, readers / (times * 2), disturb)


async def locked(folder: Path, readers: int, seconds: float) -> Outcome:
    """Another program holds SQLite's write lock for so long."""
    file = folder / "locked.db"

    async def disturb() -> int:
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("PRAGMA busy_timeout = 10000")
        other.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(seconds)
        other.execute("ROLLBACK")
        other.close()
        return 1

    return await deliver_through(f"sqlite+aiosqlite:///{file}", readers, 500, disturb)


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path | None]:
    """A folder on a disk of its own; None where this process may not make one."""
    mount = folder / "small-disk"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(mount)]
    if os.geteuid() or subprocess.run(command, check=False, capture_output=True).returncode:
        yield None
        return
    try:
        yield mount
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)


async def full(disk: Path, readers: int, times: int) -> Outcome:
    """The disk is filled to its last byte, and emptied again."""
    ballast = disk / "ballast"

    async def disturb() -> int:
        for _ in range(times):
            _fill(ballast)
            await asyncio.sleep(2)
            ballast.unlink()
            await asyncio.sleep(0.5)
        return times

    return await deliver_through(f"sqlite+aiosqlite:///{disk / 'full.db'}", readers, readers / (times * 3), disturb)


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as written, suppress(OSError):
        while True:
            try:
                written.write(b"\0" * 4096)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                return
