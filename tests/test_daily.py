"""The flow `daily`, under a real Prefect server: from the bundled sample to a folder of mails. A source that fails is
tested in `tests/processes/test_up_keeps_running.py`, and an operator's word in `tests/processes/test_demo.py`."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from flows.context import utc_now
from flows.daily import daily
from flows.editions.model import Kind
from flows.parameters import Order
from tests.factories import DAY
from tests.prefect_server import Installation, as_planned

HOUR = dt.timedelta(hours=1)


async def ended(newsletter: str, *, dry_run: bool = False) -> tuple[str, str]:
    order = Order(newsletter=newsletter, date=str(DAY), dry_run=dry_run)
    state: Any = await daily(order, return_state=True)
    return state.type.value, state.message


def todays(newsletter: str) -> Order:
    return Order(newsletter=newsletter, date="today", dry_run=False)


async def test_a_day_goes_from_the_source_to_its_readers_once(installation: Installation) -> None:
    installation.has_newsletter("whole")
    await installation.subscribes("ada", "ben", newsletter="whole")
    assert await ended("whole") == ("COMPLETED", "Deliveries: 2 sent.")
    await installation.subscribes("cleo", newsletter="whole")
    assert await ended("whole") == ("COMPLETED", "Deliveries: 3 sent (2 of them before this run).")
    assert installation.outbox == ["ada@example.org", "ben@example.org", "cleo@example.org"]


async def test_a_dry_run_shows_an_edition_and_keeps_and_sends_none(installation: Installation) -> None:
    installation.has_newsletter("dry")
    await installation.subscribes("ada", newsletter="dry")
    kind, words = await ended("dry", dry_run=True)
    assert (kind, words) == ("COMPLETED", "dry run: 25 papers, no edition stored, no mail sent")
    assert installation.prefect.shown("edition-dry")["description"].startswith("25 papers on Tuesday")
    assert installation.outbox == []
    async with installation.context() as context:
        assert await context.store.find("dry", Kind.DAILY, DAY) is None


async def test_a_scheduled_run_that_comes_too_late_is_skipped(installation: Installation) -> None:
    installation.has_newsletter("late-one")
    await installation.subscribes("ada", newsletter="late-one")
    kind, words = await as_planned(daily, utc_now() - 13 * HOUR, order=todays("late-one"))
    assert kind == "COMPLETED"
    assert words.startswith("skipped: this run was planned for ")
    assert installation.outbox == []


async def test_a_scheduled_run_makes_the_edition_of_the_day_it_was_planned_for(installation: Installation) -> None:
    """It starts two hours later, when the newsletter's zone has had its midnight."""
    now = utc_now()
    offset = (24 - now.hour) % 24  # where the clocks show some minutes past midnight
    zone = f"Etc/GMT-{offset}" if offset <= 14 else f"Etc/GMT+{24 - offset}"
    installation.has_newsletter("planned", zone=zone)
    planned_for = now - 2 * HOUR
    kind, words = await as_planned(daily, planned_for, order=todays("planned"))
    assert (kind, words) == ("COMPLETED", "Deliveries: no readers.")
    here = dt.timedelta(hours=offset if offset <= 14 else offset - 24)
    days = [(moment + here).date() for moment in (planned_for, now)]
    async with installation.context() as context:
        found = [await context.store.find("planned", Kind.DAILY, day) for day in days]
    assert days[0] < days[1]
    assert [one is not None for one in found] == [True, False]


@pytest.mark.parametrize("newsletter", ["nobody-knows-it"])
async def test_a_newsletter_that_is_not_there_fails_in_words(installation: Installation, newsletter: str) -> None:
    kind, words = await ended(newsletter)
    assert kind == "FAILED"
    assert "There is no newsletter 'nobody-knows-it': choose one of" in words
