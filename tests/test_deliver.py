"""The flows `deliver` and `deliver-due`, under a real Prefect server. An operator's Cancel and Suspend are tested
in `tests/processes/test_demo.py`."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest

from flows import pipeline
from flows.context import utc_now
from flows.deliver import deliver, deliver_due
from flows.editions.model import Kind
from flows.parameters import KindOfDay, Target
from tests.factories import DAY
from tests.prefect_server import Installation, as_planned
from tests.sending.smtp import mail_server

MINUTE = dt.timedelta(minutes=1)


async def ended(newsletter: str) -> tuple[str, str]:
    day = KindOfDay(newsletter=newsletter, date=str(DAY), kind=Kind.DAILY)
    state: Any = await deliver(day, return_state=True)
    return state.type.value, state.message


async def due(newsletter: str) -> tuple[str, str]:
    state: Any = await deliver_due(Target(newsletter=newsletter), return_state=True)
    return state.type.value, state.message


async def collected(installation: Installation, newsletter: str, *readers: str) -> None:
    installation.has_newsletter(newsletter)
    await installation.subscribes(*readers, newsletter=newsletter)
    async with installation.context() as context:
        await pipeline.collect(context, context.newsletter(newsletter), Kind.DAILY, DAY, print)


async def test_an_edition_goes_to_its_readers_and_that_is_told(installation: Installation) -> None:
    slug = f"delivered-{uuid4().hex[:8]}"
    await collected(installation, slug, "ada", "ben")
    assert await ended(slug) == ("COMPLETED", "Deliveries: 2 sent.")
    assert installation.outbox == ["ada@example.org", "ben@example.org"]
    told = installation.prefect.told("paperround.edition.delivered", f"paperround.edition.{slug}.{DAY}")
    assert told == [{"newsletter": slug, "day": str(DAY), "kind": "daily", "sent": 2}]
    assert await due(slug) == ("COMPLETED", "Nothing is due.")


async def test_what_was_held_goes_on_when_a_person_asks_for_it_and_not_by_itself(installation: Installation) -> None:
    await collected(installation, "held")
    await ended("held")
    await installation.subscribes("ada", newsletter="held")
    async with installation.context() as context:
        frozen = await context.store.find("held", Kind.DAILY, DAY)
        await context.store.hold(frozen.id, context.now(), "its run was cancelled")  # type: ignore[union-attr]
        await context.ledger.open(frozen.id, "held", Kind.DAILY, DAY, context.now(), at_once=True)  # type: ignore[union-attr]
    kind, words = await due("held")
    assert kind == "COMPLETED"
    assert "(its run was cancelled)" in words
    assert installation.outbox == []
    assert await ended("held") == ("COMPLETED", "Deliveries: 1 sent.")


async def test_a_day_without_papers_is_no_edition_and_no_mail(installation: Installation) -> None:
    installation.has_newsletter("empty")
    await installation.subscribes("ada", newsletter="empty")
    kind, words = await ended("empty")
    assert (kind, words.startswith("no edition: ")) == ("COMPLETED", True)
    assert installation.outbox == []


async def test_a_mail_server_that_will_not_have_us_makes_the_run_red_and_costs_nobody(
    installation: Installation,
) -> None:
    await collected(installation, "refused", "ada")
    async with mail_server() as server:
        server.refuses_sender = "digset@example.org"
        installation.sets(mail_url=server.url, sender="Paperround <digset@example.org>")
        kind, words = await ended("refused")
        assert kind == "FAILED"
        assert "refuses the sender digset@example.org" in words
        assert "Nobody was lost: start the run again when it is mended." in words
        kind, words = await due("refused")
        assert kind == "FAILED"
        assert "Nobody was lost: it goes on when that is mended." in words
        installation.sets(sender="Paperround <digest@example.org>")
        assert await due("refused") == ("COMPLETED", "Deliveries: 1 sent.")


async def test_what_a_quota_keeps_back_is_told(installation: Installation) -> None:
    slug = f"many-{uuid4().hex[:8]}"
    await collected(installation, slug, "ada", "ben")
    installation.sets(mail_rate="1/day")
    kind, words = await ended(slug)
    assert kind == "COMPLETED"
    assert "1 pending, 1 sent" in words
    [told] = installation.prefect.told("paperround.quota.spent", f"paperround.edition.{slug}.{DAY}")
    assert told["words"] in words
    assert len(installation.outbox) == 1


@pytest.mark.parametrize(("ago", "skipped"), [(16 * MINUTE, True), (14 * MINUTE, False)], ids=["late", "in time"])
async def test_of_many_that_were_missed_the_newest_does_the_work(
    installation: Installation, ago: dt.timedelta, skipped: bool
) -> None:
    _, words = await as_planned(deliver_due, utc_now() - ago, target=Target(newsletter="sample"))
    assert words.startswith("skipped: planned for" if skipped else "Nothing is due.")
