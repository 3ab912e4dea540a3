"""The flow `watchdog`: every few minutes, whether what is shown as running is, and whether editions are there."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from prefect import flow, get_run_logger
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.states import Completed

from flows.alarms.stale_runs import set_right, silent, started
from flows.blocks.taken_over import take_over
from flows.config.settings import load_settings
from flows.context import Context, open_context, utc_now
from flows.editions.deadline import collected_by
from flows.editions.model import Edition, Kind, Newsletter
from flows.events.emit import tell
from flows.outcomes import Problem
from flows.parameters import scheduled_at, this_run
from subscribers.people.movements import movements

PATIENCE = dt.timedelta(minutes=5)
"""A run that has not been heard of for so long is looked at once more; each says every half minute that it lives."""
SECOND_LOOK = 45.0
"""Seconds until then: a machine that was asleep has all its runs silent, and they live."""
GRACE = dt.timedelta(minutes=30)
"""After the deadline, for composing an edition and what comes before."""
RECENT = dt.timedelta(days=1)
WATCH_EVERY = dt.timedelta(minutes=5)
"""How often it runs."""


@flow(name="watchdog", flow_run_name="watchdog")
async def watchdog() -> State[Any]:
    """Set right what is shown as running and is not, and notice an edition that did not come."""
    log = get_run_logger()
    async with get_client() as client:
        unusable = ""
        try:
            settings = await take_over(log.info)
        except Problem as problem:  # told below; what was used before counts here
            unusable, settings = str(problem), load_settings()
        async with open_context(settings) as context:
            told = await _set_right(client, context)
            await _tell_of_readers(context)
            late = [await _late(client, context, newsletter) for newsletter in context.newsletters.values()]
    told += [sentence for sentence in (*late, unusable) if sentence]
    for sentence in told:
        log.warning(sentence)
    return Completed(message=" ".join(told) or "All is well.")


async def _set_right(client: PrefectClient, context: Context) -> list[str]:
    own = this_run()
    mine = {own.id} if own else set[UUID]()
    now = utc_now()
    heard = await _heard(client, now - PATIENCE) | mine
    if not silent(await started(client), heard, now, PATIENCE):
        return []
    await asyncio.sleep(SECOND_LOOK)
    heard |= await _heard(client, now)
    gone = silent(await started(client), heard, utc_now(), PATIENCE)
    reason = f"Nothing was heard of this run's process for {PATIENCE.seconds // 60} minutes."
    return await set_right(client, context, gone, reason)


async def _heard(client: PrefectClient, since: dt.datetime) -> set[UUID]:
    """The runs that said since then that they live."""
    wanted = {
        "filter": {
            "event": {"name": ["prefect.flow-run.heartbeat"]},
            "occurred": {"since": since.isoformat(), "until": (utc_now() + PATIENCE).isoformat()},
        },
        "limit": 50,
    }
    answer = await client.request("POST", "/events/filter", json=wanted)
    found: set[UUID] = set()
    while True:
        page = answer.raise_for_status().json()
        found |= {UUID(one["resource"]["prefect.resource.id"].rpartition(".")[2]) for one in page["events"]}
        if not page.get("next_page"):
            return found
        answer = await client.request("GET", page["next_page"])


async def _tell_of_readers(context: Context) -> None:
    """Tells how many readers came and left in the five minutes before this run was planned: each run has its own."""
    until = scheduled_at()
    if until is None:
        return
    for newsletter in context.newsletters:
        came, left = await movements(context.database, newsletter, until - WATCH_EVERY, until)
        if came:
            await tell(context, "reader.subscribed", newsletter, readers=came)
        if left:
            await tell(context, "reader.unsubscribed", newsletter, readers=left)


async def _late(client: PrefectClient, context: Context, newsletter: Newsletter) -> str:
    """Tells, and says in an event, of a daily edition that a schedule was to bring and that is not there; once."""
    try:
        deployment = await client.read_deployment_by_name(f"daily/{newsletter.slug}")
    except ObjectNotFound:
        return ""
    now = utc_now()
    wanted = {
        "flow_runs": {
            "deployment_id": {"any_": [str(deployment.id)]},
            "expected_start_time": {"after_": (now - RECENT).isoformat(), "before_": now.isoformat()},
        },
        "limit": 200,
    }
    answer = await client.request("POST", "/flow_runs/filter", json=wanted)
    for run in answer.raise_for_status().json():
        planned = dt.datetime.fromisoformat(run["expected_start_time"])
        if not run["auto_scheduled"] or now < collected_by(newsletter, planned) + GRACE:
            continue
        day = planned.astimezone(ZoneInfo(newsletter.zone)).date()
        found = await context.store.find(newsletter.slug, Kind.DAILY, day)
        waits = isinstance(found, Edition) and not newsletter.approval
        if (found is None or waits) and await _first(client, context, newsletter, day):
            return f"{newsletter.title} has no edition of {day}, which was to be there by now."
    return ""


async def _first(client: PrefectClient, context: Context, newsletter: Newsletter, day: dt.date) -> bool:
    """Emits the event about a day's edition; False: that was done before."""
    name, resource = "paperround.edition.late", f"paperround.edition.{newsletter.slug}.{day}"
    since = (utc_now() - 2 * RECENT).isoformat()
    wanted = {
        "filter": {"event": {"name": [name]}, "resource": {"id": [resource]}, "occurred": {"since": since}},
        "limit": 1,
    }
    answer = await client.request("POST", "/events/filter", json=wanted)
    if answer.raise_for_status().json()["total"]:
        return False
    await tell(context, "edition.late", newsletter.slug, day)
    return True
