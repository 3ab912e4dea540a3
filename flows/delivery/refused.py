"""Addresses that a mail server refuses for good, as their mail is offered: never mailed again, or held for the operator
where they are very many at once, whom the server rather than the readers may have lost. And those whose mail it puts
off until that is given up, which counts as if it had been taken and had come back."""

from __future__ import annotations

import asyncio
from functools import partial

from flows.causes import Cause, cause_of
from flows.context import Context, Say
from flows.outcomes import Outcome
from flows.storage.away import until_back
from subscribers.ledger.came_back import Refused
from subscribers.ledger.model import Delivery


class RefusedAddresses:
    """Those of one run. What comes while a lot is being written down goes into the next one together: to see whether
    they are very many takes a look at all of the day."""

    def __init__(self, context: Context, say: Say) -> None:
        self._context, self._say = context, say
        self._waiting: list[tuple[Refused, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._told = False

    async def add(self, delivery: Delivery, outcome: Outcome, *, dead: bool = False, put_off: bool = False) -> None:
        """Returns when it is written down, however long the database is away. Not `dead`: the server has refused the
        address in many editions in a row, and does not say that there is none. `put_off`: it has put off this mail
        until it was given up."""
        cause = Cause.DEAD if dead else cause_of(outcome.text, outcome.code, outcome.status)
        refused = Refused(
            edition_id=delivery.claim.edition_id,
            subscription_id=delivery.subscription_id,
            address=delivery.address,
            cause=cause,
            code=outcome.code,
            status=outcome.status,
            words=outcome.text,
            put_off=put_off,
        )
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((refused, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await written

    async def _write(self) -> None:
        try:
            while self._waiting:
                lot, self._waiting = self._waiting, []
                failed: Exception | None = None
                try:
                    await self._record([refused for refused, _ in lot])
                except Exception as error:
                    failed = error
                for _, written in lot:
                    if written.done():
                        continue
                    if failed is None:
                        written.set_result(None)
                    else:
                        written.set_exception(failed)
        finally:
            self._writing = None

    async def _record(self, lot: list[Refused]) -> None:
        record = partial(self._context.came_back.refused, lot, self._context.now())
        held = await until_back(record, self._say, asyncio.Event())
        if held and not self._told:
            self._told = True
            self._say(
                "So many addresses were refused as dead at once that the server may have lost them: they are held for "
                "you, `paperround bounces held` shows them."
            )
