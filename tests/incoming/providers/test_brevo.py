"""Brevo tells one event or several in a call, and calls a refusal of our mail blocked."""

from __future__ import annotations

from typing import Any

import pytest

from flows.causes import Cause
from flows.incoming.model import Event, Report
from flows.incoming.providers.brevo import read
from flows.incoming.webhooks import Call, CallRefused
from tests.context import NOON
from tests.incoming.test_hooks import ADA, SPOKEN, Amazon, brevo

SECRET = SPOKEN["brevo"].secret


async def reports(body: Any) -> list[Report]:
    return list((await read(Call(*brevo(body)), SECRET, NOON, Amazon())).reports)


async def test_several_events_come_in_one_call() -> None:
    found = await reports([{"event": "spam", "email": ADA}, {"event": "unsubscribed", "email": "ben@x.example"}, 7])
    assert [(one.event, one.address) for one in found] == [
        (Event.COMPLAINED, ADA),
        (Event.UNSUBSCRIBED, "ben@x.example"),
    ]


async def test_an_address_is_dead_where_it_says_so_and_not_where_a_mail_was_refused() -> None:
    hard, blocked, error = await reports(
        [
            {"event": "hard_bounce", "email": ADA, "reason": "", "message-id": "<daily.daily.2026-06-09.7@x.example>"},
            {"event": "blocked", "email": ADA, "reason": "on a list"},
            {"event": "error", "email": ADA},
        ]
    )
    assert (hard.cause, hard.words) == (Cause.DEAD, "hard_bounce")
    assert hard.evidence.message_ids == ("daily.daily.2026-06-09.7@x.example",)
    assert blocked.cause is not Cause.DEAD
    assert blocked.words == "blocked: on a list"
    assert error.cause is not Cause.DEAD


async def test_the_secret_may_be_a_user_and_password_too() -> None:
    headers = {"authorization": "Basic dXM6YSBzZWNyZXQ="}
    assert (await read(Call(headers, b"[]"), "us:a secret", NOON, Amazon())).reports == []
    with pytest.raises(CallRefused):
        await read(Call(headers, b"[]"), "us:another", NOON, Amazon())
