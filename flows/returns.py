"""The flow `returns`: reads the mailbox that mail comes back to, every five minutes where PAPERROUND_RETURNS_URL is
set."""

from __future__ import annotations

from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.config.settings import load_settings
from flows.context import open_context, utc_now
from flows.incoming.handle import read_returns
from flows.parameters import RETURNS_EVERY, scheduled_at


@flow(name="returns", flow_run_name="returns")
async def returns() -> State[Any]:
    """End the subscriptions of those who unsubscribed by mail. Any number of times; it names nobody."""
    planned = scheduled_at()
    if planned is not None and utc_now() - planned > RETURNS_EVERY:
        # after a downtime all missed runs start together: the newest does the work of all
        return Completed(message=f"skipped: planned for {planned:%Y-%m-%d %H:%M} UTC, a later run does the same")
    async with open_context(load_settings()) as context:
        done = (await read_returns(context)).sentence
    get_run_logger().info(done)
    return Completed(message=done)
