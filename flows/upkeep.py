"""The flow `upkeep`: every night, what is kept for a while only goes when its time is over."""

from __future__ import annotations

import datetime as dt
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.artifacts.reputation import show_returns
from flows.config.settings import load_settings
from flows.context import open_context
from flows.offers.old_runs import forget
from flows.pipeline import tidy


@flow(name="upkeep", flow_run_name="upkeep")
async def upkeep() -> State[Any]:
    """Forget what is kept for a while only: sign-ups that nobody confirmed, old requests and letters. Any number of
    times; it names nobody. What came back in 30 days is shown."""
    async with open_context(load_settings()) as context:
        done = await tidy(context)
        for newsletter in context.newsletters:
            await show_returns(context, newsletter)
        forgotten = await forget(context.now() - dt.timedelta(days=context.settings.keep_runs))
    done += f" {forgotten} old runs of Prefect's are forgotten." if forgotten else ""
    get_run_logger().info(done)
    return Completed(message=done)
