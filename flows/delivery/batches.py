"""An edition's deliveries as a courier fetches and works them: claimed from the ledger in batches, marked, recorded."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from flows.context import Context, Say
from flows.delivery.already_received import dailies, seen
from flows.delivery.personal import Writer
from flows.delivery.write_ahead import Stock
from flows.editions.model import Edition, Kind
from flows.mail.model import Message
from flows.outcomes import Outcome
from flows.storage.editions import Frozen
from subscribers.ledger.model import Claim, Due
from subscribers.model import Suppressed

PROGRESS = dt.timedelta(seconds=10)
"""How often a delivery that goes on says how it stands."""
LOOK = 5.0
"""Seconds after which a worker looks again whether another one has left something to do."""
LOST = 3
"""After so many deliveries in a row that could not be marked, the batch is read again."""


@dataclass(slots=True)
class _Open:
    """A claimed batch that is being worked."""

    claim: Claim
    due: Sequence[Due]
    left: int
    """How many of its deliveries are not settled."""
    stock: Stock
    """Its messages, or why there is none, by the place of their delivery."""
    unmarked: int = 0
    """How many could not be marked, one after another."""


@dataclass(slots=True)
class _Item:
    """A delivery of a batch."""

    batch: _Open
    place: int

    @property
    def due(self) -> Due:
        return self.batch.due[self.place]


class Worklist:
    """An edition's deliveries, as the courier fetches and works them: a batch is claimed while the last messages of the
    one before are under way, and given back when all of its own are settled."""

    def __init__(
        self, context: Context, frozen: Frozen, until: dt.datetime, standing: Callable[[], Awaitable[str]], say: Say
    ) -> None:
        self._context, self._frozen = context, frozen
        self._until, self._standing, self._say = until, standing, say
        self._writer = Writer(context, frozen)
        self._open: dict[int, _Open] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._failed: list[BaseException] = []
        self._earlier: Mapping[int, Edition] | None = None
        self._said = context.now()
        self._told: dt.datetime | None = None

    async def fetch(self, over: asyncio.Event) -> Sequence[_Item]:
        """The next batch that has something due; none: nothing more is due in time."""
        ledger = self._context.ledger
        while not over.is_set():
            self._raise()
            self._changed.clear()
            claim = await ledger.claim(self._frozen.id, self._context.now())
            if claim is not None:
                if items := await self._read(claim):
                    await self._progress()
                    return items
                continue
            if self._open or self._closing:  # what they leave is seen when they have been given back
                await _first(LOOK, over, self._changed)
                continue
            due = await ledger.next_due(self._frozen.id, self._context.now())
            if due is None or due > self._until:
                return []
            pause = (due - self._context.now()).total_seconds()
            if pause > LOOK and due != self._told:
                self._told = due
                self._say(f"Waiting until {due:%H:%M:%S} UTC for what is due then.")
            await _first(min(max(pause, 0.2), LOOK), over)
        return []

    async def _read(self, claim: Claim) -> Sequence[_Item]:
        ledger, edition = self._context.ledger, self._frozen.edition
        if self._earlier is None:
            self._earlier = await dailies(self._context, edition) if edition.kind is Kind.WEEKLY else {}
        items = await ledger.due(claim, self._context.now())
        if not items:
            await ledger.release(claim, self._context.now())
            return []
        had = await seen(self._context, claim, items, self._earlier)

        def write(place: int) -> Message | str:
            due = items[place]
            return self._writer.write(due.subscription, had.get(due.subscription_id, ()))

        batch = _Open(claim, items, len(items), Stock(write, len(items), self._context.signer))
        self._open[claim.id] = batch
        return [_Item(batch, place) for place in range(len(items))]

    async def _progress(self) -> None:
        if self._context.now() - self._said > PROGRESS:
            self._said = self._context.now()
            self._say(await self._standing())

    def address(self, item: _Item) -> str:
        return item.due.subscription.email if item.due.subscription else ""

    async def write(self, item: _Item) -> Message | None:
        if item.batch.unmarked > LOST:  # it has another owner, most likely: the ledger is asked again
            self._settled(item)
            return None
        message = await item.batch.stock.take(item.place)
        if isinstance(message, str):
            skipped = self._context.ledger.skip(item.batch.claim, item.due, message, self._context.now())
            skipped.add_done_callback(partial(self._written, item))
            return None
        return message

    def mark(self, item: _Item) -> asyncio.Future[bool]:
        marking = self._context.ledger.mark(item.batch.claim, item.due, self._context.now())
        marking.add_done_callback(partial(self._marked, item))
        return marking

    def record(self, item: _Item, outcome: Outcome, *, marked: bool) -> asyncio.Future[bool]:
        recording = (
            asyncio.ensure_future(self._bury(item, outcome, marked=marked))
            if outcome.dead
            else self._enter(item, outcome, marked=marked)
        )
        recording.add_done_callback(partial(self._written, item))
        return recording

    async def _bury(self, item: _Item, outcome: Outcome, *, marked: bool) -> bool:
        """Suppresses a dead address, and only then records its refusal: after that nobody looks at it again."""
        now = self._context.now()
        await self._context.subscribers.suppress(self.address(item), Suppressed.HARD_BOUNCE, now)
        return await self._enter(item, outcome, marked=marked)

    def _enter(self, item: _Item, outcome: Outcome, *, marked: bool) -> asyncio.Future[bool]:
        return self._context.ledger.record(item.batch.claim, item.due, outcome, self._context.now(), marked=marked)

    def _marked(self, item: _Item, marking: asyncio.Future[bool]) -> None:
        if marking.cancelled() or marking.exception() is not None:
            return  # the courier has been told
        if marking.result():
            item.batch.unmarked = 0
        else:
            item.batch.unmarked += 1
            self._settled(item)

    def _written(self, item: _Item, writing: asyncio.Future[bool]) -> None:
        if not writing.cancelled() and (error := writing.exception()) is not None:
            self._failed.append(error)
            self._changed.set()
        self._settled(item)

    def _settled(self, item: _Item) -> None:
        item.batch.left -= 1
        if not item.batch.left:
            closing = asyncio.create_task(self._close(item.batch))
            self._closing.add(closing)
            closing.add_done_callback(self._closed)

    async def _close(self, batch: _Open) -> None:
        """Gives a batch back."""
        batch.stock.close()
        self._open.pop(batch.claim.id, None)
        await self._context.ledger.release(batch.claim, self._context.now())

    def _closed(self, closing: asyncio.Task[None]) -> None:
        self._closing.discard(closing)
        if not closing.cancelled() and (error := closing.exception()) is not None:
            self._failed.append(error)
        self._changed.set()

    async def keep(self) -> None:
        """Keeps the batches while nothing is marked for long: a slow server, or a low MAIL_RATE, must not lose them."""
        while True:
            await asyncio.sleep(self._context.ledger.lease.total_seconds() / 3)
            for batch in list(self._open.values()):
                # without its lease nothing of a batch can be marked: its new owner sees to it
                with suppress(Exception):
                    await self._context.ledger.renew(batch.claim)

    async def end(self) -> None:
        """Gives back all that is held. Raises what could not be written."""
        for batch in list(self._open.values()):
            await self._close(batch)
        while self._closing:
            await asyncio.wait(self._closing)
        self._raise()

    def _raise(self) -> None:
        if self._failed:
            raise self._failed[0]


async def _first(seconds: float, *events: asyncio.Event) -> None:
    """Waits for the first of some events, at most so long."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
