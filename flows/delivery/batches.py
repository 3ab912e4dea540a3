"""An edition's deliveries as the sender fetches and works them: claimed from the ledger in batches, written, marked,
recorded, and each batch given back when all of its deliveries are settled."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from flows.context import Context, Say
from flows.delivery.already_received import dailies, seen
from flows.delivery.messages import WriteAhead, Writer
from flows.delivery.refused import RefusedAddresses
from flows.editions.model import Edition, Kind
from flows.mail.model import Message
from flows.outcomes import Outcome, Stage, Verdict
from flows.sending.brakes import Says, read
from flows.storage.away import is_away, until_back
from flows.storage.editions import Frozen
from subscribers.ledger.model import Claim, Delivery
from subscribers.model import Suppressed

PROGRESS = 10.0
"""Seconds after which a delivery that goes on says how it stands."""
SHARE = 50
"""To say it may cost so small a part of the time: of a million readers it takes the database a second to count them."""
LOOK = 5.0
"""Seconds after which a worker looks again whether another one has left something to do."""
LOST = 3
"""After so many deliveries in a row that could not be marked, the batch is read again."""


@dataclass(slots=True)
class _Claimed:
    """A batch that is being worked."""

    claim: Claim
    deliveries: Sequence[Delivery]
    places: Mapping[int, int]
    """The place of each delivery, by its subscription."""
    left: int
    """How many of its deliveries are not settled."""
    messages: WriteAhead
    """Its messages, or why there is none, by the place of their delivery."""
    unmarked: int = 0
    """How many could not be marked, one after another."""


class EditionBatches:
    """An edition's deliveries, as the sender fetches and works them: a batch is claimed while the last messages of the
    one before are under way, and given back when all of its own are settled."""

    def __init__(
        self,
        context: Context,
        frozen: Frozen,
        translated: Mapping[str, bytes],
        until: dt.datetime,
        standing: Callable[[], Awaitable[str]],
        say: Say,
    ) -> None:
        self._context, self._frozen = context, frozen
        self._until, self._standing, self._say = until, standing, say
        self._writer = Writer(context, frozen, translated)
        self._refused = RefusedAddresses(context, say)
        self._claimed: dict[str, _Claimed] = {}
        """By their lease: a batch whose lease ran out may be claimed anew while the old claim has deliveries open."""
        self._closing: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._over = asyncio.Event()
        self._failed: list[BaseException] = []
        self._earlier: Mapping[int, Edition] | None = None
        self._editions: Sequence[int] | None = None
        """The latest editions before this one: who was refused in enough of them is asked no more."""
        self._resting_until: dt.datetime | None = None
        self._in_order = bool(context.settings.limit.windows or context.settings.warm_up)
        """Whether not all may leave today: those whose hour came first are served first then."""
        self._say_at = time.monotonic() + PROGRESS
        self._told: dt.datetime | None = None
        context.ledger.tell(say)

    async def fetch(self, over: asyncio.Event) -> Sequence[Delivery]:
        """The next batch that has something due; none: nothing more is due in time."""
        self._over = over
        while not over.is_set():
            self._raise()
            self._changed.clear()
            try:
                found = await until_back(self._next, self._say, over)
            except Exception as error:
                if over.is_set() and is_away(error):
                    break
                raise
            if found is None:
                break
            if isinstance(found, Sequence):
                return found
            await first_of(found, over, self._changed)
        return []

    async def _next(self) -> Sequence[Delivery] | float | None:
        """The next batch's deliveries, or in how many seconds to look again; None: nothing more is due in time."""
        ledger = self._context.ledger
        if ledger.away:
            await first_done(ledger.caught_up(), self._over)
        now = self._context.now()
        resting = self._rests(now)
        claim = None if resting else await ledger.claim(self._frozen.id, now)
        if claim is not None:
            if deliveries := await self._read(claim):
                await self._progress()
                return deliveries
            return 0.0
        if self._claimed or self._closing:  # what they leave is seen when they have been given back
            return LOOK
        if resting:
            await ledger.postpone(self._frozen.id, resting)
        due = await ledger.next_due(self._frozen.id, now)
        if due is None or due > self._until:
            return None
        pause = (due - self._context.now()).total_seconds()
        if pause > LOOK and due != self._told:
            self._told = due
            self._say(f"Waiting until {due:%H:%M:%S} UTC for what is due then.")
        return min(max(pause, 0.2), LOOK)

    async def _read(self, claim: Claim) -> Sequence[Delivery]:
        ledger, edition = self._context.ledger, self._frozen.edition
        if self._earlier is None:
            self._earlier = await dailies(self._context, edition) if edition.kind is Kind.WEEKLY else {}
        deliveries = await ledger.due(claim, self._context.now(), in_order=self._in_order)
        if not deliveries:
            await ledger.release(claim, self._context.now())
            return []
        had = await seen(self._context, claim, deliveries, self._earlier)

        def write(place: int) -> Message | str:
            delivery = deliveries[place]
            return self._writer.write(delivery.subscription, had.get(delivery.subscription_id, ()))

        places = {delivery.subscription_id: place for place, delivery in enumerate(deliveries)}
        messages = WriteAhead(write, len(deliveries), self._context.signer)
        self._claimed[claim.lease] = _Claimed(claim, deliveries, places, len(deliveries), messages)
        return deliveries

    async def _progress(self) -> None:
        if (began := time.monotonic()) > self._say_at:
            self._say(await self._standing())
            self._say_at = time.monotonic() + max(PROGRESS, SHARE * (time.monotonic() - began))

    # --- one delivery: every one that was fetched is settled once, by `_settles`, which stands behind each way to end

    async def write(self, delivery: Delivery) -> Message | None:
        batch = self._claimed[delivery.claim.lease]
        if batch.unmarked > LOST:  # it has another owner, most likely: the ledger is asked again
            self._settled(batch)
            return None
        message = await batch.messages.take(batch.places[delivery.subscription_id])
        if isinstance(message, str):
            self._settles(delivery, self._context.ledger.skip(delivery, message, self._context.now()))
            return None
        return message

    def mark(self, delivery: Delivery) -> asyncio.Future[bool]:
        return self._settles(delivery, self._context.ledger.mark(delivery, self._context.now()), mark=True)

    def record(
        self, delivery: Delivery, outcome: Outcome, *, marked: bool, proven: bool = True, not_before: float = 0
    ) -> asyncio.Future[bool]:
        no_more = proven and outcome.verdict is Verdict.REJECTED and outcome.stage is not Stage.CONNECT
        recording: asyncio.Future[bool]
        if no_more:
            recording = asyncio.ensure_future(self._bury(delivery, outcome, marked=marked))
        elif self._is_given_up(delivery, outcome):
            recording = asyncio.ensure_future(self._give_up(delivery, outcome, marked=marked))
        else:
            recording = self._enter(delivery, outcome, marked=marked, not_before=not_before)
        return self._settles(delivery, recording)

    def put_off(self, delivery: Delivery, seconds: float) -> asyncio.Future[bool]:
        now = self._context.now()
        due_at = now + dt.timedelta(seconds=seconds)
        return self._settles(delivery, self._context.ledger.put_off(delivery, due_at, now))

    async def was_well(self, domain: str = "") -> bool:
        any_sent = partial(self._context.ledger.any_sent, self._frozen.id, domain)
        return await until_back(any_sent, self._say, asyncio.Event())

    async def nothing_but(self, number: int) -> bool:
        open_rows = partial(self._context.ledger.open_rows, self._frozen.id, number + 1)
        return await until_back(open_rows, self._say, asyncio.Event()) <= number

    def give_back(self, delivery: Delivery) -> None:
        self._settled(self._claimed[delivery.claim.lease])

    def rest(self, seconds: float) -> None:
        self._resting_until = self._context.now() + dt.timedelta(seconds=seconds)

    def _rests(self, now: dt.datetime) -> dt.datetime | None:
        """Until when nothing may leave; None: it may."""
        until = self._resting_until
        return until if until is not None and now < until else None

    async def _bury(self, delivery: Delivery, outcome: Outcome, *, marked: bool) -> bool:
        """Suppresses an address that is dead, or was refused again and again, or holds it for the operator, and only
        then records its refusal: after that nobody looks at it again."""
        why = await until_back(partial(self._over_for, delivery, outcome), self._say, asyncio.Event())
        if why is not None:
            await self._refused.add(delivery, outcome, dead=why is Suppressed.HARD_BOUNCE)
        return await self._enter(delivery, outcome, marked=marked)

    def _is_given_up(self, delivery: Delivery, outcome: Outcome) -> bool:
        """Whether a mail that the server itself puts off is tried no more."""
        if outcome.stage is Stage.CONNECT or not 400 <= (outcome.code or 0) < 500:
            return False
        return self._context.ledger.is_given_up(delivery, outcome, self._context.now())

    async def _give_up(self, delivery: Delivery, outcome: Outcome, *, marked: bool) -> bool:
        """Counts what was put off to its end against the address, where the server has taken this edition for others:
        one that takes nobody's is ill itself."""
        recorded = await self._enter(delivery, outcome, marked=marked)
        if recorded and await self.was_well():
            await self._refused.add(delivery, outcome, put_off=True)
        return recorded

    async def _over_for(self, delivery: Delivery, outcome: Outcome) -> Suppressed | None:
        """Why an address is mailed no more; None: it is."""
        says = read(outcome)
        if says is Says.DEAD:
            return Suppressed.HARD_BOUNCE
        wanted = self._context.settings.mail_refusals
        if not wanted or says is Says.POLICY or outcome.stage is not Stage.RCPT:
            return None
        if self._editions is None:
            # not everybody gets every edition: those of a workday alone, say
            self._editions = await self._context.store.before(self._frozen.id, 2 * wanted)
        refused = self._context.ledger.refused_in_a_row
        if await refused(delivery.subscription_id, self._editions, wanted - 1):
            return Suppressed.REFUSED
        return None

    def _enter(
        self, delivery: Delivery, outcome: Outcome, *, marked: bool, not_before: float = 0
    ) -> asyncio.Future[bool]:
        now = self._context.now()
        earliest = now + dt.timedelta(seconds=not_before) if not_before else None
        return self._context.ledger.record(delivery, outcome, now, marked=marked, not_before=earliest)

    def _settles(self, delivery: Delivery, change: asyncio.Future[bool], *, mark: bool = False) -> asyncio.Future[bool]:
        """Settles a delivery when a change of it is made, or can't be: of a mark, when it is not to be had."""
        change.add_done_callback(partial(self._changed_by, self._claimed[delivery.claim.lease], mark))
        return change

    def _changed_by(self, batch: _Claimed, mark: bool, change: asyncio.Future[bool]) -> None:
        error = None if change.cancelled() else change.exception()
        if mark:
            if error is not None:
                return  # the sender has been told
            if not change.cancelled() and change.result():
                batch.unmarked = 0
                return
            batch.unmarked += 1
        elif error is not None:
            self._failed.append(error)
            self._changed.set()
        self._settled(batch)

    def _settled(self, batch: _Claimed) -> None:
        batch.left -= 1
        if not batch.left:
            closing = asyncio.create_task(self._close(batch))
            self._closing.add(closing)
            closing.add_done_callback(self._closed)

    async def _close(self, batch: _Claimed) -> None:
        """Gives a batch back. Where the database is away at the end of all, its lease runs out by itself."""
        batch.messages.close()
        self._claimed.pop(batch.claim.lease, None)
        try:
            now = self._context.now()
            release = partial(self._context.ledger.release, batch.claim, now, not_before=self._rests(now))
            await until_back(release, self._say, self._over)
        except Exception as error:
            if not (self._over.is_set() and is_away(error)):
                raise

    def _closed(self, closing: asyncio.Task[None]) -> None:
        self._closing.discard(closing)
        if not closing.cancelled() and (error := closing.exception()) is not None:
            self._failed.append(error)
        self._changed.set()

    async def keep(self) -> None:
        """Keeps the batches while nothing is marked for long: a slow server, or a low MAIL_RATE, must not lose them."""
        while True:
            await asyncio.sleep(self._context.ledger.lease.total_seconds() / 3)
            for batch in list(self._claimed.values()):
                # without its lease nothing of a batch can be marked: its new owner sees to it
                with suppress(Exception):
                    await self._context.ledger.renew(batch.claim)

    async def end(self) -> None:
        """Gives back all that is held. Raises what could not be written."""
        for batch in list(self._claimed.values()):
            await self._close(batch)
        while self._closing:
            await asyncio.wait(self._closing)
        self._raise()

    def _raise(self) -> None:
        if self._failed:
            raise self._failed[0]


async def first_of(seconds: float, *events: asyncio.Event) -> None:
    """Waits for the first of some events, at most so long."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def first_done(work: Coroutine[Any, Any, None], over: asyncio.Event) -> None:
    """Waits for some work, at most until it is over."""
    waiting, working = asyncio.create_task(over.wait()), asyncio.create_task(work)
    try:
        await asyncio.wait((waiting, working), return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        working.cancel()
        await asyncio.gather(waiting, working, return_exceptions=True)
