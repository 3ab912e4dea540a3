"""A Prefect server of the tests' own, and an installation whose flows run in the tests' process under it. The fixtures
`prefect` and `installation` of `tests/conftest.py` give both: one server serves all tests of a process."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import httpx
import pytest
from pydantic import BaseModel

from flows.config.settings import load_settings
from flows.context import Context, open_context
from subscribers.people.store import Change

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun
    from prefect.flows import Flow

T = TypeVar("T")
SECOND = dt.timedelta(seconds=1)
ROOT = Path(__file__).resolve().parents[1]
SOON = 60
"""Seconds that an event may take on a busy machine."""
PATIENCE = 420
"""Seconds that a busy machine may take for what a quiet one does in a tenth of it."""


@dataclass
class Prefect:
    """A Prefect server, and what a machine must know to reach it."""

    environment: dict[str, str]
    api: str
    home: Path

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        for _ in range(60):  # on SQLite it answers 503 while somebody else writes
            answer = httpx.request(method, f"{self.api}{path}", json=body, timeout=30, trust_env=False)
            if answer.status_code != 503:
                break
            time.sleep(0.5)
        return answer.raise_for_status().json() if answer.content else None

    def runs(self, flow: str) -> list[dict[str, Any]]:
        """The runs of a flow, by name."""
        wanted = {"flows": {"name": {"any_": [flow]}}, "sort": "NAME_ASC"}
        found: list[dict[str, Any]] = self.ask("POST", "/flow_runs/filter", wanted)
        return found

    def shown(self, key: str) -> dict[str, Any]:
        """The newest artifact of that key."""
        found: dict[str, Any] = self.ask("GET", f"/artifacts/{key}/latest")
        return found

    def told(self, name: str, resource: str, number: int = 1) -> list[dict[str, Any]]:
        """The payloads of the events of that name and resource, as soon as there are so many: they come by a way of
        their own."""
        wanted = {"filter": {"event": {"name": [name]}, "resource": {"id": [resource]}}}
        until = time.monotonic() + SOON
        while len(found := self.ask("POST", "/events/filter", wanted)["events"]) < number:
            assert time.monotonic() < until, found
            time.sleep(0.05)
        return [one["payload"] for one in found]

    def command(self, *words: str) -> None:
        """A command of Prefect's, which says what it has to say in the server's log."""
        with (self.home / "log").open("ab") as log:
            command = [sys.executable, "-m", "prefect", *words]
            subprocess.run(command, env=self.environment, cwd=self.home, check=True, stdout=log, stderr=log)


@contextmanager
def prefect_server(home: Path, port: int) -> Iterator[Prefect]:
    """A Prefect server that is up, its files in `home`."""
    api = f"http://127.0.0.1:{port}/api"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "PAPERROUND_"))
    }
    environment |= {
        "PYTHONPATH": str(ROOT),
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": api,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        # what happens can be asked for at once
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "0.1",
    }
    with (home / "log").open("wb") as log:
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        server = subprocess.Popen(command, env=environment, cwd=home, stdout=log, stderr=log)
    try:
        until = time.monotonic() + PATIENCE
        while not _answers(f"{api}/health"):
            assert time.monotonic() < until, (home / "log").read_text()
            time.sleep(0.2)
        yield Prefect(environment, api, home)
    finally:
        server.terminate()
        server.wait(60)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@dataclass
class Installation:
    """A home with nobody in it, of which flows that run in this process are."""

    prefect: Prefect
    home: Path
    given: pytest.MonkeyPatch

    @property
    def outbox(self) -> list[str]:
        """Whom mail went to, in the order of the alphabet."""
        mails = [path.read_bytes() for path in (self.home / "outbox" / "new").glob("*")]
        return sorted(str(message_from_bytes(mail)["To"]) for mail in mails)

    def context(self) -> AbstractAsyncContextManager[Context]:
        """What a run works with."""
        return open_context(load_settings())

    def sets(self, **settings: str) -> None:
        for name, value in settings.items():
            self.given.setenv(f"PAPERROUND_{name.upper()}", value)

    async def subscribes(self, *names: str, newsletter: str = "daily") -> None:
        async with self.context() as context:
            changes = [Change(email=f"{name}@example.org", newsletter=newsletter, columns={}) for name in names]
            await context.subscribers.keep(changes, context.now())

    def has_newsletter(self, slug: str, **given: Any) -> None:
        """A newsletter beside ours, of the bundled sample unless `given` says otherwise."""
        folder = self.home / "newsletters"
        folder.mkdir(exist_ok=True)
        said = {"title": slug.title(), "description": "One to test with.", "sources": ["sample"], "look_back": 0}
        lines = [f"{name} = {json.dumps(value)}" for name, value in (said | given).items()]
        (folder / f"{slug}.toml").write_text("\n".join(lines))
        self.sets(newsletters_dir=str(folder))


async def in_a_run(work: Awaitable[T], run: FlowRun | None = None) -> T:
    """Does work as a run of a flow does it, or as that one."""
    from prefect import flow
    from prefect.flow_engine import run_flow

    @flow(name="a test")
    async def around() -> T:
        return await work

    begin: Any = run_flow  # what it returns depends on the flow
    done: T = await begin(around, flow_run=run)
    return done


async def planned(
    flow: Flow[..., Any], at: dt.datetime, name: str = "", parameters: Mapping[str, Any] | None = None
) -> FlowRun:
    """A run of a deployment of its own, as a schedule plans it for then."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
    from prefect.client.schemas.schedules import IntervalSchedule

    once = IntervalSchedule(interval=dt.timedelta(days=9999), anchor_date=at)
    async with get_client() as client:
        deployment = await client.create_deployment(
            await client.create_flow(flow),
            name or str(uuid4()),
            parameters=dict(parameters or {}),
            schedules=[DeploymentScheduleCreate(schedule=once, active=True)],
            entrypoint=f"{flow.fn.__module__}.{flow.fn.__name__}",
        )
        span = {"start_time": (at - SECOND).isoformat(), "end_time": (at + SECOND).isoformat()}
        await client.request("POST", "/deployments/{id}/schedule", path_params={"id": deployment}, json=span)
        mine = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment]))
        found = await client.read_flow_runs(flow_run_filter=mine)
    return next(run for run in found if run.expected_start_time == at)


async def as_planned(flow: Flow[..., Any], at: dt.datetime, **parameters: BaseModel) -> tuple[str, str]:
    """How a run of it that a schedule planned for then ends: its state, and the words of that."""
    from prefect.flow_engine import run_flow

    run = await planned(flow, at, parameters={name: one.model_dump() for name, one in parameters.items()})
    begin: Any = run_flow  # what it returns depends on the flow
    state = await begin(flow, flow_run=run, parameters=parameters, return_type="state")
    return state.type.value, str(state.message)
