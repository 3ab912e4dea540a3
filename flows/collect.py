"""The flow `collect`: brings a newsletter's papers of a day into the store. Any day, any number of times."""

from __future__ import annotations

import datetime as dt
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows import stages
from flows.context import open_context
from flows.editions.model import Kind
from flows.orders import Day
from flows.settings import load_settings


@task(name="collect", task_run_name="collect {newsletter} {day}", cache_policy=NO_CACHE)
async def collect_day(newsletter: str, day: dt.date) -> list[str]:
    """Asks the sources; returns why those of them failed that gave nothing for the day, a sentence each."""
    async with open_context(load_settings()) as context:
        went = await stages.collect(context, context.newsletter(newsletter), Kind.DAILY, day, get_run_logger().info)
    return [one.problem for one in went if one.day == day and one.problem and not one.papers]


@flow(name="collect", flow_run_name="collect-{day.newsletter}-{day.date}")
async def collect(day: Day) -> State[Any]:
    """Collect a day's papers again: lists grow, votes come in. Editions that were sent stay as they are."""
    async with open_context(load_settings()) as context:
        newsletter = context.newsletter(day.newsletter)
        date = context.day(newsletter, day.date)
    failed = await collect_day(newsletter.slug, date)
    return Failed(message=" ".join(failed)) if failed else Completed(message=f"{date} is collected")
