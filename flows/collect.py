"""The flow `collect`: brings a newsletter's papers of a day into the store. Any day, any number of times."""

from __future__ import annotations

import datetime as dt

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE

from flows import stages
from flows.context import open_context
from flows.editions.model import Kind
from flows.orders import Day
from flows.settings import load_settings


@task(name="collect", task_run_name="collect {newsletter} {day}", cache_policy=NO_CACHE)
async def collect_day(newsletter: str, day: dt.date) -> int:
    """Asks the sources; returns the number of papers that they gave."""
    async with open_context(load_settings()) as context:
        went = await stages.collect(context, context.newsletter(newsletter), Kind.DAILY, day, get_run_logger().info)
    return sum(len(one.papers) for one in went)


@flow(name="collect", flow_run_name="collect-{day.newsletter}-{day.date}")
async def collect(day: Day) -> None:
    """Collect a day's papers again: lists grow, votes come in. Editions that were sent stay as they are."""
    async with open_context(load_settings()) as context:
        newsletter = context.newsletter(day.newsletter)
        date = context.day(newsletter, day.date)
    await collect_day(newsletter.slug, date)
