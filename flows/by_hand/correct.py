"""The flow `correct`: a correction to exactly those who got an edition."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import Field

from flows.approval import put_right
from flows.artifacts.progress import in_sight
from flows.blocks.taken_over import take_over
from flows.by_hand.stopping import OperatorWord, heeding_the_operator
from flows.config.settings import load_settings
from flows.context import open_context
from flows.delivery.run import Delivered
from flows.editions.decisions import Decisions, decisions
from flows.editions.model import Kind
from flows.outcomes import Problem
from flows.parameters import KindOfDay, run_id
from flows.process import apart


class Correction(KindOfDay):
    """What was wrong with an edition that was delivered."""

    note: str = Field(
        title="What was wrong",
        description="Your words to its readers; links as `https://…` or `[words](https://…)`",
        json_schema_extra={"position": 3, "format": "textarea"},
    )
    subject: str = Field(
        "", title="Subject", description="Marked `Correction:`; empty: one is made", json_schema_extra={"position": 4}
    )
    edition: bool = Field(
        default=False,
        title="Send the corrected edition",
        description="Not the words alone; who has not got the edition yet gets the corrected one instead",
        json_schema_extra={"position": 5},
    )
    drop: list[str] = Field(
        # a form leaves out an empty list, and what has no default is refused then
        default_factory=list,
        title="Papers to drop",
        description="Of the corrected edition: identifiers",
        json_schema_extra={"position": 6},
    )
    lead: str = Field(
        "", title="Paper to lead", description="Of the corrected edition", json_schema_extra={"position": 7}
    )


@flow(name="correct", flow_run_name="correct-{correction.newsletter}-{correction.date}")
async def correct(correction: Correction) -> State[Any]:
    """Send a correction to exactly those who got an edition, once each. Again with the same words it goes on."""
    made = decisions(correction.subject, correction.note, correction.drop, correction.lead)
    async with open_context(load_settings()) as context:
        newsletter = context.newsletter(correction.newsletter, correction.kind)
        day = context.day(newsletter, correction.date)
    words = await correct_edition(newsletter.slug, correction.kind, day, made, whole=correction.edition)
    return Completed(message=words)


@task(name="correct", task_run_name="correct {newsletter} {kind} {day}", cache_policy=NO_CACHE)
async def correct_edition(newsletter: str, kind: Kind, day: dt.date, made: Decisions, *, whole: bool) -> str:
    """Brings the correction; returns how that stands. Raises Problem where it had to stop."""
    log = get_run_logger()
    run, word = run_id(), OperatorWord()

    async def work(stop: asyncio.Event) -> Delivered:
        nonlocal word
        async with open_context(await take_over(log.info)) as context:
            wanted = context.newsletter(newsletter, kind)
            async with heeding_the_operator(run, stop, log.info) as word:
                done = await put_right.correct(
                    context, wanted, kind, day, made, log.info, whole=whole, stop=stop, by=in_sight(run)
                )
            if word.said and (correction := await context.store.correction(newsletter, kind, day)):
                await context.store.hold(correction.id, context.now(), f"its run was {word.said}")
            return done

    delivered = await apart(work)
    await word.obey()
    if delivered.halted:
        raise Problem(f"{delivered.halted} Nobody was lost: start the run again when it is mended.")
    return f"Correction. {delivered.sentence}"
