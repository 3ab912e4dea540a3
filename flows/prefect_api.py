"""The few calls to Prefect's REST API that a demonstration needs, without the three seconds that its client takes to
import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

_PREFECTS_OWN = ("Beginning flow run", "Finished in state", "View at ")
TERMINAL = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})


@dataclass(frozen=True, slots=True)
class RunState:
    type: str
    message: str


class PrefectApi:
    """An open client; `url` ends in /api."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=30, trust_env=False)
        self._read: dict[str, int] = {}

    async def __aenter__(self) -> PrefectApi:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def deployment(self, name: str) -> str | None:
        """The id of a deployment such as `daily/daily`; None while it is not registered."""
        answer = await self._client.get(f"/deployments/name/{name}")
        return str(answer.json()["id"]) if answer.status_code == 200 else None

    async def start(self, deployment: str, parameters: Mapping[str, Any]) -> str:
        """Asks for a run now; returns its id."""
        answer = await self._client.post(
            f"/deployments/{deployment}/create_flow_run", json={"parameters": dict(parameters)}
        )
        answer.raise_for_status()
        return str(answer.json()["id"])

    async def state(self, run: str) -> RunState:
        answer = await self._client.get(f"/flow_runs/{run}")
        answer.raise_for_status()
        state = answer.json()["state"]
        return RunState(state["type"], state.get("message") or "")

    async def new_logs(self, run: str) -> list[str]:
        """The run's own sentences since the last call, in their order; not what Prefect says of its states."""
        answer = await self._client.post(
            "/logs/filter",
            json={
                "logs": {"flow_run_id": {"any_": [run]}, "level": {"ge_": 20}},
                "sort": "TIMESTAMP_ASC",
                "offset": self._read.get(run, 0),
                "limit": 200,
            },
        )
        answer.raise_for_status()
        found = answer.json()
        self._read[run] = self._read.get(run, 0) + len(found)
        return [row["message"] for row in found if not row["message"].startswith(_PREFECTS_OWN)]
