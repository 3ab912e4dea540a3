"""What the sender brings, and what of it waits: the interface by which it knows the ledger and the outbox, and the list
from which the next delivery is taken."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from flows.mail.model import Message
from flows.outcomes import Outcome
from flows.sending.pace import Flow, Pace, domain_of


class Delivery(Protocol):
    """One message to one reader, from the ledger to the wire."""

    @property
    def address(self) -> str:
        """Whom it is for: the pace depends on the domain. Empty: nobody any more."""

    @property
    def attempts(self) -> int:
        """How many were made before."""


D = TypeVar("D", bound=Delivery)

AT_HAND = 10.0
"""So many seconds' worth of what waits for the pace of its domain is kept; the rest goes back to where it came from."""
AT_LEAST = 50
"""So many deliveries of a domain are kept in any case."""
PARKED = 1000
"""No more wait here for the pace of their domains, all together: each keeps its batch open, and its message ready."""
TOGETHER = 5.0
"""What goes back is due again in lots of so many seconds: a batch is not read again for every message."""
PATIENT = 5.0
"""Seconds for which what waits for a full window is kept."""
LEFT_IN_PEACE = 900.0
"""Seconds for which a domain that refuses everybody is not asked."""


class Batch(Protocol[D]):
    """What the sender needs of the ledger, or of the outbox. Each delivery that was fetched ends in one of these ways:
    `write` gives None, `mark` gives False, `record`, `put_off` or `give_back` is called."""

    async def fetch(self, over: asyncio.Event) -> Sequence[D]:
        """The next deliveries, as soon as there are some, at most until it is over; none: that was all."""

    async def write(self, delivery: D) -> Message | None:
        """The message for a delivery; None: its reader gets none, which has been recorded."""

    def mark(self, delivery: D) -> asyncio.Future[bool]:
        """Marks a delivery as *sending*, from now on; False: leave it alone."""

    def record(
        self, delivery: D, outcome: Outcome, *, marked: bool, proven: bool = True, not_before: float = 0
    ) -> Awaitable[object]:
        """Records an outcome, from now on. Not `marked`: nothing of the content has left. `proven`: the server is
        known to be well, so that what it says of an address counts for good. What is tried again is due in
        `not_before` seconds at the earliest."""

    def put_off(self, delivery: D, seconds: float) -> Awaitable[object]:
        """Gives back what was not asked about: it is due in so many seconds."""

    async def was_well(self, domain: str = "") -> bool:
        """Whether the mail server has taken anything of this before; anything for this domain, if one is named."""

    async def nothing_but(self, number: int) -> bool:
        """Whether no more than so many deliveries are open, now and later."""

    def give_back(self, delivery: D) -> None:
        """Gives back what was not begun: it stays as it is."""

    def rest(self, seconds: float) -> None:
        """Nothing may leave for so long, since the limit of all mail together is reached: what was fetched is given
        back, and what is due meanwhile waits."""


class WaitingList(Generic[D]):
    """The deliveries of a run: what still waits, and whether it is over."""

    def __init__(self, batch: Batch[D], pace: Pace, low: int) -> None:
        self.batch = batch
        self._pace = pace
        self._low = low
        self._waiting: deque[D] = deque()
        self._parked: dict[str, deque[D]] = {}
        """What waits for the pace of its domain."""
        self._number_parked = 0
        self._closed: dict[str, float] = {}
        """Until when a domain is left in peace."""
        self._booked: dict[str, float] = {}
        """Until when a domain's pace is taken up by what went back."""
        self._beside: set[int] = set()
        """Deliveries whose envelope goes with a message to the same domain: they need no connection of their own."""
        self.under_way = 0
        self.unwanted = 0
        """So many connections less than allowed are enough for the server, as it seems."""
        self.hungry = asyncio.Event()
        self.over = asyncio.Event()
        self.enough = asyncio.Event()
        """Nobody who is still connecting is needed any more."""

    @property
    def waiting(self) -> int:
        return len(self._waiting) + self._number_parked

    def end(self) -> None:
        """No message is begun any more; those under way are brought to their end."""
        self.over.set()
        self.enough.set()
        self.hungry.set()

    def add(self, deliveries: Sequence[D]) -> None:
        self._waiting.extend(deliveries)
        if not self.over.is_set():
            self.enough.clear()
        self._look()

    def back(self, delivery: D) -> None:
        """It was taken and not begun."""
        self.done(delivery)
        self._waiting.appendleft(delivery)

    def close(self, domain: str, now: float) -> None:
        """Leaves a domain in peace for a while: its readers go back, and the others are served."""
        self._closed[domain] = now + LEFT_IN_PEACE
        parked = self._parked.pop(domain, ())
        self._number_parked -= len(parked)
        for delivery in parked:
            self.batch.put_off(delivery, LEFT_IN_PEACE)
        self._look()

    def closed_for(self, domain: str, now: float) -> float:
        """For how many seconds a domain is left in peace; 0: it is not."""
        return max(self._closed.get(domain, now) - now, 0.0)

    def rest(self, seconds: float) -> None:
        """Nothing leaves for so long: all that waits goes back."""
        self.batch.rest(seconds)
        self.give_back()
        self._look()

    def _full(self, domain: str, now: float) -> bool:
        """Whether a domain's window is full for longer than is waited for here: its readers go back until it opens."""
        return self._pace.flow(domain).closed(now) > PATIENT

    def take(self, now: float, beside: str = "") -> tuple[D | None, float]:
        """The next delivery whose domain wants it now; None: nothing waits, or not so many seconds.

        `beside`: the domain of the message that is under way on the same connection: its next one needs no other.
        """
        soonest = 0.0
        for domain in list(self._parked):
            if self._full(domain, now):
                parked = self._parked.pop(domain)
                self._number_parked -= len(parked)
                for delivery in parked:
                    self.batch.put_off(delivery, self._pace.flow(domain).book(now))
                continue
            if not (wait := self._wait(domain, now, beside)):
                delivery = self._parked[domain].popleft()
                self._number_parked -= 1
                if not self._parked[domain]:
                    del self._parked[domain]
                return self._taken(delivery, domain, now, beside)
            soonest = min(soonest or wait, wait)
        while self._waiting:
            delivery = self._waiting.popleft()
            domain = domain_of(delivery.address)
            if self._closed and (closed := self.closed_for(domain, now)):
                self.batch.put_off(delivery, closed)
                continue
            if self._full(domain, now):
                self.batch.put_off(delivery, self._pace.flow(domain).book(now))
                continue
            if not (wait := self._wait(domain, now, beside)):
                return self._taken(delivery, domain, now, beside)
            if self._park(delivery, domain, now):
                soonest = min(soonest or wait, wait)
        self._look()
        return None, soonest

    def _wait(self, domain: str, now: float, beside: str) -> float:
        flow = self._pace.flow(domain)
        if domain != beside:
            return flow.wait(now)
        flow.under_way -= 1  # the connection that brings the one takes the next with it
        try:
            return flow.wait(now)
        finally:
            flow.under_way += 1

    def _park(self, delivery: D, domain: str, now: float) -> bool:
        """Keeps a delivery until its domain's pace allows it; False: too many wait, and it went back until then."""
        parked = self._parked.get(domain)
        flow = self._pace.flow(domain)
        keep = PARKED if flow.learning else max(AT_LEAST, int(flow.rate * AT_HAND))
        if (parked is None or len(parked) < keep) and self._number_parked < PARKED:
            self._number_parked += 1
            self._parked.setdefault(domain, deque()).append(delivery)
            return True
        self.batch.put_off(delivery, self._book(domain, flow, keep, now))
        return False

    def _book(self, domain: str, flow: Flow, kept: int, now: float) -> float:
        """In how many seconds the domain's pace has room for one more, after what is kept and what went back before."""
        pace = flow.rate or AT_LEAST / AT_HAND
        begins = max(self._booked.get(domain, 0.0), now + kept / pace)
        self._booked[domain] = begins + 1 / pace
        return max(begins - now, TOGETHER) // TOGETHER * TOGETHER

    def _taken(self, delivery: D, domain: str, now: float, beside: str) -> tuple[D, float]:
        flow = self._pace.flow(domain)
        flow.take(now)
        if domain == beside:
            self._beside.add(id(delivery))
        else:
            flow.under_way += 1
        self.under_way += 1
        self._look()
        return delivery, 0.0

    def done(self, delivery: D, following: D | None = None) -> None:
        """What was taken is no longer under way. `following` went beside it, and goes on over the same connection."""
        if following is not None and id(following) in self._beside:
            self._beside.discard(id(following))  # it takes its place
        elif id(delivery) in self._beside:
            self._beside.discard(id(delivery))
        else:
            self._pace.flow(domain_of(delivery.address)).under_way -= 1
        self.under_way -= 1

    def give_back(self) -> None:
        """Gives back all that waits: it is over."""
        for waiting in (self._waiting, *self._parked.values()):
            for delivery in waiting:
                self.batch.give_back(delivery)
            waiting.clear()
        self._parked.clear()
        self._number_parked = 0

    def _look(self) -> None:
        if self.over.is_set() or len(self._waiting) < self._low:
            self.hungry.set()
        else:
            self.hungry.clear()
        if not self._waiting and not self._parked:
            self.enough.set()

    async def pause(self, seconds: float) -> None:
        """Waits, at most until it is over."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), seconds)
