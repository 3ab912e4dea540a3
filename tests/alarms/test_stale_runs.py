"""What is shown as running without a process is set right, at a real Prefect server."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Completed, Running

from flows.alarms.stale_runs import WORDS, set_all_right, set_right, silent, started
from flows.context import utc_now
from flows.daily import daily
from flows.deliver import deliver_due
from tests import factories
from tests.delivery.test_run import cards
from tests.factories import DAY
from tests.prefect_server import Installation, planned

NOW = dt.datetime(2026, 6, 9, 12, 0, tzinfo=dt.UTC)
PATIENCE = dt.timedelta(minutes=5)
ORDER = {"newsletter": "daily", "date": str(DAY), "dry_run": False}


@flow(name="of somebody else")
async def of_somebody_else() -> None:
    """A flow whose module is none of ours."""


@pytest.fixture(autouse=True)
async def _nothing_is_left_running(installation: Installation) -> AsyncIterator[None]:
    """A watchdog of another test would look after it."""
    yield
    async with get_client() as client:
        for run in await started(client):
            await client.set_flow_run_state(run.id, Completed(), force=True)


async def shown_as(state: State[Any], of: Any = daily, **parameters: Any) -> FlowRun:
    """A run that is shown so, though nothing works on it."""
    run = await planned(of, utc_now(), parameters=parameters)
    async with get_client() as client:
        # one without a process, or that never began, would be cancelled as soon as that is asked for
        await client.update_flow_run(run.id, infrastructure_pid="elsewhere:1")
        await client.set_flow_run_state(run.id, Running(), force=True)
        if state.type is not StateType.RUNNING:
            await client.set_flow_run_state(run.id, state, force=True)
        return await client.read_flow_run(run.id)


async def test_ours_that_a_process_should_be_at_work_on_are_found(installation: Installation) -> None:
    running, cancelling = await shown_as(Running()), await shown_as(State(type=StateType.CANCELLING))
    ended, theirs = await shown_as(Completed()), await shown_as(Running(), of_somebody_else)
    async with get_client() as client:
        found = {run.id for run in await started(client)}
    assert {running.id, cancelling.id} <= found
    assert not {ended.id, theirs.id} & found


async def test_each_is_set_to_crashed_unless_it_went_on_meanwhile(installation: Installation) -> None:
    gone, alive = await shown_as(Running()), await shown_as(Running())
    async with installation.context() as context, get_client() as client:
        await client.set_flow_run_state(alive.id, Completed(), force=True)
        said = await set_right(client, context, [gone, alive], "Nobody was there.")
        states = [(await client.read_flow_run(one.id)).state for one in (gone, alive)]
    assert said == [f"{gone.name} was shown as Running without a process, and is set to Crashed."]
    assert [state.type for state in states if state] == [StateType.CRASHED, StateType.COMPLETED]
    assert states[0] is not None
    assert states[0].message == "Nobody was there."


@pytest.mark.parametrize(
    ("of", "parameters"),
    [(daily, {"order": ORDER}), (deliver_due, {"target": {"newsletter": "daily"}})],
    ids=["of a day", "of all that is due"],
)
async def test_one_that_was_being_cancelled_is_cancelled_and_its_edition_held(
    installation: Installation, of: Any, parameters: dict[str, Any]
) -> None:
    await installation.subscribes("ada")
    run = await shown_as(State(type=StateType.CANCELLING), of, **parameters)
    async with installation.context() as context:
        frozen = await context.store.freeze(factories.edition(), cards(), context.now())
        await context.ledger.open(frozen.id, "daily", frozen.edition.kind, DAY, context.now(), at_once=True)
        assert await context.store.held(frozen.id) == ""
        said = await set_all_right(context, "The runner begins.")
        assert WORDS in await context.store.held(frozen.id)
    assert f"{run.name} was shown as Cancelling without a process, and is set to Cancelled." in said


def test_silent_is_what_has_not_been_heard_of_for_too_long() -> None:
    def run(minutes: int) -> FlowRun:
        state = State[Any](type=StateType.RUNNING, timestamp=NOW - dt.timedelta(minutes=minutes))
        return FlowRun(flow_id=uuid4(), state=state)

    young, old, heard = run(4), run(6), run(60)
    assert silent([young, old, heard, FlowRun(flow_id=uuid4())], {heard.id}, NOW, PATIENCE) == [old]
