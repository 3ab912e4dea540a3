"""The flow `deliver`: freezes an edition and brings it to its readers. Starting it again goes on, and mails nobody
twice: the ledger decides, not Prefect."""

from __future__ import annotations

import datetime as dt
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows import stages
from flows.artifacts import show_delivery
from flows.context import open_context
from flows.dispatch import deliver as dispatch
from flows.editions.model import Kind, NoEdition
from flows.orders import Day, Target
from flows.outcomes import Problem
from flows.settings import load_settings


@task(name="deliver", task_run_name="deliver {newsletter} {day}", cache_policy=NO_CACHE)
async def deliver_day(newsletter: str, day: dt.date) -> str:
    """Delivers what is due now; returns how the delivery stands, in a sentence. Raises Problem where it had to stop."""
    log = get_run_logger()
    async with open_context(load_settings()) as context:
        frozen = await stages.freeze(context, context.newsletter(newsletter), Kind.DAILY, day)
        if isinstance(frozen, NoEdition):
            log.info("No edition on %s, so no mail: %s", day, frozen.reason)
            return f"no edition: {frozen.reason}"
        delivered = await dispatch(context, frozen, log.info)
    await show_delivery(newsletter, delivered)
    if delivered.halted:
        raise Problem(f"{delivered.halted} Nobody was lost: start the run again when it is mended.")
    return delivered.sentence


@task(name="deliver due", task_run_name="deliver due {newsletter}", cache_policy=NO_CACHE)
async def deliver_what_is_due(newsletter: str) -> str:
    """Delivers what has become due of all editions of a newsletter; returns what was done, in a sentence."""
    log, said = get_run_logger(), []
    async with open_context(load_settings()) as context:
        for identity in await context.ledger.unfinished(context.now()):
            frozen = await context.store.frozen(identity)
            if frozen is None or frozen.edition.newsletter != newsletter:
                continue
            log.info("The edition of %s has something due.", frozen.edition.day)
            delivered = await dispatch(context, frozen, log.info, opened=True, wait=dt.timedelta(0))
            if delivered.halted:
                raise Problem(f"{delivered.halted} Nobody was lost: start the run again when it is mended.")
            said.append(f"{frozen.edition.day}: {delivered.sentence}")
    return " ".join(said) or "Nothing is due."


@flow(name="deliver-due", flow_run_name="deliver-due-{target.newsletter}")
async def deliver_due(target: Target) -> State[Any]:
    """Send what has become due: readers whose hour has come, and what a mail server put off."""
    return Completed(message=await deliver_what_is_due(target.newsletter))


@flow(name="deliver", flow_run_name="deliver-{day.newsletter}-{day.date}")
async def deliver(day: Day) -> State[Any]:
    """Deliver a day's edition, or go on with it. What was sent is not sent again."""
    async with open_context(load_settings()) as context:
        newsletter = context.newsletter(day.newsletter)
        date = context.day(newsletter, day.date)
    return Completed(message=await deliver_day(newsletter.slug, date))
