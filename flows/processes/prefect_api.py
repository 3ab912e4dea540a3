"""The few calls to Prefect's REST API that we make ourselves, without the three seconds that its client takes to
import."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

_PREFECTS_OWN = ("Beginning flow run", "Finished in state", "View at ")
ATTEMPTS = 8
TERMINAL = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})


@dataclass(frozen=True, slots=True)
class RunState:
    type: str
    message: str


class PrefectApi:
    """An open client; `url` ends in /api. `login` is the server's, or empty where it has none."""

    def __init__(self, url: str, login: str, key: str = "") -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=30, headers=_authorization(login, key))
        self._read: dict[str, int] = {}

    async def __aenter__(self) -> PrefectApi:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """Asks again while the server is busy: with SQLite it answers 503 when many write at the same moment."""
        for attempt in range(ATTEMPTS):
            try:
                answer = await self._client.request(method, path, json=body)
            except httpx.TransportError:
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                if answer.status_code < 500 or attempt == ATTEMPTS - 1:
                    return answer
            await asyncio.sleep(0.5 * (attempt + 1))
        raise AssertionError("the last attempt returns or raises")

    async def lets_in(self) -> bool:
        """Whether the server answers to this login."""
        answer = await self._call("POST", "/flows/count", {})
        if answer.status_code in (401, 403):
            return False
        answer.raise_for_status()
        return True

    async def deployment(self, name: str) -> str | None:
        """The id of a deployment such as `daily/daily`; None while it is not registered."""
        answer = await self._call("GET", f"/deployments/name/{name}")
        return str(answer.json()["id"]) if answer.status_code == 200 else None

    async def schedules(self, name: str) -> str | None:
        """The times of a deployment's schedules that are on, in words; None while it is not registered."""
        answer = await self._call("GET", f"/deployments/name/{name}")
        if answer.status_code != 200:
            return None
        found = answer.json()
        on = [] if found.get("paused") else [one["schedule"] for one in found["schedules"] if one["active"]]
        return ", ".join(
            f"{one['cron']} {one['timezone'] or 'UTC'}" if "cron" in one else "a schedule of your own" for one in on
        )

    async def start(self, deployment: str, parameters: Mapping[str, Any]) -> str:
        """Asks for a run now; returns its id. However often the request has to be made, it is one run."""
        body = {"parameters": dict(parameters), "idempotency_key": str(uuid4())}
        answer = await self._call("POST", f"/deployments/{deployment}/create_flow_run", body)
        answer.raise_for_status()
        return str(answer.json()["id"])

    async def state(self, run: str) -> RunState:
        answer = await self._call("GET", f"/flow_runs/{run}")
        answer.raise_for_status()
        state = answer.json()["state"]
        return RunState(state["type"], state.get("message") or "")

    async def new_logs(self, run: str) -> list[str]:
        """The run's own sentences since the last call, in their order; not what Prefect says of its states."""
        wanted = {
            "logs": {"flow_run_id": {"any_": [run]}, "level": {"ge_": 20}},
            "sort": "TIMESTAMP_ASC",
            "offset": self._read.get(run, 0),
            "limit": 200,
        }
        answer = await self._call("POST", "/logs/filter", wanted)
        answer.raise_for_status()
        found = answer.json()
        self._read[run] = self._read.get(run, 0) + len(found)
        return [row["message"] for row in found if not row["message"].startswith(_PREFECTS_OWN)]


def _authorization(login: str, key: str) -> dict[str, str]:
    """How Prefect's own clients log in: to a server of one's own by a login, to Prefect Cloud by a key."""
    if login:
        return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
    return {"Authorization": f"Bearer {key}"} if key else {}
