"""The changes of single deliveries, in groups: what comes while a transaction is being committed goes into the next one
together, since on a disk the commit is what takes time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from subscribers.ledger.drivers import Change, Driver


class Entries:
    """What waits for the next transaction."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._waiting: list[tuple[Change, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    def enter(self, change: Change) -> asyncio.Future[bool]:
        """Makes one change of one delivery; False: the row was not there to be changed, or the batch is another's."""
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
                group = self._group()
                counts = await self._commit([change for change, _ in group])
                for (_, counted), count in zip(group, counts, strict=True):
                    if counted.done():  # nobody waits any more
                        continue
                    if isinstance(count, Exception):
                        counted.set_exception(count)
                    else:
                        counted.set_result(count)
        finally:
            self._writing = None

    def _group(self) -> list[tuple[Change, asyncio.Future[bool]]]:
        """What waits, up to the second change of a row: their order counts."""
        waiting, seen = self._waiting, set()
        for place, (change, _) in enumerate(waiting):
            if change.key in seen:
                self._waiting = waiting[place:]
                return waiting[:place]
            seen.add(change.key)
        self._waiting = []
        return waiting

    async def _commit(self, changes: Sequence[Change]) -> Sequence[bool | Exception]:
        """Where a group can't be written, each of its changes is tried alone: one that the database does not take
        fails nobody else."""
        try:
            return await self._driver.write(changes)
        except Exception as error:
            if len(changes) == 1:
                return [error]
        return [count for change in changes for count in await self._commit([change])]
