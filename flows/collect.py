"""The flow `collect`: brings a newsletter's papers of a day into the store. Any day, any number of times."""

from __future__ import annotations

import datetime as dt
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows import pipeline
from flows.config.settings import load_settings
from flows.context import open_context
from flows.editions.model import Kind
from flows.outcomes import Problem
from flows.parameters import MOST_DAYS, Days

RETRIES = (3, 10, 20)
"""Seconds until a source that failed is asked again within the run; what takes longer is for a later one."""


@task(
    name="collect",
    task_run_name="collect for the {kind} edition {newsletter}/{day}",
    cache_policy=NO_CACHE,
    retries=len(RETRIES),
    retry_delay_seconds=[float(pause) for pause in RETRIES],
)
async def collect_from_sources(newsletter: str, kind: Kind, day: dt.date) -> None:
    """Asks the sources for what an edition may draw on. Raises Problem with why those of them failed that gave nothing
    for its day, or for any day of its week: the task is red then, after its retries."""
    log = get_run_logger()
    async with open_context(load_settings()) as context:
        went = await pipeline.collect(context, context.newsletter(newsletter), kind, day, log.info)
    failed = [one for one in went if one.problem and not one.papers]
    if kind is Kind.WEEKLY and failed:
        log.warning("%s collections of the week failed: what was stored before is taken as it is.", len(failed))
    if wrong := [one.problem.rstrip(".") for one in failed if kind is Kind.WEEKLY or one.day == day]:
        raise Problem(". ".join(dict.fromkeys(wrong)) + ".")


async def collect_for(newsletter: str, kind: Kind, day: dt.date) -> str:
    """Collects, with some patience; returns why sources failed, or nothing."""
    state = await collect_from_sources(newsletter, kind, day, return_state=True)  # type: ignore[misc] # it is asynchronous
    if not state.is_failed():
        return ""
    error = await state.aresult(raise_on_failure=False)
    if isinstance(error, Problem):
        return str(error)
    raise error


@flow(name="collect", flow_run_name="collect-{days.newsletter}-{days.first}")
async def collect(days: Days) -> State[Any]:
    """Collect the papers of a day, or of several, again: lists grow, votes come in. Editions that were sent stay as
    they are."""
    async with open_context(load_settings()) as context:
        newsletter = context.newsletter(days.newsletter)
        first, last = context.day(newsletter, days.first), context.day(newsletter, days.last)
    if not 0 <= (last - first).days < MOST_DAYS:
        raise Problem(
            f"{first} to {last} are not 1 to {MOST_DAYS} days: choose a last day after the first, not so far."
        )
    failed = {}
    for day in (first + dt.timedelta(days=age) for age in range((last - first).days + 1)):
        if wrong := await collect_for(newsletter.slug, Kind.DAILY, day):
            failed[day] = wrong
    number = (last - first).days + 1
    if failed:
        worst = "; ".join(f"{day}: {wrong}" for day, wrong in list(failed.items())[:3])
        return Failed(message=f"{len(failed)} of {number} days failed: {worst}" if number > 1 else worst)
    return Completed(message=f"{first} is collected" if number == 1 else f"{number} days are collected")
