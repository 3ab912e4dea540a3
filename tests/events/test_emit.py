"""What happens is told to a real Prefect server and to a webhook."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Iterator
from uuid import uuid4

import pytest

from flows.editions.decisions import Decisions, EditionDecision
from flows.editions.model import Kind
from flows.events.emit import tell, tell_decision
from tests.factories import DAY
from tests.papers.server import Reply, Server, running
from tests.prefect_server import Installation

KEY = ("daily", Kind.DAILY, DAY)
HOUR = dt.timedelta(hours=1)
NOW = dt.datetime(2026, 6, 9, 12, 0, 0, 123_456, tzinfo=dt.UTC)


@pytest.fixture
def hook(installation: Installation) -> Iterator[Server]:
    with running() as receiver:
        receiver.says("/a-secret-place", Reply())
        installation.sets(events_url=f"{receiver.url}/a-secret-place", events_key="a key of sixteen letters")
        yield receiver


def told(hook: Server) -> list[tuple[str, dict[str, object]]]:
    bodies = [json.loads(one.body) for one in hook.asked]
    return [(body["event"], body["payload"]) for body in bodies]


@pytest.mark.parametrize(
    ("day", "resource"), [(DAY, "edition.{}.2026-06-09"), (None, "newsletter.{}")], ids=["edition", "newsletter"]
)
async def test_prefect_and_the_webhook_are_told_the_same(
    installation: Installation, hook: Server, day: dt.date | None, resource: str
) -> None:
    name = f"emitting-{uuid4()}"
    async with installation.context() as context:
        await tell(context, "quota.spent", name, day, words="100/day")
    known = {"newsletter": name, "words": "100/day"} | ({"day": "2026-06-09"} if day else {})
    assert told(hook) == [("paperround.quota.spent", known)]
    assert installation.prefect.told("paperround.quota.spent", f"paperround.{resource.format(name)}") == [known]


async def test_what_no_webhook_takes_is_a_warning_without_the_address(
    installation: Installation, hook: Server, caplog: pytest.LogCaptureFixture
) -> None:
    hook.says("/a-secret-place", Reply(status=410))
    async with installation.context() as context:
        with caplog.at_level(logging.WARNING, "flows.events.emit"):
            await tell(context, "edition.late", "emitting", DAY)
    assert "did not take paperround.edition.late (HTTP 410)" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("decision", "event"),
    [
        (EditionDecision.SEND, "edition.approved"),
        (EditionDecision.HOLD, "edition.held"),
        (EditionDecision.SKIP, "edition.skipped"),
    ],
    ids=str,
)
async def test_a_decision_is_told_if_it_was_made_since(
    installation: Installation, hook: Server, decision: EditionDecision, event: str
) -> None:
    """What came too late, or is asked about again, decided nothing now."""
    async with installation.context() as context:
        await tell_decision(context, *KEY, NOW)
        await context.approvals.ask(
            *KEY, otherwise=EditionDecision.HOLD, deadline=NOW + HOUR, run="one", now=NOW - HOUR
        )
        await tell_decision(context, *KEY, NOW - HOUR)
        assert told(hook) == []
        why = "" if decision is EditionDecision.SEND else "too few papers"
        await context.approvals.decide(*KEY, decision, Decisions(), now=NOW, reason=why)
        await tell_decision(context, *KEY, NOW + HOUR)
        assert told(hook) == []
        await tell_decision(context, *KEY, NOW)
    known = {"newsletter": "daily", "day": "2026-06-09", "kind": "daily", "by": "operator"}
    assert told(hook) == [(f"paperround.{event}", known | ({"reason": why} if why else {}))]
