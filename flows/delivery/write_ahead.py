"""The messages of a batch, written and signed a little before they are asked for.

A sender that wrote each message when its turn came would let the mail server wait meanwhile. So they are written while
nothing else is to be done, a few at a time, and lie ready.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from flows.mail.model import Message
from flows.sending.sign import Signer

SIZE = 40
"""So many messages lie ready at most: what ten connections take at once, several times over, and three megabytes."""
TOGETHER = 8
"""So many are written in a row: a processor does the same thing again in half the time. A reply from the server waits
for a millisecond at most."""

Written = Message | str
"""A message, or why there is none."""
_Group = asyncio.Future[Mapping[int, Written]]
"""What was written together, by place; it waits for the signatures."""


class WriteAhead:
    """The messages at the places 0 to `count` - 1, each to be taken once, mostly in this order.

    `write` makes one. Each is marked before it leaves, and what its reader has changed by then is seen there.
    """

    def __init__(self, write: Callable[[int], Written], count: int, signer: Signer) -> None:
        self._write, self._count, self._signer = write, count, signer
        self._ready: dict[int, _Group] = {}
        self._next = 0
        self._taken = asyncio.Event()
        self._filling = asyncio.create_task(self._fill())
        # what fails here fails again, and is raised, where that message is taken
        self._filling.add_done_callback(lambda filling: filling.cancelled() or filling.exception())

    async def take(self, place: int) -> Written:
        """The message of a place, or why there is none."""
        group = self._ready.pop(place, None)
        if group is None:
            self._next = max(self._next, place + 1)
            group = self._made([place])
        self._taken.set()
        if not group.done():
            await asyncio.shield(group)  # others wait for it too
        return group.result()[place]

    def close(self) -> None:
        """Writes no more."""
        self._filling.cancel()
        for group in self._ready.values():
            group.cancel()

    async def _fill(self) -> None:
        while self._next < self._count:
            if len(self._ready) > SIZE - TOGETHER:
                self._taken.clear()
                await self._taken.wait()
                continue
            places = range(self._next, min(self._next + TOGETHER, self._count))
            self._ready |= dict.fromkeys(places, self._made(places))
            self._next = places.stop
            await asyncio.sleep(0)

    def _made(self, places: Sequence[int]) -> _Group:
        written = {place: self._write(place) for place in places}
        if self._signer.signs:
            return asyncio.ensure_future(self._signed(written))
        ready: _Group = asyncio.get_running_loop().create_future()
        ready.set_result(written)
        return ready

    async def _signed(self, written: dict[int, Written]) -> Mapping[int, Written]:
        messages = {place: message for place, message in written.items() if not isinstance(message, str)}
        try:
            signed = await self._signer.all(list(messages.values()))
        except ConnectionError:  # a process that signs was killed: others are started, once
            signed = await self._signer.all(list(messages.values()))
        return written | dict(zip(messages, signed, strict=True))
