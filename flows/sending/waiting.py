"""What a courier brings, and what of it waits: the interface by which it knows the ledger, and its queue."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from flows.mail.model import Message
from flows.outcomes import Outcome
from flows.sending.pace import Pace, domain_of

Item = TypeVar("Item")

PARKED = 2000
"""No more is fetched while so many wait for the pace of their domains."""


class Batch(Protocol[Item]):
    """What the courier needs of the ledger. Each item that was fetched ends in one of three ways: `write` gives None,
    `mark` gives False, or `record` is called; or it is left as it is, where the courier stops."""

    async def fetch(self, over: asyncio.Event) -> Sequence[Item]:
        """The next deliveries, as soon as there are some, at most until it is over; none: that was all."""

    def address(self, item: Item) -> str:
        """Whom it is for: the pace depends on the domain."""

    async def write(self, item: Item) -> Message | None:
        """The message for a delivery; None: its reader gets none, which has been recorded."""

    def mark(self, item: Item) -> Awaitable[bool]:
        """Marks a delivery as *sending*, from now on; False: leave it alone."""

    def record(self, item: Item, outcome: Outcome, *, marked: bool) -> Awaitable[object]:
        """Records an outcome, from now on. Not `marked`: nothing of the content has left."""


class Round(Generic[Item]):
    """A delivery under way: what still waits, and whether it is over."""

    def __init__(self, batch: Batch[Item], pace: Pace, low: int) -> None:
        self.batch = batch
        self._pace = pace
        self._low = low
        self._waiting: deque[Item] = deque()
        self._parked: dict[str, deque[Item]] = {}
        """What waits for the pace of its domain."""
        self.under_way = 0
        self.unwanted = 0
        """So many connections less than allowed are enough for the server, as it seems."""
        self.hungry = asyncio.Event()
        self.over = asyncio.Event()
        self.enough = asyncio.Event()
        """Nobody who is still connecting is needed any more."""

    @property
    def waiting(self) -> int:
        return len(self._waiting) + sum(map(len, self._parked.values()))

    def end(self) -> None:
        """No message is begun any more; those under way are brought to their end."""
        self.over.set()
        self.enough.set()
        self.hungry.set()

    def add(self, items: Sequence[Item]) -> None:
        self._waiting.extend(items)
        if not self.over.is_set():
            self.enough.clear()
        self._look()

    def back(self, item: Item, address: str) -> None:
        """It was taken and not begun."""
        self.done(address)
        self._waiting.appendleft(item)

    def take(self, now: float) -> tuple[Item | None, float]:
        """The next delivery whose domain wants it now; None: nothing waits, or not so many seconds."""
        soonest = 0.0
        for domain in list(self._parked):
            if not (wait := self._pace.flow(domain).wait(now)):
                item = self._parked[domain].popleft()
                if not self._parked[domain]:
                    del self._parked[domain]
                return self._taken(item, domain, now)
            soonest = min(soonest or wait, wait)
        while self._waiting:
            item = self._waiting.popleft()
            domain = domain_of(self.batch.address(item))
            if not (wait := self._pace.flow(domain).wait(now)):
                return self._taken(item, domain, now)
            self._parked.setdefault(domain, deque()).append(item)
            soonest = min(soonest or wait, wait)
        self._look()
        return None, soonest

    def _taken(self, item: Item, domain: str, now: float) -> tuple[Item, float]:
        flow = self._pace.flow(domain)
        flow.take(now)
        flow.under_way += 1
        self.under_way += 1
        self._look()
        return item, 0.0

    def done(self, address: str) -> None:
        """What was taken is no longer under way."""
        self._pace.flow(domain_of(address)).under_way -= 1
        self.under_way -= 1

    def _look(self) -> None:
        if len(self._waiting) < self._low and self.waiting < PARKED:
            self.hungry.set()
        else:
            self.hungry.clear()
        if not self._waiting and not self._parked:
            self.enough.set()

    async def pause(self, seconds: float) -> None:
        """Waits, at most until it is over."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), seconds)
