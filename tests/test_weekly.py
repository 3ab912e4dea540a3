"""The flow `weekly`, under a real Prefect server: what it has in common with `daily` is tested there."""

from __future__ import annotations

from typing import Any

from flows.parameters import Order
from flows.weekly import weekly
from subscribers.people.store import Change
from tests.factories import DAY
from tests.prefect_server import Installation


async def ended(newsletter: str) -> tuple[str, str]:
    order = Order(newsletter=newsletter, date=str(DAY), dry_run=False)
    state: Any = await weekly(order, return_state=True)
    return state.type.value, state.message


async def test_the_weeks_best_goes_to_those_who_read_weekly(installation: Installation) -> None:
    installation.has_newsletter("of-weeks")
    await installation.subscribes("ada", newsletter="of-weeks")
    columns = {"frequency": "weekly"}
    async with installation.context() as context:
        await context.subscribers.keep(
            [Change(email="ben@example.org", newsletter="of-weeks", columns=columns)], context.now()
        )
    assert await ended("of-weeks") == ("COMPLETED", "Deliveries: 1 sent.")
    assert installation.outbox == ["ben@example.org"]
    assert "of the week to Tuesday" in installation.prefect.shown("edition-of-weeks-weekly")["description"]


async def test_a_newsletter_without_weeks_says_how_it_gets_them(installation: Installation) -> None:
    installation.has_newsletter("days-alone", weekly_cron="")
    kind, words = await ended("days-alone")
    assert kind == "FAILED"
    assert "Days-Alone has no weekly edition: give its file a weekly_cron if it is to have one." in words
