"""The flow `deliver`: freezes an edition and brings it to its readers. Starting it again goes on, and mails nobody
twice: the ledger decides, not Prefect."""

from __future__ import annotations

import asyncio
import datetime as dt
from functools import partial
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows import pipeline
from flows.artifacts.progress import in_sight
from flows.artifacts.reputation import watch
from flows.blocks.taken_over import take_over
from flows.by_hand.stopping import OperatorWord, attempt, goes_on_by_itself, heeding_the_operator
from flows.by_hand.suspension import at_deadline
from flows.config.settings import load_settings
from flows.context import open_context, utc_now
from flows.delivery.run import Delivered, Held, held_sentence, hold_unfinished
from flows.delivery.run import deliver_due as dispatch_due
from flows.editions.model import Kind, NoEdition
from flows.events.emit import tell
from flows.outcomes import Problem
from flows.parameters import DUE_EVERY, KindOfDay, Target, run_id, scheduled_at
from flows.process import apart
from flows.shares.work_pool import shares_of


@task(name="deliver", task_run_name="deliver the {kind} edition {newsletter}/{day}", cache_policy=NO_CACHE)
async def deliver_edition(newsletter: str, kind: Kind, day: dt.date) -> str:
    """Delivers what is due now; returns how the delivery stands, in a sentence. Raises Problem where it had to stop."""
    log = get_run_logger()
    run, whose, asked_for = run_id(), attempt(), not goes_on_by_itself()
    word = OperatorWord()

    async def work(stop: asyncio.Event) -> Delivered | NoEdition:
        nonlocal word
        async with open_context(await take_over(log.info)) as context:
            frozen = await pipeline.freeze(context, context.newsletter(newsletter), kind, day, log.info)
            if isinstance(frozen, NoEdition):
                return frozen
            if asked_for and await context.store.release(frozen.id):
                log.info("It was held; it goes on, since you say so.")
            log.info("It is edition %s in the ledger.", frozen.id)
            await watch(context, newsletter)
            beside = shares_of(context, newsletter, whose, log.info)
            async with heeding_the_operator(run, stop, log.info) as word:
                delivered = await in_sight(run)(context, frozen, log.info, stop=stop, beside=beside)
            held = ""
            if word.said:
                reason = f"its run was {word.said}"
                await context.store.hold(frozen.id, context.now(), reason)
                await tell(context, "edition.held", newsletter, day, kind=kind.value, reason=reason)
                held = f" {await held_sentence(context, frozen)}"
        log.info("%s%s%s", "Stopped between two messages. " if stop.is_set() else "", delivered.sentence, held)
        return delivered

    delivered = await apart(work)
    if isinstance(delivered, NoEdition):
        log.info("No %s edition on %s, so no mail: %s", kind, day, delivered.reason)
        return f"no edition: {delivered.reason}"
    async with open_context(load_settings()) as context:
        counts = {str(state): count for state, count in delivered.counts.items()}
        await tell(context, "edition.delivered", newsletter, day, kind=kind.value, **counts)
        if delivered.limited:
            await tell(context, "quota.spent", newsletter, day, words=delivered.limited)
    await word.obey()
    if delivered.halted:
        raise Problem(f"{delivered.halted} Nobody was lost: start the run again when it is mended.")
    return delivered.sentence


@task(name="deliver due", task_run_name="deliver due {newsletter}", cache_policy=NO_CACHE)
async def deliver_what_is_due(newsletter: str) -> str:
    """Delivers what has become due of all editions of a newsletter; returns what was done, in a sentence."""
    log = get_run_logger()
    said = await at_deadline(newsletter)
    for sentence in said:
        log.info(sentence)

    run, whose, word = run_id(), attempt(), OperatorWord()

    async def work(stop: asyncio.Event) -> list[Delivered | Held]:
        nonlocal word
        async with open_context(await take_over(log.info)) as context:
            context.newsletter(newsletter)
            await watch(context, newsletter)
            by = partial(in_sight(run), beside=shares_of(context, newsletter, whose, log.info))
            async with heeding_the_operator(run, stop, log.info) as word:
                done = await dispatch_due(context, newsletter, log.info, stop, by=by)
            if word.said:
                await hold_unfinished(context, newsletter, f"a run of deliver-due was {word.said}")
            return done

    done = await apart(work)
    await word.obey()
    for delivered in done:
        if delivered.halted:
            raise Problem(f"{delivered.halted} Nobody was lost: it goes on when that is mended.")
    return " ".join([*said, *(delivered.sentence for delivered in done)]) or "Nothing is due."


@flow(name="deliver-due", flow_run_name="deliver-due-{target.newsletter}")
async def deliver_due(target: Target) -> State[Any]:
    """Send what has become due: readers whose hour has come, and what a mail server put off."""
    planned, now = scheduled_at(), utc_now()
    if planned is not None and now - planned > DUE_EVERY:
        # after a downtime all missed runs start together: the newest does the work of all
        return Completed(message=f"skipped: planned for {planned:%Y-%m-%d %H:%M} UTC, a later run does the same")
    return Completed(message=await deliver_what_is_due(target.newsletter))


@flow(name="deliver", flow_run_name="deliver-{day.newsletter}-{day.date}")
async def deliver(day: KindOfDay) -> State[Any]:
    """Deliver a day's or a week's edition, or go on with it. What was sent is not sent again."""
    async with open_context(load_settings()) as context:
        newsletter = context.newsletter(day.newsletter, day.kind)
        date = context.day(newsletter, day.date)
    return Completed(message=await deliver_edition(newsletter.slug, day.kind, date))
