"""What Cancel and Suspend do to a delivery, at a real Prefect server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from prefect import flow
from prefect.client.schemas.objects import State
from prefect.exceptions import Pause
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelled, Cancelling, Failed, Running, Suspended

from flows.by_hand.stopping import OperatorWord, attempt, goes_on_by_itself, heeding_the_operator
from flows.context import utc_now
from flows.parameters import run_id
from tests.by_hand.scene import a_run
from tests.conftest import free_port
from tests.prefect_server import in_a_run, planned

pytestmark = pytest.mark.usefixtures("installation")


async def heard(run: str) -> tuple[str, list[str]]:
    """What is heard of a run whose delivery was stopped by a signal, and what is said of that."""
    stop, said = asyncio.Event(), list[str]()
    async with heeding_the_operator(run, stop, said.append) as word:
        stop.set()
    return word.said, said


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (Cancelling(), "cancelled"),
        (Cancelled(), "cancelled"),
        (Suspended(timeout_seconds=600), "suspended"),
        (Running(), ""),
        (Failed(), ""),
    ],
    ids=lambda one: str(getattr(one, "name", one)),
)
async def test_whose_signal_it_was_is_asked_of_the_run(state: State[Any], word: str) -> None:
    said = [f"The run was {word}: the delivery stops between two messages."] if word else []
    assert await heard(await a_run(state)) == (word, said)


async def test_where_there_is_no_run_or_no_server_an_operator_has_said_nothing() -> None:
    assert await heard("") == ("", [])
    run = await a_run(Cancelling())
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api"}):
        assert await heard(run) == ("", [])


async def test_an_end_without_a_signal_asks_nobody() -> None:
    run, said = await a_run(Cancelling()), list[str]()
    async with heeding_the_operator(run, asyncio.Event(), said.append) as word:
        pass
    assert (word.said, said) == ("", [])


async def test_a_run_that_was_suspended_ends_as_such_and_one_that_was_not_goes_on() -> None:
    await OperatorWord().obey()
    with pytest.raises(Pause):
        await in_a_run(OperatorWord("suspended").obey())


@flow(name="going on")
async def going_on() -> None:
    """What the deployments of these tests name."""


async def test_who_started_a_run_is_told_from_a_schedule() -> None:
    async def told() -> tuple[str, str, bool]:
        return run_id(), attempt(), goes_on_by_itself()

    assert (attempt(), goes_on_by_itself()) == ("", False)
    run, which, itself = await in_a_run(told())
    assert (which, itself) == (f"{run}-1", False)
    run, which, itself = await in_a_run(told(), await planned(going_on, utc_now()))
    assert (which, itself) == (f"{run}-1", True)
