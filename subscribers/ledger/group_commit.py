"""The changes of single deliveries, in groups: what comes while a transaction is being committed goes into the next one
together, since on a disk the commit is what takes time.

Where the database is away, what waits is kept and tried again until it is back: the reply of a mail server that was
read is worth more than the next message, which waits for its mark meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from flows.storage.away import PAUSES, in_words, is_away
from subscribers.ledger.drivers import ChangeKind, Driver, RowChange

Waiting = list[tuple[RowChange, "asyncio.Future[bool]"]]


class Entries:
    """What waits for the next transaction."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._waiting: Waiting = []
        self._writing: asyncio.Task[None] | None = None
        self.say: Callable[[str], None] = lambda _: None
        """Is told when the database is away, and when it is back."""
        self.away = False

    def enter(self, change: RowChange) -> asyncio.Future[bool]:
        """Makes one change of one delivery; False: the row was not there to be changed, or the batch is another's.

        A mark that is cancelled is not made, or taken back. Any other change is made whether or not somebody waits.
        """
        counted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, counted))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return counted

    async def settled(self) -> None:
        """Waits until all that was asked for has been written, or could not be."""
        while self._writing is not None:
            await asyncio.wait([self._writing])

    async def _write(self) -> None:
        """Writes until nothing waits. It is not cancelled with those who wait: what was sent has to be recorded."""
        try:
            while self._waiting:
                await asyncio.sleep(self._driver.gather)
                group = [(change, counted) for change, counted in self._group() if not _dropped(change, counted)]
                if not group:
                    continue
                group, counts = await self._until_written(group)
                for (change, counted), count in zip(group, counts, strict=True):
                    if counted.done():  # nobody waits any more
                        if _dropped(change, counted) and count is True:
                            self._waiting.insert(0, (_undone(change), asyncio.get_running_loop().create_future()))
                    elif isinstance(count, Exception):
                        counted.set_exception(count)
                    else:
                        counted.set_result(count)
        finally:
            self._writing = None

    def _group(self) -> Waiting:
        """What waits, up to the second change of a row: their order counts."""
        waiting, seen = self._waiting, set()
        for place, (change, _) in enumerate(waiting):
            if change.key in seen:
                self._waiting = waiting[place:]
                return waiting[:place]
            seen.add(change.key)
        self._waiting = []
        return waiting

    async def _until_written(self, group: Waiting) -> tuple[Waiting, Sequence[bool | Exception]]:
        """Writes a group, however long the database is away. A commit whose answer was lost may have been made: so a
        mark that finds its own is a mark, and one that nobody wants any more is taken back."""
        tries = 0
        while True:
            try:
                counts = await self._commit([change for change, _ in group], again=tries > 0)
            except Exception as error:
                if not is_away(error):
                    raise
                self.away = True
                if not tries:
                    self.say(
                        f"The database can't be written ({in_words(error)}): what mail servers answered is kept and "
                        "tried again, and messages wait, until it can."
                    )
            else:
                self.away = False
                if tries:
                    self.say("The database can be written again.")
                return group, counts
            await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
            tries += 1
            group = [(_undone(change) if _dropped(change, counted) else change, counted) for change, counted in group]

    async def _commit(self, changes: Sequence[RowChange], *, again: bool) -> Sequence[bool | Exception]:
        """Where a group can't be written, each of its changes is tried alone: one that the database does not take
        fails nobody else. Raises where the database is away."""
        try:
            counts = await self._driver.write(changes)
        except Exception as error:
            if is_away(error):
                raise
            if len(changes) == 1:
                return [error]
        else:
            if again:
                return [
                    count or (change.kind is ChangeKind.MARK and await self._driver.is_marked(change))
                    for change, count in zip(changes, counts, strict=True)
                ]
            return counts
        return [count for change in changes for count in await self._commit([change], again=again)]


def _dropped(change: RowChange, counted: asyncio.Future[bool]) -> bool:
    return change.kind is ChangeKind.MARK and counted.cancelled()


def _undone(change: RowChange) -> RowChange:
    """Takes a mark back: nothing of the message has left."""
    return replace(change, kind=ChangeKind.RECORD)
