"""The shares of one delivery on a work pool of Prefect's: asked for while it goes on and as many as pay, looked after,
and told to stop with it. The ledger divides the readers and says when all are served; whatever becomes of a share, or
of Prefect, the process that asks delivers on its own."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import State, StateType
from prefect.deployments.flow_runs import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Cancelling, Crashed

from flows.context import Context, Say
from flows.delivery.batches import first_of
from flows.delivery.run import Beside
from flows.shares.how_many import how_many
from flows.shares.same_settings import fingerprint_of
from flows.storage.editions import Frozen
from subscribers.model import DeliveryState

LOOK = 10.0
"""Seconds between two looks: over so long the pace is measured."""
SHARE = 20
"""To count what was sent may take so small a part of them: of a million readers it takes a second."""
LAST = 20.0
"""Seconds for shares to end by themselves when nothing is left."""
ANSWER = 5.0
"""Seconds that Prefect has to take a wish to stop."""
_NOT_BEGUN = (StateType.SCHEDULED, StateType.PENDING, StateType.PAUSED)
_OVER = (StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED)


def shares_of(context: Context, newsletter: str, whose: str, say: Say, *, look: float = LOOK) -> Beside | None:
    """What delivers beside a run of ours on a work pool; None: nothing does. `whose` names the run and its attempt: the
    same one gets the same shares, however often it asks."""
    settings = context.settings
    pool = context.newsletter(newsletter).work_pool or settings.work_pool
    if not pool or not settings.mail_shares:
        return None
    if settings.database.startswith("sqlite"):
        say(f"The work pool {pool} is not asked: the database is a file of this machine, see PAPERROUND_DATABASE_URL.")
        return None

    def beside(frozen: Frozen, ending: asyncio.Event) -> AbstractAsyncContextManager[None]:
        return Shares(context, frozen, f"deliver-share/{pool}", whose, say, look).beside(ending)

    return beside


class Shares:
    """The shares of one edition's delivery."""

    def __init__(self, context: Context, frozen: Frozen, deployment: str, whose: str, say: Say, look: float) -> None:
        self._context, self._frozen, self._say, self._every = context, frozen, say, look
        self._deployment, self._whose = deployment, whose
        self._asked: dict[int, UUID] = {}
        self._states: dict[int, State | None] = {}
        self._failed = 0
        self._told = ""

    @asynccontextmanager
    async def beside(self, ending: asyncio.Event) -> AsyncIterator[None]:
        """Looks after the shares as long as it is entered; when it is left they have been told to stop if `ending` is
        set, else those that nobody has begun are called off, and the others have ended."""
        looking = asyncio.create_task(self._look_after(ending))
        try:
            yield
        except BaseException:
            ending.set()
            raise
        finally:
            if ending.is_set():  # whoever ends us waits, and kills then: no longer than for one wish
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(looking, ANSWER)
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            if self._asked and not ending.is_set():
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(self._end(), LAST + ANSWER)

    async def _look_after(self, ending: asyncio.Event) -> None:
        sent, since, pause = await self._sent_so_far(), time.monotonic(), self._every
        while True:
            await first_of(pause, ending)
            if ending.is_set():  # what Prefect does not hear, the ledger says to each share: its edition is held
                await self._tell_to_stop()
                return
            try:
                began = time.monotonic()
                now, at = await self._sent_so_far(), time.monotonic()
                pause = max(self._every, SHARE * (at - began))
                await self._look((now - sent) / (at - since))
                sent, since = now, at
            except Exception as error:
                self._say_once(f"No share can be asked for ({_words(error)}): this run delivers on its own.")

    async def _look(self, pace: float) -> None:
        """Asks for as many shares as pay at that pace, in messages a second of all together."""
        settings, context = self._context.settings, self._context
        async with get_client() as client:
            await self._read(client)
            alive = [number for number, state in self._states.items() if _type(state) not in _OVER]
            working = sum(_type(self._states[number]) is StateType.RUNNING for number in alive)
            wanted = how_many(
                await context.ledger.waiting(self._frozen.id, context.now()),
                pace / (1 + working),
                rate=settings.limit.rate,
                room=min((window.count for window in settings.limit.windows), default=None),
                most=settings.mail_shares - self._failed,
            )
            # one that crashed is asked for again, but not for ever
            wanted = min(wanted - len(alive), 2 * settings.mail_shares - len(self._asked))
            for _ in range(wanted):
                await self._ask(client)
            if wanted > 0:
                all_of_them = len(alive) + wanted
                self._say(f"{all_of_them} {'share is' if all_of_them == 1 else 'shares are'} asked for.")

    async def _ask(self, client: PrefectClient) -> None:
        number, edition = len(self._asked) + 1, self._frozen.edition
        run = await arun_deployment(
            self._deployment,
            client=client,
            parameters={"share": {"edition": self._frozen.id, "settings": fingerprint_of(self._context.settings)}},
            flow_run_name=f"share-{number}-of-{edition.newsletter}-{edition.kind}-{edition.day}",
            idempotency_key=f"deliver-share-{self._frozen.id}-{number}-{self._whose}",
            tags=[edition.newsletter],
            timeout=0,
            # no sub-run: it outlives a parent that dies, and its name says whose it is
            as_subflow=False,
        )
        self._asked[number] = run.id
        self._states[number] = run.state

    async def _read(self, client: PrefectClient) -> None:
        """Reads how the shares are, and says of those that have ended before the delivery how."""
        for number, run in self._asked.items():
            before = _type(self._states[number])
            if before in _OVER:
                continue
            try:
                state = (await client.read_flow_run(run)).state
            except ObjectNotFound:  # somebody deleted it
                state = Crashed(message="it was deleted")
            self._states[number] = state
            if _type(state) is StateType.FAILED:
                self._failed += 1
            if _type(state) in (StateType.FAILED, StateType.CRASHED, StateType.CANCELLED) and state is not None:
                self._say(
                    f"Share {number} is {state.type.value.lower()}: {(state.message or '')[:300]} The others go on."
                )

    async def _tell_to_stop(self, *, begun: bool = True) -> None:
        """Calls off what nobody has begun, and with `begun` has the others stop."""
        why = "The delivery was stopped." if begun else "Everybody has been served."
        off: State[Any] = Cancelled(message=why)
        async with get_client() as client:
            for number, run in self._asked.items():
                state = (await client.read_flow_run(run)).state
                self._states[number] = state
                if _type(state) in _NOT_BEGUN:  # forced: a worker that has taken it may be gone
                    await client.set_flow_run_state(run, off, force=True)
                    self._states[number] = off
                elif begun and _type(state) is StateType.RUNNING:
                    await client.set_flow_run_state(run, Cancelling(message=why))

    async def _end(self) -> None:
        await self._tell_to_stop(begun=False)
        async with get_client() as client:
            until = time.monotonic() + LAST
            while left := [n for n, state in self._states.items() if _type(state) is StateType.RUNNING]:
                if time.monotonic() > until:
                    break
                await asyncio.sleep(1)
                await self._read(client)
            for number in left:
                # the ledger has taken over what it had claimed
                gone: State[Any] = Crashed(message="Its machine was heard of no more; the others served its readers.")
                await client.set_flow_run_state(self._asked[number], gone, force=True)
                self._say(f"Share {number} was heard of no more, and is set to Crashed.")

    async def _sent_so_far(self) -> int:
        counts = await self._context.ledger.counts(self._frozen.id)
        return counts.get(DeliveryState.SENT, 0)

    def _say_once(self, sentence: str) -> None:
        if sentence != self._told:
            self._told = sentence
            self._say(sentence)


def _type(state: State | None) -> StateType | None:
    return state.type if state else None


def _words(error: Exception) -> str:
    """What went wrong, without the addresses that an HTTP client's words hold."""
    if isinstance(error, ObjectNotFound):
        return "there is no such deployment: `prefect deploy --all` makes it"
    return type(error).__name__
