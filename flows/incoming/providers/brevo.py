"""Brevo: a call for each event, or several in one, with a token or a user and password that the operator chose.

https://developers.brevo.com/docs/transactional-webhooks
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flows.incoming.model import Event, Report
from flows.incoming.webhooks import Call, Fetch, Notice, authorised, digest, evidence, failed, parsed, rows, text, told

TITLE = "Brevo"
RELAYS = ("smtp-relay.brevo.com", "smtp-relay.sendinblue.com")
SETTING = "the webhook's token, or user:password"
NEEDS = (
    "Send over smtp-relay.brevo.com:587 with an SMTP key, and add a transactional webhook with authentication for hard "
    "and soft bounces, blocked, invalid, spam and unsubscribed. It sets the return path itself: PAPERROUND_VERP has no "
    "use."
)

_LASTING = frozenset({"hard_bounce", "invalid_email"})
_FAILURES = _LASTING | {"soft_bounce", "blocked", "error"}


async def read(call: Call, secret: str, now: dt.datetime, fetch: Fetch) -> Notice:
    authorised(call, secret)
    body = parsed(call.body)
    events = rows(body) if isinstance(body, list) else rows([body])
    return Notice([one for event in events for one in _reports(event)], digest(call))


def _reports(event: Mapping[str, Any]) -> list[Report]:
    address, kind = event.get("email"), text(event.get("event"))
    proof = evidence(message_id=text(event.get("message-id")))
    if kind in ("spam", "complaint"):
        return [told(Event.COMPLAINED, address, proof, "spam")]
    if kind == "unsubscribed":
        return [told(Event.UNSUBSCRIBED, address, proof, "unsubscribed")]
    if kind in _FAILURES:
        words = text(event.get("reason")) or kind
        return [failed(address, words if kind != "blocked" else f"blocked: {words}", proof, lasting=kind in _LASTING)]
    return []
