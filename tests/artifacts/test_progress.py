"""A delivery in Prefect's UI: while it goes on, and at its end, whatever ended it."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows.artifacts.markdown import cell
from flows.artifacts.progress import in_sight
from flows.context import Context
from flows.delivery.run import Beside, How
from flows.storage.editions import Frozen
from tests import factories
from tests.conftest import free_port
from tests.delivery.test_run import cards
from tests.prefect_server import Installation, Prefect
from tests.sending.smtp import mail_server


async def frozen_edition(context: Context) -> Frozen:
    return await context.store.freeze(factories.edition(), cards(), context.now())


def of_run(prefect: Prefect, run: str) -> dict[str, dict[str, Any]]:
    """The artifacts of a run; there is no second one of a key."""
    found = prefect.ask("POST", "/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run]}}})
    by_key = {one["key"]: one for one in found}
    assert len(by_key) == len(found)
    return by_key


async def test_the_report_at_the_end_and_a_full_bar_stand_under_the_run(installation: Installation) -> None:
    run = str(uuid4())
    await installation.subscribes("ada", "ben")
    async with installation.context() as context:
        delivered = await in_sight(run)(context, await frozen_edition(context), print)
    shown = of_run(installation.prefect, run)
    assert shown.keys() == {"delivery-daily", "progress-daily"}
    assert shown["progress-daily"]["data"] == 100.0
    assert {one["description"] for one in shown.values()} == {delivered.sentence} == {"Deliveries: 2 sent."}
    assert "| sent | 2 |" in shown["delivery-daily"]["data"]
    assert "/report/daily/2026-06-09)" in shown["delivery-daily"]["data"]
    assert "@" not in str(shown)


def lasting_until(seen: asyncio.Event) -> Beside:
    """Has a delivery that has served everybody go on until then."""

    @asynccontextmanager
    async def lasting(frozen: Frozen, ending: asyncio.Event) -> AsyncIterator[None]:
        yield
        async with asyncio.timeout(60):
            await seen.wait()

    return lasting


async def test_while_it_goes_on_both_are_renewed_in_their_place(installation: Installation) -> None:
    """One reader has it, the other's mail server put it off; the delivery lasts until that was seen."""
    run, said, seen = str(uuid4()), list[str](), asyncio.Event()
    async with mail_server() as server:
        installation.sets(mail_url=server.url)
        await installation.subscribes("ada", "grey-1")
        async with installation.context() as context:
            showing = in_sight(run, every=0.1)
            how: How = {"wait": dt.timedelta(0), "beside": lasting_until(seen)}
            going = asyncio.create_task(showing(context, await frozen_edition(context), said.append, **how))
            shown: dict[str, dict[str, Any]] = {}
            async with asyncio.timeout(60):
                while shown.get("progress-daily", {}).get("data") != 50.0:
                    await asyncio.sleep(0.1)
                    shown = await asyncio.to_thread(of_run, installation.prefect, run)
            seen.set()
            await going
    assert shown["delivery-daily"]["data"].startswith("**It goes on:** 1 of 2 sent")
    assert any(cell(words) in shown["delivery-daily"]["data"] for words in said)
    assert shown["progress-daily"]["description"].startswith("1 of 2 sent")
    ended = of_run(installation.prefect, run)
    assert {one["id"] for one in ended.values()} == {one["id"] for one in shown.values()}
    assert "It goes on" not in ended["delivery-daily"]["data"]


@asynccontextmanager
async def breaks(frozen: Frozen, ending: asyncio.Event) -> AsyncIterator[None]:
    raise RuntimeError("a fault of ours")
    yield


async def test_an_error_that_ended_it_is_told_and_goes_on_to_the_run(installation: Installation) -> None:
    run = str(uuid4())
    await installation.subscribes("ada")
    async with installation.context() as context:
        with pytest.raises(RuntimeError, match="a fault of ours"):
            await in_sight(run)(context, await frozen_edition(context), print, beside=breaks)
    shown = of_run(installation.prefect, run)
    assert shown["delivery-daily"]["data"].startswith("**It ended with an error**, which the run's log tells.")


async def test_one_that_was_stopped_says_who_can_have_it_go_on(installation: Installation) -> None:
    run, stop = str(uuid4()), asyncio.Event()
    stop.set()
    await installation.subscribes("ada")
    async with installation.context() as context:
        await in_sight(run)(context, await frozen_edition(context), print, stop=stop)
    shown = of_run(installation.prefect, run)
    assert shown["delivery-daily"]["data"].startswith("**Stopped** between two messages")


async def test_a_prefect_server_that_is_away_is_told_once_and_no_mail_waits_for_it(installation: Installation) -> None:
    """It is met while the delivery goes on, and once more at its end."""
    said, met = list[str](), asyncio.Event()

    def say(words: str) -> None:
        if "Prefect" in words:
            said.append(words)
            met.set()

    await installation.subscribes("ada")
    away = {PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api", PREFECT_CLIENT_MAX_RETRIES: 0}
    with temporary_settings(away):
        async with installation.context() as context:
            showing = in_sight(str(uuid4()), every=0.01)
            delivered = await showing(context, await frozen_edition(context), say, beside=lasting_until(met))
    assert delivered.sentence == "Deliveries: 1 sent."
    assert said == ["How the delivery stands could not be shown in Prefect (ConnectError); it goes on."]


async def test_without_a_run_it_is_just_delivered(installation: Installation) -> None:
    await installation.subscribes("ada")
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api"}):
        async with installation.context() as context:
            await in_sight("")(context, await frozen_edition(context), print)
    assert installation.outbox == ["ada@example.org"]
