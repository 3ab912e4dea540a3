"""What the version before has left behind goes on: its database, its deployments in a Prefect server, its links.

`before/` is what the version before the modules moved into folders made, by its own commands: a database in which the
edition of one newsletter was delivered to two readers, a third signed up afterwards and an address was suppressed; and
a deployment as its Prefect server told it over the API.
"""

from __future__ import annotations

import json
import lzma
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.flows import load_flow_from_entrypoint

from tests.conftest import free_port
from tests.running_processes import processes_of

BEFORE = Path(__file__).parent / "before"
ENTRYPOINTS = (
    "flows.daily.daily",
    "flows.weekly.weekly",
    "flows.deliver.deliver_due",
    "flows.deliver.deliver",
    "flows.collect.collect",
    "flows.compose.compose",
    "flows.upkeep.upkeep",
    "flows.returns.returns",
)
"""Those of every deployment that the version before stored."""
UNSUBSCRIBE = "AAAAAAAAAAEl-T_zo-I0YLrUFDcx-AbJ"
"""The first reader's, from a mail that it sent."""
KEYS = {
    "PAPERROUND_SECRET_KEY": "a key of sixteen letters or more",
    "PAPERROUND_SUPPRESSION_KEY": "another key of sixteen letters",
}
PATIENCE = 180
"""Seconds that a start, or a run, may take on a busy machine."""


@pytest.mark.parametrize("entrypoint", ENTRYPOINTS)
def test_every_stored_entrypoint_leads_to_its_flow(entrypoint: str) -> None:
    flow: Any = load_flow_from_entrypoint(entrypoint)
    assert flow.name.replace("-", "_") == entrypoint.rpartition(".")[2]


def test_a_database_and_a_prefect_server_of_the_version_before_are_taken_over(tmp_path: Path) -> None:
    """A run that was asked for while nothing ran is made from the stored deployment; it returns the frozen edition and
    mails the one reader who has not got it. What an operator paused stays paused."""
    home, outbox, newsletters = (tmp_path / name for name in ("home", "outbox", "newsletters"))
    home.mkdir()
    newsletters.mkdir()
    (home / "paperround.db").write_bytes(lzma.decompress((BEFORE / "paperround.db.xz").read_bytes()))
    shutil.copy(BEFORE / "small.toml", newsletters)
    port, web = free_port(), free_port()
    api = f"http://127.0.0.1:{port}/api"
    foreign = ("PREFECT_", "PAPERROUND_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environment |= KEYS | {
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_API_URL": api,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_RUNNER_POLL_FREQUENCY": "2",
    }
    environment |= {
        "PAPERROUND_HOME_DIR": str(home),
        "PAPERROUND_CACHE_DIR": str(tmp_path / "cache"),
        "PAPERROUND_NEWSLETTERS_DIR": str(newsletters),
        "PAPERROUND_MAIL_URL": f"maildir://{outbox}",
    }
    with running("prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port), environment=environment):
        until(lambda: answers(f"{api}/health"))
        deployment = as_it_was(api)
        order = {"newsletter": "small", "date": "2026-06-09", "dry_run": False}
        run = call(api, "POST", f"/deployments/{deployment}/create_flow_run", {"parameters": {"order": order}})
        with running("flows", "up", "--port", str(web), environment=environment) as up:
            until(lambda: is_over(api, run["id"]))
            state = call(api, "GET", f"/flow_runs/{run['id']}")["state"]
            assert state["type"] == "COMPLETED", state
            assert [to_of(mail) for mail in (outbox / "new").iterdir()] == ["late@example.org"]

            stored = call(api, "GET", "/deployments/name/daily/small")
            assert stored["id"] == deployment
            assert [schedule["active"] for schedule in stored["schedules"]] == [False]

            site = f"http://127.0.0.1:{web}"
            until(lambda: answers(f"{site}/healthz"))
            assert "Ask Before You Book" in httpx.get(f"{site}/archive/small/2026-06-09").text
            assert httpx.get(f"{site}/unsubscribe/{UNSUBSCRIBE}").status_code == 200
            up.send_signal(signal.SIGTERM)
            assert up.wait(timeout=60) == 0
    refused = subprocess.run(
        [sys.executable, "-m", "flows", "subscribers", "add", "gone@example.org", "-n", "small"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert "gone@example.org" in refused.stderr
    assert not processes_of(tmp_path)


def as_it_was(api: str) -> str:
    """Registers the deployment as the version before did, with its schedule paused by an operator; its id."""
    told = json.loads((BEFORE / "deployment.json").read_text(encoding="utf-8"))
    assert told["entrypoint"] == "flows.daily.daily"
    flow = call(api, "POST", "/flows/", {"name": "daily"})
    told["schedules"] = [{**schedule, "active": False} for schedule in told["schedules"]]
    return str(call(api, "POST", "/deployments/", {**told, "flow_id": flow["id"]})["id"])


@contextmanager
def running(module: str, *arguments: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-m", module, *arguments], env=environment) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()


def call(api: str, method: str, path: str, body: Any = None) -> Any:
    """With SQLite the server answers 503 now and then while somebody else writes."""
    for _ in range(10):
        answer = httpx.request(method, f"{api}{path}", json=body, timeout=30, trust_env=False)
        if answer.status_code != 503:
            break
        time.sleep(0.5)
    assert answer.is_success, answer.text
    return answer.json()


def is_over(api: str, run: str) -> bool:
    return call(api, "GET", f"/flow_runs/{run}")["state"]["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def until(it_is_so: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not it_is_so():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def to_of(mail: Path) -> str:
    return next(line.removeprefix("To: ") for line in mail.read_text("ascii").splitlines() if line.startswith("To: "))
