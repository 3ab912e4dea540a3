"""Amazon's own ways: a topic that is confirmed, certificates that are Amazon's and valid."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from flows.incoming.providers import providers
from flows.incoming.webhooks import Call, CallRefused
from tests.context import NOON
from tests.incoming.test_hooks import CERTIFICATE, TOPIC, Amazon, Made, certificate, ses


async def hear(amazon: Amazon, made: Made) -> None:
    await providers()["ses"].read(Call(*made), TOPIC, NOON, amazon)


async def test_a_topic_is_confirmed_once_its_signature_was_verified() -> None:
    amazon = Amazon()
    confirm = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=abc"
    kind: dict[str, Any] = {"Type": "SubscriptionConfirmation", "Token": "abc", "SubscribeURL": confirm}
    await hear(amazon, ses({}, version="2", **kind))
    assert amazon.asked == [CERTIFICATE, confirm]
    headers, body = ses({}, **kind)
    with pytest.raises(CallRefused):
        await hear(amazon, (headers, body.replace(b"Token=abc", b"Token=xyz")))
    with pytest.raises(CallRefused, match="not Amazon's"):
        await hear(amazon, ses({}, **{**kind, "SubscribeURL": "https://evil.example/?sns.eu-west-1.amazonaws.com"}))
    assert amazon.asked[2:] == [CERTIFICATE, CERTIFICATE]


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/x.pem",
        "http://sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/x.pem",
        "https://sns.eu-west-1.amazonaws.com:444/x.pem",
        "https://sns.eu-west-1.amazonaws.com/x.txt",
        "https://[sns.eu-west-1.amazonaws.com/x.pem",
        "",
    ],
)
async def test_no_certificate_of_anybody_else_is_asked_for(address: str) -> None:
    amazon = Amazon()
    with pytest.raises(CallRefused):
        await hear(amazon, ses({}, SigningCertURL=address))
    assert amazon.asked == []


async def test_a_certificate_that_has_run_out_signs_nothing() -> None:
    amazon = Amazon({CERTIFICATE: certificate(NOON - dt.timedelta(days=1))})
    with pytest.raises(CallRefused, match="not valid now"):
        await hear(amazon, ses({}))


async def test_a_call_with_half_a_character_in_it_is_refused() -> None:
    headers, body = ses({})
    changed = json.loads(body)
    changed["Message"] = "\ud800"
    with pytest.raises(CallRefused, match="does not fit"):
        await hear(Amazon(), (headers, json.dumps(changed).encode()))
