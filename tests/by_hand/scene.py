"""An edition that was delivered, and runs of other flows that stand as they do in Prefect."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State

from flows.delivery.run import deliver
from flows.storage.editions import Frozen
from tests import factories
from tests.approval.scene import silent
from tests.delivery.test_run import cards
from tests.factories import DAY
from tests.prefect_server import Installation

EDITION = {"newsletter": "daily", "date": str(DAY), "kind": "daily"}


async def delivered(installation: Installation, *names: str) -> Frozen:
    """An edition that has been delivered to those readers."""
    await installation.subscribes(*names)
    async with installation.context() as context:
        frozen = await context.store.freeze(factories.edition(), cards(), context.now())
        await deliver(context, frozen, silent, at_once=True)
        return frozen


@flow(name="another")
async def another() -> None:
    """A flow whose runs are elsewhere."""


async def a_run(state: State[Any]) -> str:
    """A run of another process that stands so."""
    async with get_client() as client:
        made = await client.create_flow_run(another)
        await client.set_flow_run_state(made.id, state, force=True)
    return str(made.id)


def state_of(installation: Installation, run: str) -> tuple[str, str]:
    """The type of a run's state, and its words."""
    state = installation.prefect.ask("GET", f"/flow_runs/{run}")["state"]
    return state["type"], state["message"] or ""
