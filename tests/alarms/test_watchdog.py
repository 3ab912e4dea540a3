"""The watchdog, as a run under a real Prefect server. That a run without a process is set right, which takes it most of
a minute, is tested in `tests/processes/test_up_keeps_running.py`."""

from __future__ import annotations

import datetime as dt

import pytest
from prefect.variables import Variable

from flows.alarms.watchdog import watchdog
from flows.blocks.taken_over import RATE
from flows.context import utc_now
from flows.daily import daily
from flows.editions.model import Kind
from flows.pipeline import collect, draft
from tests.prefect_server import Installation, as_planned, planned
from tests.subscribers.everyone import reader

HOURS = dt.timedelta(hours=1)


async def watched() -> str:
    state = await watchdog(return_state=True)
    return str(state.message)


async def test_an_edition_that_did_not_come_is_told_once(installation: Installation) -> None:
    installation.has_newsletter("missed", deadline="1h")
    at = utc_now() - 2 * HOURS
    await planned(daily, at, "missed")
    day = at.date()
    assert await watched() == f"Missed has no edition of {day}, which was to be there by now."
    assert installation.prefect.told("paperround.edition.late", f"paperround.edition.missed.{day}")
    assert await watched() == "All is well."


@pytest.mark.parametrize(
    ("approval", "late"), [("", True), ("wait", False)], ids=["nobody is asked", "it is asked for"]
)
async def test_a_draft_is_no_edition_unless_its_operator_is_asked(
    installation: Installation, approval: str, late: bool
) -> None:
    slug = f"drafted{approval}"
    installation.has_newsletter(slug, deadline="1h", approval=approval)
    at = utc_now() - 2 * HOURS
    await planned(daily, at, slug)
    async with installation.context() as context:
        wanted = (context, context.newsletter(slug), Kind.DAILY, at.date())
        await collect(*wanted, print)
        await draft(*wanted)
    assert ("has no edition" in await watched()) == late


@pytest.mark.parametrize("ago", [0.25, 1.25], ids=["before its deadline", "within half an hour of it"])
async def test_before_its_time_an_edition_is_not_missed(installation: Installation, ago: float) -> None:
    slug = f"early{ago:.0f}"
    installation.has_newsletter(slug, deadline="1h")
    await planned(daily, utc_now() - ago * HOURS, slug)
    assert await watched() == "All is well."


async def test_what_cannot_be_used_in_prefect_is_told_and_nothing_else_is_left_out(installation: Installation) -> None:
    installation.has_newsletter("beside", deadline="1h")
    await planned(daily, utc_now() - 2 * HOURS, "beside")
    await Variable.aset(RATE, "as fast as you can")
    try:
        said = await watched()
    finally:
        await Variable.aunset(RATE)
    assert said.startswith("Beside has no edition of")
    assert f"The Variable {RATE} can't be used, so nothing is sent" in said


async def test_a_planned_run_tells_how_many_readers_came_and_left(installation: Installation) -> None:
    installation.has_newsletter("moving")
    async with installation.context() as context:
        now = utc_now()
        ada = await reader(context.database, "ada@example.org", now=now, newsletter="moving")
        await reader(context.database, "ben@example.org", now=now, newsletter="moving")
        await context.subscribers.unsubscribe(ada.id, now)
    await as_planned(watchdog, utc_now())
    moving = "paperround.newsletter.moving"
    [came] = installation.prefect.told("paperround.reader.subscribed", moving)
    [left] = installation.prefect.told("paperround.reader.unsubscribed", moving)
    assert (came, left) == ({"newsletter": "moving", "readers": 2}, {"newsletter": "moving", "readers": 1})
