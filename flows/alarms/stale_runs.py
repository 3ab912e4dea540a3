"""Runs that are shown as running though nothing works on them: killed with their machine, or with their runner. One
that was being cancelled then is cancelled, and what it delivered is held: its operator said so, and its process did not
live to hear it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Cancelled, Crashed

from flows.context import Context
from flows.delivery.run import hold_unfinished
from flows.editions.model import Kind
from flows.outcomes import Problem
from flows.storage.editions import Frozen

ALIVE = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
"""States of a run that a process should be at work on (*Submitting* is one of the pending)."""
WORDS = "its run was cancelled, and its process was gone"
MOST = 200
"""Runs that are looked at in one call."""


async def started(client: PrefectClient) -> Sequence[FlowRun]:
    """The runs of our deployments that a process should be at work on. A server that we joined has others' as well, and
    what workers of a work pool run is theirs."""
    wanted = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(ALIVE))),
        deployment_id=FlowRunFilterDeploymentId(is_null_=False),
    )
    found = await client.read_flow_runs(flow_run_filter=wanted, limit=MOST)
    ours: dict[UUID | None, bool] = {}
    for run in found:
        if run.deployment_id not in ours and run.deployment_id is not None:
            entrypoint = (await client.read_deployment(run.deployment_id)).entrypoint or ""
            ours[run.deployment_id] = entrypoint.startswith("flows.")
    return [run for run in found if run.work_pool_name is None and ours.get(run.deployment_id)]


async def set_right(client: PrefectClient, context: Context, runs: Iterable[FlowRun], reason: str) -> list[str]:
    """Sets those of them that are still as they were to Crashed, or to Cancelled; says what was done, in sentences."""
    said = []
    for run in runs:
        now = await client.read_flow_run(run.id)
        if now.state is None or run.state is None or now.state.id != run.state.id:
            continue
        cancelled = run.state.type is StateType.CANCELLING
        if cancelled:
            await _hold(context, run)
        state: State[Any] = (Cancelled if cancelled else Crashed)(message=reason)
        await client.set_flow_run_state(run.id, state, force=True)
        said.append(f"{run.name} was shown as {run.state.name} without a process, and is set to {state.name}.")
    return said


async def set_all_right(context: Context, reason: str) -> list[str]:
    """The same for every started run, for the one runner of a server that begins: none of them has a process."""
    async with get_client() as client:
        return await set_right(client, context, await started(client), reason)


async def _hold(context: Context, run: FlowRun) -> None:
    """Holds the edition that a run names, where it is being delivered; of one that names no day all that have something
    due."""
    form = next((one for one in run.parameters.values() if isinstance(one, dict) and "newsletter" in one), None)
    if form is None or form["newsletter"] not in context.newsletters:
        return
    newsletter = context.newsletters[form["newsletter"]]
    if "date" not in form:
        await hold_unfinished(context, newsletter.slug, WORDS)
        return
    kind = Kind.WEEKLY if form.get("kind") == Kind.WEEKLY or "-week-to-" in run.name else Kind.DAILY
    try:
        planned = run.expected_start_time or context.now()
        day = context.day(newsletter, str(form["date"]), planned)
    except Problem:  # such a run has delivered nothing
        return
    for found in (
        await context.store.find(newsletter.slug, kind, day),
        await context.store.correction(newsletter.slug, kind, day),
    ):
        if isinstance(found, Frozen) and await context.ledger.next_due(found.id, context.now()):
            await context.store.hold(found.id, context.now(), WORDS)


def silent(runs: Iterable[FlowRun], heard: Collection[UUID], now: dt.datetime, patience: dt.timedelta) -> list[FlowRun]:
    """Those that have been in their state for longer than `patience` and were not heard of in that time."""
    return [
        run for run in runs if run.id not in heard and run.state is not None and now - run.state.timestamp > patience
    ]
