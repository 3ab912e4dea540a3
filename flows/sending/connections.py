"""The open connections of one sender: opened one at a time until the first is let in, waited for where the server is
away, shared with whatever else runs on this machine, and closed when they are spent or idle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from flows.outcomes import Outcome, Stage
from flows.sending.pace import Pace
from flows.sending.slots import ConnectionSlot, Slots
from flows.sending.transports import CantConnect, Connect, Connection
from flows.sending.waiting_list import WaitingList

T = TypeVar("T")

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts to connect; the last one repeats."""
FEWER = 2.0
"""Seconds after which a server that serves other connections is taken to want no more of them."""
KEPT = 5.0
"""Seconds that a connection is kept with nothing to bring."""
TIDY = 0.2
"""Seconds after which idle connections are looked at."""
SLOT = 0.1
"""Seconds after which to look again whether this machine may have one connection more."""


@dataclass(slots=True, eq=False)
class OpenConnection:
    """An open connection, and how it has served."""

    wire: Connection
    slot: ConnectionSlot | None
    sent: int = 0
    """How many messages it has brought; if any, what fails next may be the connection's age."""
    refused: int = 0
    """How often in a row since then something was refused that may be about the connection."""
    offering: bool = False
    given_up: bool = False
    """What was offered over it was not waited for any more."""
    idle_since: float = 0.0


class NoConnection(Exception):  # noqa: N818
    """No connection is to be had: one sentence. `login`: since the login is refused."""

    def __init__(self, sentence: str, *, login: bool) -> None:
        super().__init__(sentence)
        self.login = login


class Connections:
    """The connections to one mail server."""

    def __init__(
        self, connect: Connect, pace: Pace, slots: Slots | None, say: Callable[[str], None], patience: float
    ) -> None:
        self._connect, self._pace, self._slots = connect, pace, slots
        self._say, self._patience = say, patience
        self._idle: list[OpenConnection] = []
        self._all: set[OpenConnection] = set()
        self.in_hand = 0
        """How many bring something at present."""
        self._reached = False
        self._door = asyncio.Lock()
        self._enough_for_one = 0
        """So many messages the server takes in one connection; 0: as many as there are."""
        self._ended_at = 0

    async def ready(
        self, connection: OpenConnection | None, work: WaitingList[Any], needless: asyncio.Event
    ) -> OpenConnection | None:
        """This connection, or another one if it can't be used or is wanted elsewhere; None: it has become needless.
        Raises NoConnection."""
        if connection is not None:
            if self._good(connection) and not (self._slots is not None and self._slots.yields()):
                return connection
            await self._end(connection)
        while self._idle:
            kept = self._idle.pop()
            self.in_hand += 1
            if self._good(kept):
                return kept
            await self._end(kept)
        if not self._reached:
            async with self._door:  # one alone finds out whether we are let in: a refused login is tried once
                if not self._reached:
                    return await self._open(work, needless)
        return await self._open(work, needless)

    async def another(self, connection: OpenConnection, work: WaitingList[Any]) -> OpenConnection | None:
        """A fresh connection for one that may be spent; None: none is to be had."""
        await self._end(connection)
        with suppress(NoConnection):
            return await self._open(work, work.over)
        return None

    def keep(self, connection: OpenConnection) -> None:
        """For whoever needs one next."""
        if connection not in self._all:
            return
        self.in_hand -= 1
        connection.idle_since = asyncio.get_running_loop().time()
        self._idle.append(connection)

    def last_of(self, connection: OpenConnection) -> bool:
        """Whether the message that is under way is the last that the server takes over this connection."""
        return bool(self._enough_for_one) and connection.sent + 1 >= self._enough_for_one

    def wanted(self) -> bool:
        """Whether a connection is to be given to another program of this machine."""
        return self._slots is not None and self._slots.wanted()

    def learn(self, connection: OpenConnection, outcome: Outcome) -> None:
        """A server that says 421 at MAIL after some messages may take no more of them in one connection."""
        if outcome.code is not None and outcome.stage is Stage.MAIL:
            self.learn_limit(connection.sent)

    def learn_limit(self, sent: int) -> None:
        """A connection was spent after so many messages; twice after as many, and it is taken for a limit."""
        if sent and self._ended_at == sent:
            self._enough_for_one = sent
        self._ended_at = sent

    def abandon_offers(self) -> None:
        """Waits no longer for the replies to envelopes: no content has left."""
        for connection in self._all:
            if connection.offering:
                connection.given_up = True
                connection.wire.abandon()

    async def tidy(self) -> None:
        """Closes what is idle."""
        while True:
            await asyncio.sleep(TIDY)
            if not self._idle:
                continue
            before = asyncio.get_running_loop().time() - KEPT
            wanted = self._slots is not None and self._slots.waited_for()
            for connection in [connection for connection in self._idle if connection.idle_since < before or wanted]:
                self._idle.remove(connection)
                self.in_hand += 1
                await self._end(connection)

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        self.in_hand += len(idle)
        await asyncio.gather(*(self._end(connection) for connection in idle))

    def _good(self, connection: OpenConnection) -> bool:
        return connection.wire.usable and not (self._enough_for_one and connection.sent >= self._enough_for_one)

    async def _end(self, connection: OpenConnection) -> None:
        if connection not in self._all:
            return
        self.in_hand -= 1
        self._all.discard(connection)
        try:
            await connection.wire.close()
        finally:
            if connection.slot is not None:
                connection.slot.release()

    async def _open(self, work: WaitingList[Any], needless: asyncio.Event) -> OpenConnection | None:
        slot = None
        if self._slots is not None and (slot := await self._slot(self._slots, needless)) is None:
            return None
        try:
            wire = await self._reach(work, needless)
        except BaseException:
            if slot is not None:
                slot.release()
            raise
        if wire is None:
            if slot is not None:
                slot.release()
            return None
        self._reached = True
        self.in_hand += 1
        opened = OpenConnection(wire, slot)
        self._all.add(opened)
        return opened

    async def _slot(self, slots: Slots, needless: asyncio.Event) -> ConnectionSlot | None:
        """One of this machine's connections, when there is one; None: it has become needless."""
        try:
            while (slot := slots.take()) is None:
                if needless.is_set():
                    return None
                with suppress(TimeoutError):
                    await asyncio.wait_for(needless.wait(), SLOT)
            return slot
        finally:
            slots.wait_no_more()

    async def _reach(self, work: WaitingList[Any], needless: asyncio.Event) -> Connection | None:
        """Connects, again and again for a while; None: it has become needless. Raises NoConnection."""
        clock = asyncio.get_running_loop().time
        began, tries, told = clock(), 0, False
        while not needless.is_set():
            try:
                wire = await _unless(needless, self._connect())
                if told and wire is not None:
                    self._say("The mail server is there again.")
                return wire
            except CantConnect as error:
                if error.busy:
                    self._pace.all.slow(clock())
                pause = PAUSES[min(tries, len(PAUSES) - 1)]
                tries += 1
                # where others are at work it only wants fewer connections
                patience = min(self._patience, FEWER) if self.in_hand else self._patience
                if error.lasting or clock() + pause - began > patience:
                    raise NoConnection(str(error), login=error.login) from None
                if not told and clock() - began > FEWER:
                    told = True
                    self._say(f"{error} It is waited for, up to {self._patience:g} seconds.")
            with suppress(TimeoutError):
                await asyncio.wait_for(needless.wait(), pause)
        return None


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
