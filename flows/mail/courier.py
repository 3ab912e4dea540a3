"""Brings deliveries to the mail server and says what came of each. Knows the ledger by the interface below alone.

A message is marked in the ledger before its first byte leaves, and its outcome is recorded after the reply: a courier
that dies leaves at most one delivery per connection in doubt.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from flows.mail.model import Message
from flows.mail.transports import CantConnect, Connect, Connection
from flows.outcomes import Outcome, Verdict

Item = TypeVar("Item")

PATIENCE = 3
"""How often in a row a fresh connection may bring nothing before the courier stops: then it is the server's, or our
own configuration's fault, and no delivery is spent on it."""


class Batch(Protocol[Item]):
    """What the courier needs of a claimed batch of the ledger."""

    items: Sequence[Item]

    async def prepare(self, item: Item) -> Message | None:
        """The message for a delivery, marked as *sending*; None: it was skipped, or is not ours any more."""

    async def record(self, item: Item, outcome: Outcome) -> None: ...


@dataclass(slots=True)
class Report:
    """What a courier did."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    halted: str = ""
    """Why it stopped early, in one sentence; empty: it did not."""


class Courier:
    """Some connections to one mail server, kept open between batches, at a bounded pace."""

    def __init__(
        self,
        connect: Connect,
        *,
        connections: int = 4,
        rate: float = 0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._connect = connect
        self._idle: list[Connection] = []
        self._connections = connections
        self._interval = 1 / rate if rate else 0.0
        self._next_start = 0.0
        self._sleep = sleep
        self._fruitless = 0
        self.report = Report()

    async def deliver(self, batch: Batch[Item], stop: asyncio.Event) -> None:
        """Works a batch to its end, or until `stop` is set or the server fails for everybody; what was not begun
        stays as it is. Messages that are under way are brought to their end."""
        waiting = iter(batch.items)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._connections, len(batch.items))):
                group.create_task(self._work(batch, waiting, stop))

    async def _work(self, batch: Batch[Item], waiting: Iterator[Item], stop: asyncio.Event) -> None:
        connection: Connection | None = None
        try:
            for item in waiting:
                if stop.is_set() or self.report.halted:
                    break
                connection = await self._open(connection)
                if connection is None:
                    break
                await self._one(batch, item, connection)
        finally:
            if connection is not None:
                self._idle.append(connection)

    async def _open(self, connection: Connection | None) -> Connection | None:
        """This connection, or another one if it can't be used; None: there is none to be had."""
        if connection is not None and connection.usable:
            return connection
        if connection is not None:
            await connection.close()
        while self._idle:
            kept = self._idle.pop()
            if kept.usable:
                return kept
            await kept.close()
        for attempt in range(PATIENCE):
            try:
                return await self._connect()
            except CantConnect as error:
                words = str(error)
            if attempt < PATIENCE - 1 and not self.report.halted:
                await self._sleep(2.0**attempt)
        self.report.halted = words
        return None

    async def _one(self, batch: Batch[Item], item: Item, connection: Connection) -> None:
        await self._pace()
        message = await batch.prepare(item)
        if message is None:
            return
        outcome = await connection.send(message)
        await batch.record(item, outcome)
        self.report.verdicts[outcome.verdict] += 1
        self._fruitless = self._fruitless + 1 if outcome.verdict is Verdict.UNSENT else 0
        if self._fruitless >= PATIENCE * self._connections:
            self.report.halted = (
                f"The mail server refuses every message ({outcome.code or 'no reply'}: {outcome.text[:120]}): "
                "check PAPERROUND_SENDER, PAPERROUND_RETURN_PATH and PAPERROUND_MAIL_URL."
            )

    async def _pace(self) -> None:
        """Waits for this message's turn: turns are given out ahead, so that all connections share one pace."""
        if not self._interval:
            return
        now = asyncio.get_running_loop().time()
        turn = max(self._next_start, now)
        self._next_start = turn + self._interval
        if turn > now:
            await self._sleep(turn - now)

    async def close(self) -> None:
        for connection in self._idle:
            await connection.close()
        self._idle.clear()
