"""Runs that come hundreds of times a day are forgotten after two weeks: Prefect's database would hold nothing else.

A run's logs and artifacts go with what Prefect's server cleans up by itself, as do the runs of editions after a year.
https://docs.prefect.io/v3/advanced/database-maintenance
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from prefect.client.orchestration import get_client

SMALL = ("deliver-due", "returns", "watchdog", "upkeep", "collect")
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
AT_ONCE = 50
"""What Prefect deletes in one request."""
MOST = 20_000
"""Runs that one night forgets: two weeks of them were made in the meantime, after a long pause more."""


async def forget(before: dt.datetime, flows: Iterable[str] = SMALL) -> int:
    """Deletes ended runs of these flows that began before then; returns how many."""
    gone = 0
    wanted = {
        "flows": {"name": {"any_": list(flows)}},
        "flow_runs": {
            "state": {"type": {"any_": list(ENDED)}},
            "expected_start_time": {"before_": before.isoformat()},
        },
        "limit": AT_ONCE,
        "sort": "EXPECTED_START_TIME_ASC",
    }
    async with get_client() as client:
        while gone < MOST:
            answer = await client.request("POST", "/flow_runs/filter", json=wanted)
            found = answer.raise_for_status().json()
            if not found:
                break
            chosen = {"flow_runs": {"id": {"any_": [run["id"] for run in found]}}, "limit": AT_ONCE}
            # Prefect's own list of paths has not this one
            answer = await client.request("POST", "/flow_runs/bulk_delete", json=chosen)  # type: ignore[arg-type]
            answer.raise_for_status()
            gone += len(found)
    return gone
