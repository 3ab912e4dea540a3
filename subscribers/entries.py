"""The changes of single deliveries, in groups: what comes while a transaction is being committed goes into the next one
together, since on a disk the commit is what takes time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.database import Database, Instant
from subscribers.deliveries import Claim, delivery
from subscribers.model import FINAL, DeliveryState
from subscribers.tables import subscription

_KEY = (
    delivery.c.edition_id == sa.bindparam("edition"),
    delivery.c.subscription_id == sa.bindparam("reader"),
)
_NOW = sa.bindparam("now", type_=Instant)

MARK = (
    sa.update(delivery)
    .where(
        *_KEY,
        delivery.c.attempts == sa.bindparam("before"),
        delivery.c.state.in_([DeliveryState.PENDING, DeliveryState.DEFERRED, DeliveryState.UNCERTAIN]),
        # what its reader has done since the batch was read counts
        sa.exists().where(
            subscription.c.id == delivery.c.subscription_id, subscription.c.state == sa.bindparam("expected")
        ),
    )
    .values(
        state=DeliveryState.SENDING,
        attempts=delivery.c.attempts + 1,
        first_at=sa.func.coalesce(delivery.c.first_at, _NOW),
        changed_at=_NOW,
        lease=sa.bindparam("token"),
    )
)
RECORD = (
    sa.update(delivery)
    .where(
        *_KEY,
        delivery.c.lease == sa.bindparam("token"),
        delivery.c.state.in_([DeliveryState.SENDING, DeliveryState.UNCERTAIN]),
    )
    .values(
        state=sa.bindparam("becomes"),
        due_at=sa.bindparam("due"),
        attempts=sa.bindparam("made"),
        first_at=sa.bindparam("first"),
        changed_at=_NOW,
        code=sa.bindparam("answered"),
        words=sa.bindparam("said"),
    )
)
SKIP = (
    sa.update(delivery)
    .where(
        *_KEY,
        delivery.c.attempts == sa.bindparam("before"),
        delivery.c.state.not_in([*FINAL, DeliveryState.SENDING]),
    )
    .values(state=DeliveryState.SKIPPED, due_at=None, changed_at=_NOW, words=sa.bindparam("said"))
)

Renew = Callable[[AsyncConnection, Claim], Awaitable[bool]]
"""Keeps a batch for another lease, or says that it has another owner."""


@dataclass(slots=True)
class _Entry:
    claim: Claim
    statement: sa.Update
    values: Mapping[str, Any]
    counted: asyncio.Future[bool]

    @property
    def needs_lease(self) -> bool:
        """A late outcome is welcome; everything else is for the owner of the batch."""
        return self.statement is not RECORD


class Entries:
    """What waits for the next transaction."""

    def __init__(self, database: Database, renew: Renew) -> None:
        self._database = database
        self._renew = renew
        self._waiting: list[_Entry] = []
        self._writing: asyncio.Task[None] | None = None

    async def enter(self, claim: Claim, statement: sa.Update, **values: Any) -> bool:
        """Makes one change of one delivery; False: the row was not there to be changed, or the batch is another's."""
        counted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Entry(claim, statement, {"edition": claim.edition_id, **values}, counted))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await counted

    async def _write(self) -> None:
        """Writes until nothing waits. It is not cancelled with those who wait: what was sent has to be recorded."""
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                counts: Sequence[bool | Exception]
                try:
                    counts = await self._commit(group)
                except Exception as error:  # it belongs to those who wait
                    counts = [error] * len(group)
                for entry, count in zip(group, counts, strict=True):
                    if entry.counted.done():  # nobody waits any more
                        continue
                    if isinstance(count, Exception):
                        entry.counted.set_exception(count)
                    else:
                        entry.counted.set_result(count)
        finally:
            self._writing = None

    async def _commit(self, group: Sequence[_Entry]) -> list[bool]:
        async with self._database.write() as connection:
            claims = {entry.claim for entry in group if entry.needs_lease}
            owned = {claim for claim in claims if await self._renew(connection, claim)}
            counts = []
            for entry in group:
                if entry.needs_lease and entry.claim not in owned:
                    counts.append(False)
                    continue
                changed = await connection.execute(entry.statement, entry.values)
                counts.append(changed.rowcount == 1)
        return counts
