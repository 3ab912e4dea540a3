"""SendGrid: calls with many events each, signed with a key of which it shows the public part.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from flows.incoming.model import Event, Report
from flows.incoming.webhooks import (
    Call,
    CallRefused,
    Fetch,
    Notice,
    evidence,
    failed,
    in_time,
    parsed,
    rows,
    seconds,
    text,
    told,
)

TITLE = "SendGrid"
RELAYS = ("smtp.sendgrid.net",)
SETTING = "the verification key that it shows for its signed event webhook"
NEEDS = (
    "Send over smtp.sendgrid.net:587 with the user `apikey` and a key as password, switch its own subscription and "
    "click tracking off, and add a signed event webhook for bounced, dropped, spam reports and unsubscribes. It "
    "sets the return path itself: PAPERROUND_VERP has no use."
)

_SIGNATURE = "x-twilio-email-event-webhook-signature"
_TIMESTAMP = "x-twilio-email-event-webhook-timestamp"


async def read(call: Call, secret: str, now: dt.datetime, fetch: Fetch) -> Notice:
    stamp, seal = call.headers.get(_TIMESTAMP, ""), call.headers.get(_SIGNATURE, "")
    try:
        key = load_der_public_key(base64.b64decode(secret, validate=True))
    except (ValueError, UnsupportedAlgorithm, binascii.Error):
        raise CallRefused("The verification key that is set can't be read.") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise CallRefused("The verification key that is set is of another kind.")
    try:
        key.verify(base64.b64decode(seal, validate=True), stamp.encode() + call.body, ec.ECDSA(SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        raise CallRefused("The signature does not fit.") from None
    in_time(seconds(stamp), now)
    # ECDSA can sign the same with another signature: what was signed is what is unique
    return Notice(
        [one for event in rows(parsed(call.body)) for one in _reports(event)], stamp + call.body.decode("latin-1")
    )


def _reports(event: Mapping[str, Any]) -> list[Report]:
    address, kind = event.get("email"), text(event.get("event"))
    proof = evidence(message_id=text(event.get("smtp-id")))
    match kind:
        case "spamreport":
            return [told(Event.COMPLAINED, address, proof, "spam report")]
        case "unsubscribe" | "group_unsubscribe":
            return [told(Event.UNSUBSCRIBED, address, proof, "unsubscribed")]
        case "bounce" | "dropped":
            words = text(event.get("reason"))
            if kind == "dropped" and not words.lower().startswith(("bounced", "invalid")):
                return []  # it was not sent, for a reason that it has told before
            # what it calls blocked is a refusal of this mail, not of the address
            lasting = kind == "dropped" or event.get("type") == "bounce"
            return [failed(address, words, proof, lasting=lasting, status=event.get("status"))]
    return []
