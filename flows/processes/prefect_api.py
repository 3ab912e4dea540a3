"""The few calls to Prefect's REST API that we make ourselves, without the three seconds that its client takes to
import."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from flows.outcomes import Problem

_PREFECTS_OWN = ("Beginning flow run", "Finished in state", "View at ")
ATTEMPTS = 8
PAUSE = 0.5
"""Seconds before the second attempt; each pause after it is longer by as much."""
LONGEST = 30.0
"""Seconds: no longer is waited between two attempts, whatever the server asks for."""
TERMINAL = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})


@dataclass(frozen=True, slots=True)
class RunState:
    type: str
    message: str


class PrefectApi:
    """An open client; `url` ends in /api. `login` is the server's, or empty where it has none.

    Every call raises Problem for a server that is away or busy for longer than all attempts take, or refuses.
    """

    def __init__(self, url: str, login: str, key: str = "", pause: float = PAUSE) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=30, headers=_authorization(login, key))
        self._pause = pause
        self._read: dict[str, int] = {}

    async def __aenter__(self) -> PrefectApi:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """Asks again while the server is busy, as Prefect's own client does: with SQLite it answers 503 when many write
        at the same moment, and Prefect Cloud 429 to whoever asks often."""
        for attempt in range(1, ATTEMPTS + 1):
            asked = 0.0
            try:
                answer = await self._client.request(method, path, json=body)
            except httpx.TransportError as error:
                if attempt == ATTEMPTS:
                    words = f"does not answer ({type(error).__name__}): look whether it runs"
                    raise Problem(f"The Prefect server at {self._client.base_url} {words}.") from error
            else:
                if (answer.status_code < 500 and answer.status_code != 429) or attempt == ATTEMPTS:
                    return answer
                asked = _seconds(answer.headers.get("Retry-After", ""))
            await asyncio.sleep(min(max(self._pause * attempt, asked), LONGEST))
        raise AssertionError("the last attempt returns or raises")

    async def _deployment(self, name: str) -> dict[str, Any] | None:
        answer = await self._call("GET", f"/deployments/name/{name}")
        if answer.status_code == 404:
            return None
        return dict(self._taken(answer).json())

    def _taken(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            return answer
        words = f"answers HTTP {answer.status_code} to {answer.request.method} {answer.request.url.path}"
        remedy = "is it busy? Try again in a minute, and look at its log"
        if answer.status_code < 500 and answer.status_code != 429:
            remedy = "check that its version is one that Paperround works with, and that its login is right"
        raise Problem(f"The Prefect server at {self._client.base_url} {words}: {remedy}.")

    async def lets_in(self) -> bool:
        """Whether the server answers to this login."""
        answer = await self._call("POST", "/flows/count", {})
        if answer.status_code in (401, 403):
            return False
        self._taken(answer)
        return True

    async def deployment(self, name: str) -> str | None:
        """The id of a deployment such as `daily/daily`; None while it is not registered."""
        found = await self._deployment(name)
        return str(found["id"]) if found else None

    async def schedules(self, name: str) -> str | None:
        """The times of a deployment's schedules that are on, in words; None while it is not registered."""
        found = await self._deployment(name)
        if not found:
            return None
        on = [] if found.get("paused") else [one["schedule"] for one in found["schedules"] if one["active"]]
        return ", ".join(
            f"{one['cron']} {one['timezone'] or 'UTC'}" if "cron" in one else "a schedule of your own" for one in on
        )

    async def start(self, deployment: str, parameters: Mapping[str, Any]) -> str:
        """Asks for a run now; returns its id. However often the request has to be made, it is one run."""
        body = {"parameters": dict(parameters), "idempotency_key": str(uuid4())}
        answer = await self._call("POST", f"/deployments/{deployment}/create_flow_run", body)
        return str(self._taken(answer).json()["id"])

    async def state(self, run: str) -> RunState:
        answer = await self._call("GET", f"/flow_runs/{run}")
        state = self._taken(answer).json()["state"]
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
        found = self._taken(answer).json()
        self._read[run] = self._read.get(run, 0) + len(found)
        return [row["message"] for row in found if not row["message"].startswith(_PREFECTS_OWN)]


def _seconds(words: str) -> float:
    """The seconds of a Retry-After header; Prefect sends no dates there."""
    return float(words) if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", words) else 0.0


def _authorization(login: str, key: str) -> dict[str, str]:
    """How Prefect's own clients log in: to a server of one's own by a login, to Prefect Cloud by a key."""
    if login:
        return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
    return {"Authorization": f"Bearer {key}"} if key else {}
