"""Mailgun tells one event in a call, tries on by itself, and signs its time and token."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flows.causes import Cause
from flows.incoming.model import Report
from flows.incoming.providers.mailgun import read
from flows.incoming.webhooks import Call, CallRefused
from tests.context import NOON
from tests.incoming.test_hooks import ADA, SPOKEN, Amazon, mailgun

SECRET = SPOKEN["mailgun"].secret


async def reports(**event: Any) -> list[Report]:
    made = mailgun({"event": "failed", "recipient": ADA, "severity": "permanent", **event})
    return list((await read(Call(*made), SECRET, NOON, Amazon())).reports)


async def test_what_it_goes_on_trying_is_no_failure_yet() -> None:
    assert await reports(severity="temporary", reason="bounce") == []
    assert await reports(severity="other") == []


async def test_only_what_it_calls_a_bounce_says_that_an_address_is_dead() -> None:
    (bounced,) = await reports(reason="bounce", **{"delivery-status": {"code": 550, "message": "no"}})
    (given_up,) = await reports(reason="old", **{"delivery-status": {"code": 550, "message": "no"}})
    assert bounced.cause is Cause.DEAD
    assert given_up.cause is not Cause.DEAD
    assert (bounced.code, bounced.words, bounced.signed) == (550, "no", True)


async def test_it_names_our_mail_by_its_message_id() -> None:
    (found,) = await reports(message={"headers": {"message-id": "daily.daily.2026-06-09.7@x.example"}})
    assert found.evidence.message_ids == ("daily.daily.2026-06-09.7@x.example",)


async def test_a_token_that_was_not_signed_is_refused() -> None:
    _, body = mailgun({"event": "complained", "recipient": ADA})
    changed = json.loads(body)
    changed["signature"]["token"] = "another"
    with pytest.raises(CallRefused, match="does not fit"):
        await read(Call({}, json.dumps(changed).encode()), SECRET, NOON, Amazon())


@pytest.mark.parametrize("field", ["timestamp", "token", "signature"])
async def test_a_call_with_half_a_character_in_it_is_refused(field: str) -> None:
    body = json.loads(mailgun({"event": "complained", "recipient": ADA})[1])
    body["signature"][field] = "\ud800"
    with pytest.raises(CallRefused):
        await read(Call({}, json.dumps(body).encode()), SECRET, NOON, Amazon())
