"""The flow `returns`: reads the mailbox that mail comes back to, every five minutes where PAPERROUND_RETURNS_URL is
set."""

from __future__ import annotations

from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.artifacts.reputation import show_returns, watch
from flows.config.settings import load_settings
from flows.context import open_context, utc_now
from flows.incoming.handle import read_returns
from flows.parameters import RETURNS_EVERY, scheduled_at


@flow(name="returns", flow_run_name="returns")
async def returns() -> State[Any]:
    """Do what has come back by mail: unsubscriptions, bounces, complaints. Any number of times; it names nobody."""
    planned = scheduled_at()
    if planned is not None and utc_now() - planned > RETURNS_EVERY:
        # after a downtime all missed runs start together: the newest does the work of all
        return Completed(message=f"skipped: planned for {planned:%Y-%m-%d %H:%M} UTC, a later run does the same")
    log = get_run_logger()
    async with open_context(load_settings()) as context:
        found = await read_returns(context)
        if found.why_left:
            log.warning(found.why_left)
        for newsletter in context.newsletters:
            if found.kinds:
                await show_returns(context, newsletter)
            if reason := await watch(context, newsletter):
                log.error("%s is paused: %s", newsletter, reason)
    log.info(found.sentence)
    return Completed(message=found.sentence)
