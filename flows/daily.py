"""The flow `daily`: a day's edition, and what it has in common with `weekly`: collect, compose, deliver."""

from __future__ import annotations

import datetime as dt
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.alarms.ask_again import ask_again, asked_again_until
from flows.by_hand.suspension import resumed, wait_for_approval
from flows.collect import collect_for
from flows.compose import compose_edition
from flows.config.settings import load_settings
from flows.context import open_context, utc_now
from flows.deliver import deliver_edition
from flows.editions.model import Kind, Newsletter
from flows.events.emit import tell
from flows.parameters import Order, scheduled_at, too_late


@flow(name="daily", flow_run_name="{order.newsletter}-{order.date}")
async def daily(order: Order) -> State[Any]:
    """A newsletter's edition of a day, from the sources to the readers' inboxes.

    Running a day again returns the same edition and mails only those who have not got it yet.
    """
    return await bring(Kind.DAILY, order)


async def bring(kind: Kind, order: Order) -> State[Any]:
    """A newsletter's edition of a kind, from the sources to the readers' inboxes; how it went, as a run's last state.

    Again for the same day it returns the same edition and mails only those who have not got it yet.
    """
    log = get_run_logger()
    began = await resumed()
    if not began and (words := too_late(kind, asked_again_until() or scheduled_at(), utc_now())):
        log.warning(words)
        return Completed(message=words)
    async with open_context(load_settings()) as context:
        newsletter = context.newsletter(order.newsletter, kind)
        # a scheduled run makes the edition of the day it was planned for, also when it starts after midnight
        day = context.day(newsletter, order.date, began or scheduled_at())
    log.info("%s, %s edition of %s%s.", newsletter.title, kind, day, " (dry run)" if order.dry_run else "")
    if began:
        # what the operator saw is what they decided about: it is not collected again
        return await _deliver(newsletter, kind, day)
    failed = await collect_for(newsletter.slug, kind, day)
    if failed and not order.dry_run and (later := await ask_again(newsletter, kind, day, failed)):
        return Failed(message=later)
    papers = await compose_edition(newsletter.slug, kind, day, keep=not order.dry_run)
    if failed and not papers:
        # not a quiet day but an outage: it must be seen, and the run can be retried
        return Failed(message=f"no edition: {failed}")
    if order.dry_run:
        return Completed(message=f"dry run: {papers} papers, no edition stored, no mail sent")
    return await _deliver(newsletter, kind, day, failed)


async def _deliver(newsletter: Newsletter, kind: Kind, day: dt.date, failed: str = "") -> State[Any]:
    """Delivers an edition, with what is there if a source failed and the newsletter allows that; where its operator is
    to be asked, as soon as they allow it."""
    if failed and newsletter.when_a_source_is_missing == "hold":
        async with open_context(load_settings()) as context:
            await tell(context, "edition.held", newsletter.slug, day, reason=failed)
        return Failed(message=f"held: {failed} To send what there is, start `deliver` with {day}.")
    if refused := await wait_for_approval(newsletter.slug, kind, day):
        return refused
    without = f" Without a source: {failed}" if failed else ""
    return Completed(message=await deliver_edition(newsletter.slug, kind, day) + without)
