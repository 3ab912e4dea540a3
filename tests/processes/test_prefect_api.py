"""Our own calls to Prefect's API, to a server that is busy, away, or says something else than was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from flows.outcomes import Problem
from flows.processes.prefect_api import ATTEMPTS, PrefectApi
from tests.papers.server import Reply, Server, running

FOUND = Reply(
    json.dumps(
        {
            "id": "d1",
            "paused": False,
            "schedules": [
                {"active": True, "schedule": {"cron": "0 7 * * *", "timezone": "Europe/Berlin"}},
                {"active": False, "schedule": {"cron": "0 9 * * *", "timezone": None}},
                {"active": True, "schedule": {"interval": 3600}},
            ],
        }
    ).encode()
)
NAME = "/deployments/name/daily/daily"


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as found:
        yield found


def api(server: Server) -> PrefectApi:
    return PrefectApi(server.url, "operator:secret", pause=0.001)


@pytest.mark.parametrize(
    "busy",
    [
        Reply(b"database is locked", 503),
        Reply(b"too many", 429, {"Retry-After": "0"}),
        Reply(b"", 502, {"Retry-After": "Fri, 27 Nov 2026 07:00:00 GMT"}),
        Reply(fault="reset"),
    ],
)
async def test_a_busy_server_is_asked_again(server: Server, busy: Reply) -> None:
    server.says(NAME, busy, busy, FOUND)
    async with api(server) as prefect:
        assert await prefect.deployment("daily/daily") == "d1"
    assert len(server.asked) == 3


async def test_what_a_server_asks_to_wait_is_waited(server: Server) -> None:
    server.says(NAME, Reply(status=429, headers={"Retry-After": "0.3"}), FOUND)
    async with api(server) as prefect:
        await prefect.deployment("daily/daily")
    assert server.asked[1].at - server.asked[0].ended >= 0.29


@pytest.mark.parametrize("status", [503, 429, 401])
async def test_what_the_server_never_said_is_not_taken_for_an_answer(server: Server, status: int) -> None:
    """A deployment that is not registered is a 404 and nothing else: a server that is busy knows it all the same."""
    server.says(NAME, Reply(status=status))
    async with api(server) as prefect:
        with pytest.raises(Problem, match=f"answers HTTP {status} to GET .*: .*"):
            await prefect.schedules("daily/daily")
    assert len(server.asked) == (1 if status == 401 else ATTEMPTS)


async def test_a_server_that_is_gone_is_told_in_words(server: Server) -> None:
    server.says(NAME, Reply(fault="reset"))
    async with api(server) as prefect:
        with pytest.raises(Problem, match=r"does not answer \(\w+\): look whether it runs"):
            await prefect.deployment("daily/daily")


async def test_what_is_not_registered_is_nothing(server: Server) -> None:
    async with api(server) as prefect:
        assert await prefect.deployment("daily/daily") is None
        assert await prefect.schedules("daily/daily") is None


async def test_schedules_that_are_on_are_told_in_words(server: Server) -> None:
    server.says(NAME, FOUND)
    async with api(server) as prefect:
        assert await prefect.schedules("daily/daily") == "0 7 * * * Europe/Berlin, a schedule of your own"


async def test_a_run_that_is_asked_for_twice_is_one(server: Server) -> None:
    server.says("/deployments/d1/create_flow_run", Reply(status=503), Reply(b'{"id": "r1"}'))
    async with api(server) as prefect:
        assert await prefect.start("d1", {"order": {}}) == "r1"
    first, second = (json.loads(one.body)["idempotency_key"] for one in server.asked)
    assert first == second


@pytest.mark.parametrize(("status", "lets_in"), [(200, True), (401, False), (403, False)])
async def test_whether_a_login_is_taken(server: Server, status: int, lets_in: bool) -> None:
    server.says("/flows/count", Reply(b"0", status))
    async with api(server) as prefect:
        assert await prefect.lets_in() is lets_in
    assert server.asked[0].headers["Authorization"].startswith("Basic ")


async def test_words_of_a_run_come_once_and_prefects_own_do_not(server: Server) -> None:
    rows = [{"message": "Beginning flow run 'a' for flow 'b'"}, {"message": "25 papers"}]
    server.says("/logs/filter", Reply(json.dumps(rows).encode()), Reply(b"[]"))
    async with api(server) as prefect:
        assert await prefect.new_logs("r1") == ["25 papers"]
        assert await prefect.new_logs("r1") == []
    assert json.loads(server.asked[1].body)["offset"] == 2
