"""A source that failed for longer than a run should wait: a later run of the same deployment asks it again, until the
newsletter's deadline. No process sleeps meanwhile."""

from __future__ import annotations

import datetime as dt

from prefect.client.orchestration import get_client
from prefect.states import Scheduled

from flows.context import utc_now
from flows.editions.deadline import collected_by
from flows.editions.model import Kind, Newsletter
from flows.parameters import this_run

EVERY = dt.timedelta(minutes=10)
"""Until the next run."""
_UNTIL = "paperround.until"
"""The label of a later run: until when there is another after it."""


def asked_again_until() -> dt.datetime | None:
    """The deadline, where the run around us is a later one; None: it is the first."""
    run = this_run()
    until = run.labels.get(_UNTIL) if run else None
    return dt.datetime.fromisoformat(str(until)) if until else None


async def ask_again(newsletter: Newsletter, kind: Kind, day: dt.date, failed: str) -> str:
    """Plans a later run for a daily edition whose sources failed; in a sentence, when that is. Empty: the deadline has
    come, and nothing was planned."""
    run = this_run()
    if kind is not Kind.DAILY or run is None or run.deployment_id is None:
        return ""
    now = utc_now()
    until = asked_again_until() or collected_by(newsletter, run.expected_start_time or now)
    if now >= until:
        return ""
    at = min(now + EVERY, until)
    async with get_client() as client:
        await client.create_flow_run_from_deployment(
            run.deployment_id,
            parameters={"order": {"newsletter": newsletter.slug, "date": day.isoformat(), "dry_run": False}},
            state=Scheduled(scheduled_time=at),
            labels={_UNTIL: until.isoformat()},
            # a run and its retry plan one and the same
            idempotency_key=f"ask again {newsletter.slug} {day} {at:%Y-%m-%d %H:%M}",
        )
    return f"{failed} The sources are asked again at {at:%H:%M} UTC, until {until:%H:%M} UTC."
