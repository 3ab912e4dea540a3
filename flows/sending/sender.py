"""Brings deliveries to the mail server and says what came of each. Knows ledger and outbox by `waiting_list.Batch`.

A message is marked in the ledger before the first byte of its content leaves, and its outcome is recorded after the
reply. While the content of one message goes out, the envelope of the next goes with it; the outcome of the one and the
mark of the other are asked for together. A sender that dies leaves at most one delivery per connection in doubt,
beside those whose content was refused and that are held.

What a refusal means is decided in `brakes`; what is held there for want of proof is recorded, put off or given back
here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Generic, TypeVar

from flows.mail.model import Message
from flows.outcomes import Outcome, Verdict
from flows.sending.brakes import FEW, Brakes, Decision, Do, Says, Tried, read
from flows.sending.connections import Connections, NoConnection, OpenConnection
from flows.sending.limits import Limit
from flows.sending.pace import SOON, Flow, Pace, Waits, domain_of
from flows.sending.slots import Slots
from flows.sending.transports import Connect
from flows.sending.waiting_list import PATIENT, Batch, D, WaitingList
from flows.turns import Asked, Granted, WarmUp

T = TypeVar("T")

AHEAD = 5
"""For each connection, so many deliveries wait before the next batch is fetched."""
GRACE = 2.0
"""Seconds that a stop waits for the reply to an envelope: no content has left, and nothing is lost without it."""

IDLE = 0.5
"""Seconds with nothing to bring after which nobody is expected to show whose a refusal is."""

Reserve = Callable[[Asked], Awaitable[Granted]]


@dataclass(slots=True)
class SenderReport:
    """What a sender did."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    halted: str = ""
    """Why it stopped early, in one sentence; empty: it did not."""
    login: bool = False
    """It is the login that was refused."""
    full: Mapping[str, Waits] = field(default_factory=dict)
    """What went back since a limit was reached, by domain; of all mail together by the empty name."""


@dataclass(slots=True)
class _Held(Generic[D]):
    """A refusal of which it is not known whose it is."""

    delivery: D
    outcome: Outcome
    says: Says
    marked: bool


@dataclass(slots=True)
class _Attempt(Generic[D]):
    """A delivery under way."""

    delivery: D
    message: Message
    domain: str
    connection: OpenConnection
    recording: asyncio.Future[object] | None
    """The record of the message before, while it is being written."""
    following: tuple[D, Message] | None = None
    """The next message, whose envelope leaves with this one's content."""
    marked: bool = False
    fresh: bool = False
    """It was refused over another connection, and goes over a fresh one for that."""
    spent_after: int = 0


_Another = Callable[[OpenConnection, WaitingList[D]], Awaitable[OpenConnection | None]]
_RECORD = Decision(Do.RECORD)


class Sender(Generic[D]):
    """Some connections to one mail server, kept open between deliveries, at a bounded pace.

    `reserve` makes it share what `rate`, `limits` and `warm_up` allow with all other senders: it takes turns for a
    domain, or for "", which is all together, and says when the first one comes, or when there will be some. `urgent`:
    its messages are counted, and wait for no window. `slots` makes it share the connections of this machine. `ahead`:
    deliveries are fetched, and their envelopes sent, before a connection is free. `patience`: seconds for which a
    server that is away is waited for.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        connections: int = 4,
        rate: Limit | float = 0,
        limits: Mapping[str, Limit] | None = None,
        warm_up: WarmUp | None = None,
        urgent: bool = False,
        reserve: Reserve | None = None,
        slots: Slots | None = None,
        say: Callable[[str], None] = lambda _: None,
        patience: float = 0.0,
        ahead: bool = True,
    ) -> None:
        self._number = connections
        self._reserve = reserve
        ask = partial(self._ask, reserve) if reserve else None
        self._pace = Pace(rate, limits, ask, warm_up, urgent=urgent)
        self._connections = Connections(connect, self._pace, slots, say, patience)
        self._brakes = Brakes(connections)
        self._say = say
        self._ahead = ahead
        self._asking: set[asyncio.Task[None]] = set()
        self._settling: set[asyncio.Task[None]] = set()
        self._failed: list[BaseException] = []
        self._ending: Callable[[], None] = lambda: None
        self._marking: set[asyncio.Future[bool]] = set()
        self._held: list[_Held[D]] = []
        self.report = SenderReport()

    async def deliver(self, batch: Batch[D], stop: asyncio.Event) -> None:
        """Brings all that is fetched, or until `stop` is set or the server fails for everybody; what was not begun
        is given back. Messages under way are brought to their end also when a worker fails or this is cancelled:
        otherwise the ledger could not say what became of them. A second cancellation ends it at once."""
        work = WaitingList(batch, self._pace, AHEAD * self._number if self._ahead else 1)
        self._ending = work.end
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: work.end())
        feeding = asyncio.create_task(self._feed(work))
        hurrying = asyncio.create_task(self._hurry(work))
        tidying = asyncio.create_task(self._connections.tidy())
        try:
            try:
                await asyncio.wait([feeding])
            except asyncio.CancelledError:
                work.end()
                await asyncio.wait([feeding])
                raise
        finally:
            tasks = (stopping, hurrying, tidying, feeding)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        feeding.result()

    async def _hurry(self, work: WaitingList[D]) -> None:
        """Once it is over, what no content has left for is waited for no longer than GRACE."""
        await work.over.wait()
        await asyncio.sleep(GRACE)
        self._connections.abandon_offers()
        for marking in list(self._marking):
            marking.cancel()

    async def _feed(self, work: WaitingList[D]) -> None:
        """Fetches before the last deliveries are taken, and keeps as many workers as there is work for."""
        workers: set[asyncio.Task[None]] = set()

        def staff() -> None:
            """Also when a worker ends: something may have come since it found nothing left."""
            # without a list that waits, one that waits is for nobody who is busy
            wanted = work.waiting if self._ahead else work.waiting + work.under_way
            wanted = 0 if work.over.is_set() else min(self._number - work.unwanted, wanted)
            for _ in range(wanted - len(workers)):
                self._start(self._work(work), workers, staff)

        try:
            while not work.over.is_set():
                deliveries = await work.batch.fetch(work.over)
                if not deliveries:
                    break
                self._brakes.was_well = self._brakes.was_well or await work.batch.was_well()
                work.add(deliveries)
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
                work.give_back()
        await self._settle_the_rest(work)
        while self._settling:
            await asyncio.wait(self._settling)
        failed, self._failed = self._failed, []
        if failed:
            raise failed[0]
        self.report.full = {flow.place: flow.waits(_now()) for flow in self._pace.flows if flow.full}

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
        """Asks for a flow's next block of the turns that senders share."""

        async def granted() -> None:
            found = await reserve(flow.asked())
            flow.grant(_now(), found)

        self._start(granted(), self._asking)

    # --- one connection's work

    async def _work(self, work: WaitingList[D]) -> None:
        """One connection's messages, one after another, each with the envelope of the next."""
        connection: OpenConnection | None = None
        following: tuple[D, Message] | None = None
        recording: asyncio.Future[object] | None = None
        try:
            while not work.over.is_set():
                connection = await self._ready(connection, work, work.over if following else work.enough)
                following = following or (await self._next(work) if connection is not None else None)
                if connection is None or following is None:
                    break
                (delivery, message), following = following, None
                connection, following, recording = await self._carry(connection, delivery, message, work, recording)
            if recording is not None:
                await recording
        except BaseException:
            work.end()
            if connection is not None:
                connection.wire.abandon()
            raise
        finally:
            if following is not None:
                work.back(following[0])
                if connection is not None:
                    connection.wire.abandon()  # its envelope may have left
            if connection is not None:
                self._connections.keep(connection)
        if self._held and not work.under_way and not work.waiting:
            self._start(self._settle_when_idle(work), self._settling)

    async def _carry(
        self,
        connection: OpenConnection,
        delivery: D,
        message: Message,
        work: WaitingList[D],
        recording: asyncio.Future[object] | None,
    ) -> tuple[OpenConnection | None, tuple[D, Message] | None, asyncio.Future[object] | None]:
        """Brings one message; gives the connection, the next message if its envelope has left, and the record that is
        being written. `recording` is that of the message before.

        It goes by another connection where this one, having served well, is closed before the message's turn, or may
        be spent: servers limit the messages of a connection (RFC 5321 section 3.8) and its idle time.
        """
        attempt = _Attempt(delivery, message, domain_of(delivery.address), connection, recording)
        left: OpenConnection | None = connection
        try:
            while True:
                outcome = await self._attempt(attempt, work)
                if outcome is None:
                    return attempt.connection, attempt.following, attempt.recording
                left = attempt.connection
                decision, another = self._judge(attempt, outcome)
                if another is None:
                    break
                left = await another(attempt.connection, work)
                if left is None:
                    decision = _RECORD
                    break
                attempt.connection = left
        except BaseException:
            attempt.connection.wire.abandon()
            raise
        finally:
            work.done(delivery, attempt.following[0] if attempt.following else None)
        if attempt.recording is not None:
            await attempt.recording
        self._count(attempt, outcome)
        recorded = self._follow(delivery, outcome, decision, work, marked=attempt.marked)
        await self._heed(attempt.domain, outcome, decision, work)
        return left, attempt.following, recorded

    async def _attempt(self, attempt: _Attempt[D], work: WaitingList[D]) -> Outcome | None:
        """What comes of a message over its present connection. None: it is not brought, and the connection is done."""
        connection = attempt.connection
        connection.offering = True
        outcome = await connection.wire.offer(attempt.message)
        connection.offering = False
        if outcome is not None:
            if not connection.given_up:
                return outcome
            work.batch.give_back(attempt.delivery)
            return None
        if not attempt.marked:
            # together with the record of the message before: both go into one transaction
            marking = work.batch.mark(attempt.delivery)
            attempt.following = await self._following(work, connection, attempt.domain)
            if attempt.recording is not None:
                await attempt.recording
                attempt.recording = None
            if not await self._marked(marking):
                connection.wire.abandon()
                return None
            attempt.marked = True
        return await connection.wire.bring(attempt.message, attempt.following[1] if attempt.following else None)

    def _judge(self, attempt: _Attempt[D], outcome: Outcome) -> tuple[Decision, _Another[D] | None]:
        """What follows from an outcome; and where the message is to go over another connection, how that is had."""
        connection = attempt.connection
        if outcome.verdict is Verdict.SENT:
            return self._brakes.taken(attempt.domain, fresh=attempt.fresh), None
        if outcome.verdict is Verdict.UNSENT and connection.sent and not connection.wire.usable:
            # closed after it served: 421 at MAIL, or idle for too long
            self._connections.learn(connection, outcome)
            return _RECORD, self._ready_again
        again = attempt.delivery.attempts > 0
        tried = Tried(attempt.domain, attempt.message.sender, connection.sent, connection.refused, attempt.fresh, again)
        decision = self._brakes.heard(outcome, tried)
        if decision.do is not Do.FRESH:
            return decision, None
        attempt.fresh, attempt.spent_after = True, connection.sent
        return decision, self._connections.another

    async def _ready_again(self, connection: OpenConnection, work: WaitingList[D]) -> OpenConnection | None:
        return await self._ready(connection, work, work.over)

    def _count(self, attempt: _Attempt[D], outcome: Outcome) -> None:
        """What a connection has brought, and what was refused over it since."""
        connection = attempt.connection
        if outcome.verdict is not Verdict.SENT:
            connection.refused = connection.refused + 1 if self._brakes.may_be_spent(outcome) else 0
            return
        connection.sent += 1
        connection.refused = 0
        if attempt.fresh:
            self._connections.learn_limit(attempt.spent_after)

    async def _marked(self, marking: asyncio.Future[bool]) -> bool:
        """Whether a delivery is marked. A stop waits for no database that is away: it is as if it had not been asked
        for then, which the ledger sees to."""
        if marking.done():
            return marking.result()
        self._marking.add(marking)
        try:
            await asyncio.wait([marking])
        finally:
            self._marking.discard(marking)
        return not marking.cancelled() and marking.result()

    async def _next(self, work: WaitingList[D]) -> tuple[D, Message] | None:
        """The next message, when its turn has come; None: nothing waits, or it is over."""
        while not work.over.is_set():
            if resting := self._resting():
                work.rest(resting)
            delivery, wait = work.take(_now())
            if delivery is None:
                if not wait:
                    return None
                await work.pause(min(wait, 1))
                continue
            message = await self._written(delivery, work)
            if message is None:
                continue
            while (turn := self._pace.all.take(_now())) is None and not (work.over.is_set() or self._resting()):
                await work.pause(SOON)
            if turn is None and self._resting():
                work.back(delivery)
                continue
            if turn:
                await work.pause(turn)
            if work.over.is_set():
                work.back(delivery)
                return None
            return delivery, message
        return None

    def _resting(self) -> float:
        """For how many seconds nothing leaves, since the limit of all mail together is reached."""
        closed = self._pace.all.closed(_now())
        return closed if closed > PATIENT else 0.0

    async def _following(
        self, work: WaitingList[D], connection: OpenConnection, domain: str
    ) -> tuple[D, Message] | None:
        """The message whose envelope may leave with the content of the one that is under way; None: not now."""
        if not self._ahead or self._connections.last_of(connection) or self._connections.wanted():
            return None
        while not (work.over.is_set() or self._pace.all.wait(now := _now())):
            delivery, _ = work.take(now, beside=domain)
            if delivery is None:
                return None
            self._pace.all.take(now)  # before anybody else does
            message = await self._written(delivery, work)
            if message is not None:
                return delivery, message
            self._pace.all.back(_now())
        return None

    async def _written(self, delivery: D, work: WaitingList[D]) -> Message | None:
        try:
            message = await work.batch.write(delivery)
        except BaseException:
            work.done(delivery)
            raise
        if message is None:
            work.done(delivery)
        return message

    async def _ready(
        self, connection: OpenConnection | None, work: WaitingList[D], needless: asyncio.Event
    ) -> OpenConnection | None:
        """This connection, or another one if it can't be used; None: there is none to be had, or it is needless."""
        try:
            return await self._connections.ready(connection, work, needless)
        except NoConnection as unreachable:
            # where others are at work the server only wants fewer connections
            work.unwanted += 1
            if not self._connections.in_hand:
                self.report.login = unreachable.login
                self._halt(str(unreachable), work)
            return None

    # --- what follows

    def _follow(
        self, delivery: D, outcome: Outcome, decision: Decision, work: WaitingList[D], *, marked: bool
    ) -> asyncio.Future[object] | None:
        """Records an outcome, or holds it until it is known whose it is."""
        if decision.do is Do.HOLD:
            self._held.append(_Held(delivery, outcome, read(outcome), marked))
            return None
        if outcome.verdict is Verdict.SENT and self._held:
            held, self._held = self._held, []
            self._start(self._settle(held, work), self._settling)
        return asyncio.ensure_future(self._record(delivery, outcome, work, marked=marked))

    def _record(
        self,
        delivery: D,
        outcome: Outcome,
        work: WaitingList[D],
        *,
        marked: bool,
        proven: bool = True,
        not_before: float = 0,
    ) -> Awaitable[object]:
        self.report.verdicts[outcome.verdict] += 1
        return work.batch.record(delivery, outcome, marked=marked, proven=proven, not_before=not_before)

    async def _settle(self, held: list[_Held[D]], work: WaitingList[D]) -> None:
        """The server has taken a message: what it refused before was about readers, or about their domains."""
        now = _now()
        recording = []
        for one in held:
            domain = domain_of(one.delivery.address)
            outcome, not_before = one.outcome, 0.0
            if self._brakes.whose(domain, one.says) is Do.PUT_OFF:
                outcome, not_before = _put_off(outcome), work.closed_for(domain, now)
            else:
                outcome = replace(outcome, verdict=Verdict.REJECTED)
            recording.append(self._record(one.delivery, outcome, work, marked=one.marked, not_before=not_before))
        await asyncio.gather(*recording)

    async def _settle_when_idle(self, work: WaitingList[D]) -> None:
        """Their batches could not be given back otherwise, and what they leave would not be seen."""
        await work.pause(IDLE)
        if not (work.under_way or work.waiting or work.over.is_set()):
            await self._settle_the_rest(work)

    async def _settle_the_rest(self, work: WaitingList[D]) -> None:
        """Nothing is under way, or all is over: nobody comes who could show whose refusals these are."""
        if not self._held:
            return
        held, self._held = self._held, []
        well = self._brakes.well or await work.batch.was_well()
        # what is left of an edition that it took are those whom it refuses
        why = "" if well else self._brakes.at_the_end([(one.says, one.outcome) for one in held])
        if why and not self.report.halted:
            self._halt(why, work)
        now = _now()
        # where others are to come, they may show it
        last = well or await work.batch.nothing_but(len(held))
        if well and len(held) < FEW and not self.report.halted:
            for domain in {domain_of(one.delivery.address) for one in held if one.says is not Says.DEAD}:
                if await work.batch.was_well(domain):
                    self._brakes.was_served(domain)
        recording = []
        for one in held:
            domain = domain_of(one.delivery.address)
            if self.report.halted:
                outcome = replace(one.outcome, verdict=Verdict.UNSENT)
            elif not last or self._brakes.left(domain, one.says, len(held)) is Do.PUT_OFF:
                outcome = _put_off(one.outcome)
            else:
                outcome = replace(one.outcome, verdict=Verdict.REJECTED)
            recording.append(
                self._record(
                    one.delivery,
                    outcome,
                    work,
                    marked=one.marked,
                    proven=well,
                    not_before=work.closed_for(domain, now),
                )
            )
        await asyncio.gather(*recording)

    async def _heed(self, domain: str, outcome: Outcome, decision: Decision, work: WaitingList[D]) -> None:
        """Slows down, leaves a domain in peace, or stops everything, so that no delivery is spent on it."""
        now = _now()
        if outcome.code is not None:
            self._pace.replied(domain, outcome)
            self._pace.all.heard(now, complaint=False)
            self._pace.flow(domain).heard(now, complaint=decision.slow)
        if decision.slow_all:
            self._pace.all.slow(now)
        # a run begins with those whom the one before it was refused, one after another
        if decision.unless_served and await work.batch.was_well(domain):
            self._brakes.was_served(domain)
        elif decision.close and not work.closed_for(domain, now):  # said once, not for each that was under way
            self._say(f"The readers of one domain wait, since all of them are refused or put off ({outcome.code}).")
            work.close(domain, now)
        if decision.stop:
            self._halt(decision.stop, work)
        elif outcome.code is None or outcome.verdict is Verdict.UNSENT:
            await work.pause(0.2)

    def _halt(self, sentence: str, work: WaitingList[D]) -> None:
        self.report.halted = self.report.halted or sentence
        work.end()

    async def close(self) -> None:
        if self._asking:  # what it brings is given back below
            await asyncio.wait(self._asking, timeout=GRACE)
        for asking in self._asking:
            asking.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        for flow in self._pace.flows:
            if self._reserve and (unsaid := flow.unsaid()):
                # where the database is away, these turns are lost until the window has passed them
                with suppress(Exception):
                    await self._reserve(unsaid)
        await self._connections.close()


def _put_off(outcome: Outcome) -> Outcome:
    return replace(outcome, verdict=Verdict.DEFERRED)


def _now() -> float:
    return asyncio.get_running_loop().time()
