"""Old runs are forgotten in lots, and those alone that ended, of the flows that come all day long."""

from __future__ import annotations

import datetime as dt
import json

from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.offers.old_runs import AT_ONCE, ENDED, forget
from tests.papers.server import Reply, running

BEFORE = dt.datetime(2026, 6, 9, tzinfo=dt.UTC)
FOUND, DELETE = "/api/flow_runs/filter", "/api/flow_runs/bulk_delete"


async def test_all_that_are_found_are_deleted_and_no_others() -> None:
    lots = [["one", "two"], ["three"], []]
    with running() as server, temporary_settings({PREFECT_API_URL: f"{server.url}/api"}):
        server.says(FOUND, *(Reply(json.dumps([{"id": one} for one in lot]).encode()) for lot in lots))
        server.says(DELETE, Reply(b"{}"))
        assert await forget(BEFORE, ["collect"]) == 3
    asked = [(one.path, json.loads(one.body)) for one in server.asked if one.path in (FOUND, DELETE)]
    wanted = asked[0][1]
    assert wanted["flows"] == {"name": {"any_": ["collect"]}}
    assert wanted["flow_runs"]["state"] == {"type": {"any_": list(ENDED)}}
    assert wanted["flow_runs"]["expected_start_time"] == {"before_": BEFORE.isoformat()}
    assert wanted["limit"] == AT_ONCE
    deleted = [body["flow_runs"]["id"]["any_"] for path, body in asked if path == DELETE]
    assert deleted == [["one", "two"], ["three"]]
