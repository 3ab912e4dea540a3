"""SendGrid tells many events in a call, and signs them with a key of which we have the public part."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from flows.causes import Cause
from flows.incoming.model import Report
from flows.incoming.providers.sendgrid import read
from flows.incoming.webhooks import Call, CallRefused
from tests.context import NOON
from tests.incoming.test_hooks import ADA, SPOKEN, Amazon, sendgrid

SECRET = SPOKEN["sendgrid"].secret


async def reports(**event: Any) -> list[Report]:
    return list((await read(Call(*sendgrid({"email": ADA, **event})), SECRET, NOON, Amazon())).reports)


async def test_what_it_did_not_send_since_it_knew_is_a_failure_and_for_other_reasons_none() -> None:
    (known,) = await reports(event="dropped", reason="Bounced Address")
    assert known.cause is Cause.DEAD
    assert await reports(event="dropped", reason="Unsubscribed Address") == []


async def test_a_refusal_of_our_mail_says_nothing_of_the_address() -> None:
    (bounced,) = await reports(event="bounce", type="bounce", reason="no")
    (blocked,) = await reports(event="bounce", type="blocked", reason="no")
    assert bounced.cause is Cause.DEAD
    assert blocked.cause is not Cause.DEAD


async def test_the_same_events_signed_anew_are_the_same_call() -> None:
    event = {"event": "spamreport", "email": ADA}
    one, other = sendgrid(event), sendgrid(event)
    assert one != other
    first, second = [await read(Call(*made), SECRET, NOON, Amazon()) for made in (one, other)]
    assert first.unique == second.unique


async def test_a_key_that_can_not_be_used_is_named() -> None:
    made = Call(*sendgrid({"event": "spamreport", "email": ADA}))
    other = ed25519.Ed25519PrivateKey.generate().public_key()
    of_another_kind = base64.b64encode(other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    for secret, words in (("no key", "can't be read"), (of_another_kind, "of another kind")):
        with pytest.raises(CallRefused, match=words):
            await read(made, secret, NOON, Amazon())
