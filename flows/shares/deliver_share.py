"""The flow `deliver-share`: works an edition's ledger beside whoever else does, on any machine that has the same
database, keys and settings. What it claims it answers for; what it leaves, or dies with, the others take over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed
from pydantic import BaseModel, Field

from flows.blocks.taken_over import take_over
from flows.by_hand.stopping import OperatorWord, heeding_the_operator
from flows.context import Context, Say, open_context
from flows.delivery.run import held_sentence, take_part
from flows.outcomes import Problem, Verdict
from flows.parameters import run_id
from flows.process import apart
from flows.shares.same_settings import check_settings
from flows.storage.editions import Frozen

EVERY = 2.0
"""Seconds between two looks whether the edition is held."""


class Share(BaseModel):
    """An edition that is being delivered, as a delivery that asks for help names it."""

    edition: int = Field(
        title="Edition",
        description="Its number in the ledger, as the log of its delivery says",
        ge=1,
        json_schema_extra={"position": 0},
    )
    settings: str = Field(
        title="Settings",
        description="A fingerprint of those of the machine that asks; empty: whatever they are",
        max_length=64,
        json_schema_extra={"position": 1},
    )


# whoever asks for a run names it after its edition: a name of the flow's own would take that one's place
@flow(name="deliver-share")
async def deliver_share(share: Share) -> State[Any]:
    """Deliver a share of an edition, beside the run that began it and other shares, until nothing of it is free."""
    log = get_run_logger()
    run, word = run_id(), OperatorWord()

    async def work(stop: asyncio.Event) -> tuple[int, str]:
        nonlocal word
        settings = await take_over(log.info)
        async with open_context(settings) as context:  # refuses a machine with other keys
            check_settings(settings, share.settings)
            frozen = await context.store.frozen(share.edition)
            if frozen is None:
                raise Problem(f"There is no edition {share.edition}: a delivery that asks for shares names its own.")
            say = log.info
            async with heeding_the_hold(context, frozen, stop, say), heeding_the_operator(run, stop, say) as word:
                report = await take_part(context, frozen, say, stop=stop)
        return report.verdicts[Verdict.SENT], report.halted

    sent, halted = await apart(work)
    words = f"Sent {sent} of edition {share.edition}."
    if word.said == "cancelled":
        return Cancelled(message=f"{words} The others go on.")
    await word.obey()
    if halted:
        raise Problem(f"{words} {halted}")
    return Completed(message=words)


@asynccontextmanager
async def heeding_the_hold(context: Context, frozen: Frozen, stop: asyncio.Event, say: Say) -> AsyncIterator[None]:
    """Sets `stop` as soon as the edition is held: whoever began its delivery was told to stop it."""

    async def go_on_looking() -> None:
        while not stop.is_set():
            await asyncio.sleep(EVERY)
            with suppress(Exception):  # a database that is away has said nothing
                if held := await held_sentence(context, frozen):
                    say(held)
                    stop.set()

    looking = asyncio.create_task(go_on_looking())
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
