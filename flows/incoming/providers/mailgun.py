"""Mailgun: a call for each event, signed with the account's webhook signing key.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

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
    seconds,
    table,
    text,
    told,
)

TITLE = "Mailgun"
RELAYS = ("smtp.mailgun.org", "smtp.eu.mailgun.org")
SETTING = "the account's HTTP webhook signing key"
NEEDS = (
    "Send over smtp.mailgun.org:587 (smtp.eu.mailgun.org in Europe) with a domain's SMTP login, and add webhooks for "
    "permanent and temporary failures, complaints and unsubscriptions. It keeps the return path of its own domain: "
    "PAPERROUND_VERP has no use."
)


async def read(call: Call, secret: str, now: dt.datetime, fetch: Fetch) -> Notice:
    body = table(parsed(call.body))
    signature = table(body.get("signature"))
    stamp, token, seal = (text(signature.get(name)) for name in ("timestamp", "token", "signature"))
    wanted = hmac.new(secret.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    if not token or not hmac.compare_digest(wanted.encode(), seal.encode()):
        raise CallRefused("The signature does not fit.")
    in_time(seconds(stamp), now)
    return Notice(_reports(table(body.get("event-data"))), token)


def _reports(event: Mapping[str, Any]) -> list[Report]:
    address, kind = event.get("recipient"), text(event.get("event"))
    headers = table(table(event.get("message")).get("headers"))
    proof = evidence(
        message_id=text(headers.get("message-id")), return_path=text(table(event.get("envelope")).get("sender"))
    )
    if kind == "complained":
        return [told(Event.COMPLAINED, address, proof, "complained")]
    if kind == "unsubscribed":
        return [told(Event.UNSUBSCRIBED, address, proof, "unsubscribed")]
    if kind != "failed" or event.get("severity") not in ("permanent", "temporary"):
        return []
    if event.get("severity") == "temporary":
        return []  # it goes on trying, and tells when it has given up
    status = table(event.get("delivery-status"))
    words = text(status.get("message")) or text(status.get("description")) or text(event.get("reason"))
    # its other reasons are about time and about us
    lasting = event.get("reason") in ("bounce", "suppress-bounce")
    code, enhanced = status.get("code"), status.get("enhanced-code")
    return [failed(address, words, proof, lasting=lasting, code=code, status=enhanced)]
