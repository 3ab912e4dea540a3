"""Brings deliveries to the mail server and says what came of each. Knows the ledger by `waiting.Batch` alone.

A message is marked in the ledger before the first byte of its content leaves, and its outcome is recorded after the
reply. While the content of one message goes out, the envelope of the next goes with it; the outcome of the one and the
mark of the other are asked for together. A courier that dies leaves at most one delivery per connection in doubt.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Generic, TypeVar

from flows.mail.model import Message
from flows.outcomes import LOGIN_WANTED, Outcome, Stage, Verdict, anonymous
from flows.sending.pace import SOON, Flow, Limit, Pace, domain_of
from flows.sending.transports import CantConnect, Connect, Connection
from flows.sending.waiting import Batch, Round

T = TypeVar("T")
Item = TypeVar("Item")

PAUSES: Sequence[float] = (0.5, 1)
"""Seconds between attempts to connect; after the last one fails, the server or our configuration is at fault."""
PATIENCE = 3
"""How many messages in a row, for each connection, may come to nothing before the courier stops."""
IN_A_ROW = 20
"""So many readers in a row refused for reasons of policy (5.7.x) are not about the readers, but about us."""
AHEAD = 5
"""For each connection, so many deliveries wait before the next batch is fetched."""

Reserve = Callable[[str, int, float], Awaitable[float]]


@dataclass(slots=True)
class Report:
    """What a courier did."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    halted: str = ""
    """Why it stopped early, in one sentence; empty: it did not."""


@dataclass(slots=True)
class _Line:
    """An open connection."""

    connection: Connection
    sent: int = 0
    """How many messages it has brought; if any, what fails next may be the connection's age."""


@dataclass(slots=True)
class _Parcel(Generic[Item]):
    """A delivery with its message, whose turn has come."""

    item: Item
    message: Message
    address: str


@dataclass(frozen=True, slots=True)
class _Held:
    """A reader refused for reasons of policy. `record` writes it down, or settles it without a word."""

    record: Callable[[Outcome], Awaitable[object]]
    outcome: Outcome


class Courier:
    """Some connections to one mail server, kept open between deliveries, at a bounded pace.

    `reserve(place, turns, rate)` makes it share the rates of `rate` and `limits` with all other couriers: it takes so
    many turns for a domain, or for "", which is all together, and says in how many seconds the first one comes.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        connections: int = 4,
        rate: float = 0,
        limits: Mapping[str, Limit] | None = None,
        reserve: Reserve | None = None,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._connect = connect
        self._connections = connections
        self._pace = Pace(rate, limits, partial(self._ask, reserve) if reserve else None)
        self._asking: set[asyncio.Task[None]] = set()
        self._failed: list[BaseException] = []
        self._ending: Callable[[], None] = lambda: None
        self._pauses = pauses
        self._idle: list[_Line] = []
        self._in_hand = 0
        self._reached = False
        self._door = asyncio.Lock()
        self._fruitless = 0
        self._enough_for_one = 0
        """So many messages the server takes in one connection; 0: as many as there are."""
        self._ended_at = 0
        self._refused: set[str] = set()
        """The readers refused for reasons of policy, one after another."""
        self._held: list[_Held] = []
        """Those of them whose refusal is not recorded: it may turn out to be about us."""
        self.report = Report()

    async def deliver(self, batch: Batch[Item], stop: asyncio.Event) -> None:
        """Brings all that is fetched, or until `stop` is set or the server fails for everybody; what was not begun
        stays as it is. Messages under way are brought to their end also when a worker fails or this is cancelled:
        otherwise the ledger could not say what became of them. A second cancellation ends it at once."""
        work = Round(batch, self._pace, AHEAD * self._connections)
        self._ending = work.end
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: work.end())
        feeding = asyncio.create_task(self._feed(work))
        try:
            try:
                await asyncio.wait([feeding])
            except asyncio.CancelledError:
                work.end()
                await asyncio.wait([feeding])
                raise
        finally:
            stopping.cancel()
            feeding.cancel()
            await asyncio.gather(stopping, feeding, return_exceptions=True)
        feeding.result()

    async def _feed(self, work: Round[Item]) -> None:
        """Fetches before the last deliveries are taken, and keeps as many workers as there is work for."""
        workers: set[asyncio.Task[None]] = set()

        def staff() -> None:
            """Also when a worker ends: something may have come since it found nothing left."""
            wanted = 0 if work.over.is_set() else min(self._connections - work.unwanted, work.waiting)
            for _ in range(wanted - len(workers)):
                self._start(self._work(work), workers, staff)

        try:
            while not work.over.is_set():
                items = await work.batch.fetch(work.over)
                if not items:
                    break
                work.add(items)
                work.unwanted = 0
                staff()
                await work.hungry.wait()
        except BaseException:
            work.end()
            raise
        finally:
            try:
                while workers:
                    await asyncio.wait(workers)
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.gather(*workers, return_exceptions=True)
        await self._settle(Verdict.UNSENT)
        failed, self._failed = self._failed, []
        if failed:
            raise failed[0]

    def _start(
        self, work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]], then: Callable[[], None] | None = None
    ) -> None:
        """Begins something that goes on by itself; what it fails with ends the delivery, and is raised there. `then` is
        called at its end."""

        def ended(task: asyncio.Task[None]) -> None:
            tasks.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                self._failed.append(error)
                self._ending()
            if then:
                then()

        task = asyncio.create_task(work)
        task.add_done_callback(ended)
        tasks.add(task)

    def _ask(self, reserve: Reserve, flow: Flow) -> None:
        """Asks for a flow's next block of the turns that couriers share."""

        async def granted(turns: int) -> None:
            ahead = await reserve(flow.place, turns, flow.limit.rate)
            flow.grant(_now() + ahead, turns)

        self._start(granted(flow.block), self._asking)

    async def _work(self, work: Round[Item]) -> None:
        """One connection's messages, one after another, each with the envelope of the next."""
        line: _Line | None = None
        parcel: _Parcel[Item] | None = None
        recording: asyncio.Future[object] | None = None
        try:
            while not work.over.is_set():
                line = await self._ready(line, work, work.over if parcel else work.enough)
                parcel = parcel or (await self._next(work) if line is not None else None)
                if line is None or parcel is None:
                    break
                carried, parcel = parcel, None
                line, parcel, recording = await self._carry(line, carried, work, recording)
            if recording is not None:
                await recording
        except BaseException:
            work.end()
            if line is not None:
                line.connection.abandon()
            raise
        finally:
            if parcel is not None:
                work.back(parcel.item, parcel.address)
                if line is not None:
                    line.connection.abandon()  # its envelope may have left
            if line is not None:
                self._in_hand -= 1
                self._idle.append(line)
        if not work.under_way:
            await self._settle(Verdict.UNSENT)

    async def _carry(
        self, line: _Line, parcel: _Parcel[Item], work: Round[Item], recording: asyncio.Future[object] | None
    ) -> tuple[_Line | None, _Parcel[Item] | None, asyncio.Future[object]]:
        """Brings one message; gives the connection, the next message if its envelope has left, and the record that is
        being written. `recording` is that of the message before.

        It goes by another connection where this one, having served well, is closed before the message's turn: servers
        limit the messages of a connection (RFC 5321 section 3.8) and its idle time.
        """
        item, message = parcel.item, parcel.message
        following: _Parcel[Item] | None = None
        marked = False
        left: _Line | None = line
        try:
            while True:
                outcome = await line.connection.offer(message)
                if outcome is None:
                    if not marked:
                        # together with the record of the message before: both go into one transaction
                        marking = asyncio.ensure_future(work.batch.mark(item))
                        following = await self._following(work, line)
                        if recording is not None:
                            await recording
                        if not await marking:
                            line.connection.abandon()
                            return line, following, _done()
                        marked = True
                        if self._refused:
                            await self._settle(Verdict.REJECTED)
                    outcome = await line.connection.bring(message, following.message if following else None)
                if not (outcome.verdict is Verdict.UNSENT and line.sent and not line.connection.usable):
                    break
                self._learn(line, outcome)
                left = await self._ready(line, work, work.over)
                if left is None:
                    break
                line = left
        except BaseException:
            line.connection.abandon()
            raise
        finally:
            work.done(parcel.address)
        line.sent += outcome.verdict is Verdict.SENT
        if recording is not None:
            await recording
        recorded = asyncio.ensure_future(self._record(parcel, outcome, work, marked=marked))
        await self._judge(parcel, outcome, work)
        return left, following, recorded

    async def _next(self, work: Round[Item]) -> _Parcel[Item] | None:
        """The next message, when its turn has come; None: nothing waits, or it is over."""
        while not work.over.is_set():
            item, wait = work.take(_now())
            if item is None:
                if not wait:
                    return None
                await work.pause(min(wait, 1))
                continue
            parcel = await self._parcel(item, work)
            if parcel is None:
                continue
            while (turn := self._pace.all.take(_now())) is None and not work.over.is_set():
                await work.pause(SOON)
            if turn:
                await work.pause(turn)
            if work.over.is_set():
                work.back(item, parcel.address)
                return None
            return parcel
        return None

    async def _following(self, work: Round[Item], line: _Line) -> _Parcel[Item] | None:
        """The message whose envelope may leave with the content of the one that is under way; None: not now."""
        last = self._enough_for_one and line.sent + 1 >= self._enough_for_one
        while not (last or work.over.is_set() or self._pace.all.wait(now := _now())):
            item, _ = work.take(now)
            if item is None:
                return None
            self._pace.all.take(now)  # before anybody else does
            parcel = await self._parcel(item, work)
            if parcel is not None:
                return parcel
            self._pace.all.back(_now())
        return None

    async def _parcel(self, item: Item, work: Round[Item]) -> _Parcel[Item] | None:
        address = work.batch.address(item)
        try:
            message = await work.batch.write(item)
        except BaseException:
            work.done(address)
            raise
        if message is None:
            work.done(address)
            return None
        return _Parcel(item, message, address)

    def _record(self, parcel: _Parcel[Item], outcome: Outcome, work: Round[Item], *, marked: bool) -> Awaitable[object]:
        """Records an outcome. A refusal for reasons of policy waits until it is known whether it is about the reader:
        it is where another is taken, and where the same reader is refused once more."""

        def record(what: Outcome) -> Awaitable[object]:
            self.report.verdicts[what.verdict] += 1
            return work.batch.record(parcel.item, what, marked=marked)

        if not outcome.policy or marked:
            return self._after(record(outcome)) if self._held and outcome.code and not outcome.ours else record(outcome)
        if parcel.address in self._refused:
            return record(outcome)
        self._refused.add(parcel.address)
        self._held.append(_Held(record, outcome))
        if len(self._refused) >= IN_A_ROW:
            said = f"{outcome.code}: {anonymous(outcome.text)[:120]}"
            self._halt(
                f"The mail server refused {IN_A_ROW} readers in a row for reasons of policy ({said}): check whether it "
                "may send for PAPERROUND_SENDER, and your domain's SPF and DKIM.",
                work,
            )
        return _done()

    async def _after(self, recording: Awaitable[object]) -> None:
        """A reply of another kind ends a row of refusals for reasons of policy."""
        await recording
        await self._settle(Verdict.REJECTED)

    async def _settle(self, verdict: Verdict) -> None:
        """Ends a row of refusals for reasons of policy. REJECTED: they were about the readers. UNSENT: that is not
        known; they are asked for again."""
        held, self._held = self._held, []
        if verdict is Verdict.REJECTED:
            self._refused.clear()
        for one in held:
            await one.record(one.outcome if verdict is Verdict.REJECTED else replace(one.outcome, verdict=verdict))

    def _learn(self, line: _Line, outcome: Outcome) -> None:
        """A server that says 421 twice after as many messages takes no more of them in one connection."""
        if outcome.code == 421 and outcome.stage is Stage.MAIL:
            if self._ended_at == line.sent:
                self._enough_for_one = line.sent
            self._ended_at = line.sent

    async def _judge(self, parcel: _Parcel[Item], outcome: Outcome, work: Round[Item]) -> None:
        """Stops everything where the server fails for everybody, so that no delivery is spent on it."""
        self._pace.heard(domain_of(parcel.address), outcome, _now())
        if outcome.verdict is Verdict.SENT:
            self._fruitless = 0
            return
        said = f"{outcome.code or 'no reply'}: {anonymous(outcome.text)[:120]}"
        if outcome.ours:
            refused, remedy = f"the sender {parcel.message.sender}", "PAPERROUND_SENDER and PAPERROUND_RETURN_PATH"
            if outcome.code in LOGIN_WANTED:
                refused, remedy = "to work without a login", "the user and password in PAPERROUND_MAIL_URL"
            self._halt(f"The mail server refuses {refused} ({said}): check {remedy}.", work)
            return
        in_vain = outcome.code is None or outcome.verdict is Verdict.UNSENT
        self._fruitless = self._fruitless + 1 if in_vain else 0
        if self._fruitless >= PATIENCE * self._connections:
            self._halt(f"The mail server takes no message any more ({said}): check PAPERROUND_MAIL_URL.", work)
        elif self._fruitless:
            await work.pause(min(0.1 * 2**self._fruitless, 5))

    def _halt(self, sentence: str, work: Round[Item]) -> None:
        self.report.halted = self.report.halted or sentence
        work.end()

    async def _ready(self, line: _Line | None, work: Round[Item], needless: asyncio.Event) -> _Line | None:
        """This line, or another one if it can't be used; None: there is none to be had, or it has become needless."""
        if line is not None:
            if self._good(line):
                return line
            self._in_hand -= 1
            await line.connection.close()
        while self._idle:
            kept = self._idle.pop()
            if self._good(kept):
                self._in_hand += 1
                return kept
            await kept.connection.close()
        if not self._reached:
            async with self._door:  # one alone finds out whether we are let in: a refused login is tried once
                if not self._reached:
                    return await self._open(work, needless)
        return await self._open(work, needless)

    def _good(self, line: _Line) -> bool:
        return line.connection.usable and not (self._enough_for_one and line.sent >= self._enough_for_one)

    async def _open(self, work: Round[Item], needless: asyncio.Event) -> _Line | None:
        words = ""
        for pause in (*self._pauses, None):
            if needless.is_set():
                return None
            try:
                connection = await _unless(needless, self._connect())
            except CantConnect as error:
                words = str(error)
                if error.busy:
                    self._pace.all.slow(_now())
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
        work.unwanted += 1
        if not self._in_hand:
            self._halt(words, work)
        return None

    async def close(self) -> None:
        for asking in self._asking:
            asking.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        await asyncio.gather(*(line.connection.close() for line in self._idle))
        self._idle.clear()


def _now() -> float:
    return asyncio.get_running_loop().time()


def _done() -> asyncio.Future[object]:
    done: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done


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
