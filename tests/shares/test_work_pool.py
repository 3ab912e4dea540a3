"""Shares are asked for, looked after and told to stop, at a real Prefect server. Nobody works on its pool here: what
becomes of shares that are at work is tested in `test_many_machines.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, StateType

from flows.shares.deliver_share import deliver_share
from flows.shares.same_settings import fingerprint_of
from flows.shares.work_pool import Shares, shares_of
from subscribers.model import DeliveryState
from subscribers.people.store import Change
from subscribers.tables import delivery
from tests import factories
from tests.context import context_of
from tests.delivery.test_run import cards
from tests.factories import DAY
from tests.prefect_server import Installation

READERS = 1000
LOOK = 0.3


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, []),
        ({"work_pool": "many", "mail_shares": 0}, []),
        ({"work_pool": "many"}, ["The work pool many is not asked: the database is a file of this machine"]),
    ],
    ids=["no pool", "no shares", "a file for a database"],
)
def test_nothing_delivers_beside(tmp_path: Any, given: dict[str, Any], says: list[str]) -> None:
    said: list[str] = []
    context = context_of(None, tmp_path, **given)  # type: ignore[arg-type] # nothing asks it
    assert shares_of(context, "daily", "run-1", said.append) is None
    assert [sentence.partition(", see")[0] for sentence in said] == says


class Delivery:
    """An edition of a thousand readers, one of whom gets it as soon as somebody measures the pace."""

    mark = ""

    def __init__(self, installation: Installation) -> None:
        self.prefect, self.name = installation.prefect, str(uuid4())
        self.said: list[str] = []
        self._news = asyncio.Event()

    def say(self, words: str) -> None:
        self.said.append(words)
        self._news.set()

    async def has_said(self, words: str) -> None:
        """Waits for a sentence that begins so."""
        async with asyncio.timeout(60):
            while not any(sentence.startswith(words) for sentence in self.said):
                self._news.clear()
                await self._news.wait()

    @asynccontextmanager
    async def goes_on(self, context: Any, whose: str, ending: asyncio.Event, says: str) -> AsyncIterator[None]:
        """Left when something that begins so was said."""
        await context.store.freeze(factories.edition(), cards(), context.now())
        self.frozen = await context.store.find("daily", factories.edition().kind, DAY)
        await context.ledger.open(self.frozen.id, "daily", self.frozen.edition.kind, DAY, context.now(), at_once=True)
        shares = Shares(context, self.frozen, f"deliver-share/{self.name}", whose, self.say, LOOK)
        async with shares.beside(ending):
            await asyncio.sleep(LOOK / 3)
            async with context.database.write() as connection:
                first = sa.select(sa.func.min(delivery.c.subscription_id)).scalar_subquery()
                sent = sa.update(delivery).where(delivery.c.subscription_id == first)
                await connection.execute(sent.values(state=DeliveryState.SENT))
            await self.has_said(says)
            yield

    async def is_offered(self) -> None:
        async with get_client() as client:
            await client.create_deployment(await client.create_flow(deliver_share), self.name)

    def runs(self) -> list[dict[str, Any]]:
        found = self.prefect.runs("deliver-share")
        return [run for run in found if run["parameters"].get("share", {}).get("settings") == self.mark]


@pytest.fixture
async def going(installation: Installation) -> AsyncIterator[tuple[Delivery, Any]]:
    installation.sets(mail_shares="2", secret_key=f"a key of the test {uuid4()}")
    made = Delivery(installation)
    async with installation.context() as context:
        changes = [Change(email=f"reader-{n}@example.org", newsletter="daily", columns={}) for n in range(READERS)]
        await context.subscribers.keep(changes, context.now())
        made.mark = fingerprint_of(context.settings)
        yield made, context


async def test_as_many_as_pay_are_asked_for_and_those_nobody_began_are_called_off(going: tuple[Delivery, Any]) -> None:
    made, context = going
    await made.is_offered()
    async with made.goes_on(context, "run-1", asyncio.Event(), "2 shares are asked for."):
        names = [run["name"] for run in made.runs()]
        assert names == [f"share-{number}-of-daily-daily-{DAY}" for number in (1, 2)]
    runs = made.runs()
    assert [run["parameters"] for run in runs] == [{"share": {"edition": made.frozen.id, "settings": made.mark}}] * 2
    assert [(run["state"]["type"], run["state"]["message"]) for run in runs] == [
        ("CANCELLED", "Everybody has been served.")
    ] * 2
    # the same attempt, should its process be started again, gets the same ones
    async with made.goes_on(context, "run-1", asyncio.Event(), "2 shares are asked for."):
        assert [run["id"] for run in made.runs()] == [run["id"] for run in runs]
    assert "@" not in str(runs) + str(made.said)


async def test_a_delivery_that_is_stopped_calls_them_off_and_asks_those_at_work_to_end(
    going: tuple[Delivery, Any],
) -> None:
    made, context = going
    await made.is_offered()
    ending = asyncio.Event()
    async with made.goes_on(context, "run-2", ending, "2 shares are asked for."), get_client() as client:
        first, _ = made.runs()
        await client.update_flow_run(first["id"], infrastructure_pid="elsewhere:1")
        await client.set_flow_run_state(first["id"], State(type=StateType.RUNNING), force=True)
        ending.set()
    assert [run["state"]["type"] for run in made.runs()] == ["CANCELLING", "CANCELLED"]
    assert {run["state"]["message"] for run in made.runs()} == {"The delivery was stopped."}


async def test_one_that_failed_is_told_and_not_asked_for_again(going: tuple[Delivery, Any]) -> None:
    made, context = going
    await made.is_offered()
    async with made.goes_on(context, "run-3", asyncio.Event(), "2 shares are asked for."), get_client() as client:
        first, _ = made.runs()
        state = State[Any](type=StateType.FAILED, message="Its keys are others.")
        await client.set_flow_run_state(first["id"], state, force=True)
        await made.has_said("Share 1 is failed: Its keys are others. The others go on.")
        await asyncio.sleep(2 * LOOK)
        assert len(made.runs()) == 2


async def test_without_its_deployment_the_run_delivers_on_its_own_and_says_so_once(going: tuple[Delivery, Any]) -> None:
    made, context = going
    async with made.goes_on(context, "run-4", asyncio.Event(), "No share can be asked for"):
        await asyncio.sleep(2 * LOOK)
    assert made.said == [
        "No share can be asked for (there is no such deployment: `prefect deploy --all` makes it): this run delivers "
        "on its own."
    ]
