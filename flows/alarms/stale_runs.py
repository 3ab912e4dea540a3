"""Runs that are shown as running though nothing works on them: killed with their machine, or with their runner."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Crashed

ALIVE = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
"""States of a run that a process should be at work on (*Submitting* is one of the pending)."""
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


async def crash(client: PrefectClient, runs: Iterable[FlowRun], reason: str) -> list[str]:
    """Sets those of them to Crashed that are still as they were; their names."""
    names = []
    for run in runs:
        now = await client.read_flow_run(run.id)
        if now.state is not None and run.state is not None and now.state.id == run.state.id:
            await client.set_flow_run_state(run.id, Crashed(message=reason), force=True)
            names.append(run.name)
    return names


async def crash_all(reason: str) -> list[str]:
    """Sets every started run to Crashed, for the one runner of a server that begins: none of them has a process."""
    async with get_client() as client:
        return await crash(client, await started(client), reason)


def silent(runs: Iterable[FlowRun], heard: Collection[UUID], now: dt.datetime, patience: dt.timedelta) -> list[FlowRun]:
    """Those that have been in their state for longer than `patience` and were not heard of in that time."""
    return [
        run for run in runs if run.id not in heard and run.state is not None and now - run.state.timestamp > patience
    ]
