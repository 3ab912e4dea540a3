"""Brings deliveries to the mail server and says what came of each. Knows the ledger by the interface below alone.

A message is marked in the ledger before its first byte leaves, and its outcome is recorded after the reply: a courier
that dies leaves at most one delivery per connection in doubt.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from flows.mail.model import Message
from flows.mail.transports import CantConnect, Connect, Connection
from flows.outcomes import LOGIN_WANTED, Outcome, Verdict, anonymous

T = TypeVar("T")
Item = TypeVar("Item")

PAUSES: Sequence[float] = (0.5, 1)
"""Seconds between attempts to connect; after the last one fails, the server or our configuration is at fault."""
PATIENCE = 3
"""How many messages in a row, for each connection, may come to nothing before the courier stops."""


class Batch(Protocol[Item]):
    """What the courier needs of a claimed batch of the ledger."""

    @property
    def items(self) -> Sequence[Item]: ...

    async def write(self, item: Item) -> Message | None:
        """The message for a delivery; None: its reader gets none, which has been recorded."""

    async def mark(self, item: Item) -> bool:
        """Marks a delivery as *sending*; False: leave it alone."""

    async def record(self, item: Item, outcome: Outcome) -> None: ...


@dataclass(slots=True)
class Report:
    """What a courier did."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    halted: str = ""
    """Why it stopped early, in one sentence; empty: it did not."""


@dataclass(slots=True)
class _Line:
    """An open connection. `proven`: it has brought a message, so what fails next may be the connection's age."""

    connection: Connection
    proven: bool = False


class _Round(Generic[Item]):
    """A batch under way: what still waits, and whether it is over."""

    def __init__(self, batch: Batch[Item]) -> None:
        self.batch = batch
        self.waiting = deque(batch.items)
        self.over = asyncio.Event()
        self.enough = asyncio.Event()
        """Nobody who is still connecting is needed any more."""

    def end(self) -> None:
        """No message is begun any more; those under way are brought to their end."""
        self.over.set()
        self.enough.set()

    def next(self) -> Item:
        item = self.waiting.popleft()
        if not self.waiting:
            self.enough.set()
        return item

    async def pause(self, seconds: float) -> None:
        """Waits, at most until it is over."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), seconds)


class Courier:
    """Some connections to one mail server, kept open between batches, at a bounded pace."""

    def __init__(
        self, connect: Connect, *, connections: int = 4, rate: float = 0, pauses: Sequence[float] = PAUSES
    ) -> None:
        self._connect = connect
        self._connections = connections
        self._interval = 1 / rate if rate else 0.0
        self._pauses = pauses
        self._next_turn = 0.0
        self._idle: list[_Line] = []
        self._in_hand = 0
        self._reached = False
        self._door = asyncio.Lock()
        self._fruitless = 0
        self.report = Report()

    async def deliver(self, batch: Batch[Item], stop: asyncio.Event) -> None:
        """Works a batch to its end, or until `stop` is set or the server fails for everybody; what was not begun
        stays as it is. Messages under way are brought to their end also when a worker fails or this is cancelled:
        otherwise the ledger could not say what became of them. A second cancellation ends it at once."""
        work = _Round(batch)
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: work.end())
        workers = [asyncio.create_task(self._work(work)) for _ in range(min(self._connections, len(batch.items)))]
        try:
            if workers:
                await self._until_done(workers, work)
        finally:
            for task in (stopping, *workers):
                task.cancel()
            await asyncio.gather(stopping, *workers, return_exceptions=True)
        for worker in workers:
            worker.result()

    async def _until_done(self, workers: Sequence[asyncio.Task[None]], work: _Round[Item]) -> None:
        try:
            await asyncio.wait(workers)
        except asyncio.CancelledError:
            work.end()
            await asyncio.wait(workers)
            raise

    async def _work(self, work: _Round[Item]) -> None:
        line: _Line | None = None
        try:
            while work.waiting and not work.over.is_set():
                line = await self._ready(line, work, work.enough)
                if line is None or not work.waiting:
                    break
                item = work.next()
                message = await work.batch.write(item)
                if message is None:
                    continue
                await self._turn(work)
                if work.over.is_set() or not await work.batch.mark(item):
                    continue
                line, outcome = await self._send(line, message, work)
                await work.batch.record(item, outcome)
                await self._judge(message, outcome, work)
                if line is None:
                    break
        except BaseException:
            work.end()
            raise
        finally:
            if line is not None:
                self._in_hand -= 1
                self._idle.append(line)

    async def _send(self, line: _Line, message: Message, work: _Round[Item]) -> tuple[_Line | None, Outcome]:
        """Sends a message, by another line where this one, having served well, is closed before the message's turn:
        servers limit the messages of a connection (RFC 5321 section 3.8) and its idle time."""
        while True:
            outcome = await line.connection.send(message)
            again = outcome.verdict is Verdict.UNSENT and line.proven and not line.connection.usable
            line.proven = line.proven or outcome.verdict is Verdict.SENT
            if not again:
                return line, outcome
            other = await self._ready(line, work, work.over)
            if other is None:
                return None, outcome
            line = other

    async def _judge(self, message: Message, outcome: Outcome, work: _Round[Item]) -> None:
        """Stops everything where the server fails for everybody, so that no delivery is spent on it."""
        self.report.verdicts[outcome.verdict] += 1
        said = f"{outcome.code or 'no reply'}: {anonymous(outcome.text)[:120]}"
        if outcome.ours:
            refused, remedy = f"the sender {message.sender}", "PAPERROUND_SENDER and PAPERROUND_RETURN_PATH"
            if outcome.code in LOGIN_WANTED:
                refused, remedy = "to work without a login", "the user and password in PAPERROUND_MAIL_URL"
            self._halt(f"The mail server refuses {refused} ({said}): check {remedy}.", work)
            return
        silent = outcome.code is None and outcome.verdict is not Verdict.SENT
        self._fruitless = self._fruitless + 1 if silent or outcome.verdict is Verdict.UNSENT else 0
        if self._fruitless >= PATIENCE * self._connections:
            self._halt(f"The mail server takes no message any more ({said}): check PAPERROUND_MAIL_URL.", work)
        elif self._fruitless:
            await work.pause(min(0.1 * 2**self._fruitless, 5))

    def _halt(self, sentence: str, work: _Round[Item]) -> None:
        self.report.halted = self.report.halted or sentence
        work.end()

    async def _ready(self, line: _Line | None, work: _Round[Item], needless: asyncio.Event) -> _Line | None:
        """This line, or another one if it can't be used; None: there is none to be had, or it has become needless."""
        if line is not None:
            if line.connection.usable:
                return line
            self._in_hand -= 1
            await line.connection.close()
        while self._idle:
            kept = self._idle.pop()
            if kept.connection.usable:
                self._in_hand += 1
                return kept
            await kept.connection.close()
        if not self._reached:
            async with self._door:  # one alone finds out whether we are let in: a refused login is tried once
                if not self._reached:
                    return await self._open(work, needless)
        return await self._open(work, needless)

    async def _open(self, work: _Round[Item], needless: asyncio.Event) -> _Line | None:
        words = ""
        for pause in (*self._pauses, None):
            if needless.is_set():
                return None
            try:
                connection = await _unless(needless, self._connect())
            except CantConnect as error:
                words = str(error)
                if error.lasting or pause is None:
                    break
                await work.pause(pause)
                continue
            if connection is None:
                return None
            self._reached = True
            self._in_hand += 1
            return _Line(connection)
        # Where others are at work the server only wants fewer connections.
        if not self._in_hand:
            self._halt(words, work)
        return None

    async def _turn(self, work: _Round[Item]) -> None:
        """Waits for a message's turn: turns are given out ahead, so that all connections share one pace."""
        if not self._interval:
            return
        now = asyncio.get_running_loop().time()
        turn = max(self._next_turn, now)
        self._next_turn = turn + self._interval
        if turn > now:
            await work.pause(turn - now)

    async def close(self) -> None:
        await asyncio.gather(*(line.connection.close() for line in self._idle))
        self._idle.clear()


async def _unless(needless: asyncio.Event, work: Awaitable[T]) -> T | None:
    """What `work` gives, or None as soon as it is needless."""
    working, waiting = asyncio.ensure_future(work), asyncio.create_task(needless.wait())
    try:
        await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, waiting):
            task.cancel()
        await asyncio.gather(working, waiting, return_exceptions=True)
