"""Postmark: a call for each event, with user and password in its address.

https://postmarkapp.com/developer/webhooks/bounce-webhook, …/spam-complaint-webhook, …/subscription-change-webhook
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flows.incoming.model import Event, Report
from flows.incoming.webhooks import Call, Fetch, Notice, authorised, digest, evidence, failed, parsed, table, text, told

TITLE = "Postmark"
RELAYS = ("smtp.postmarkapp.com", "smtp-broadcasts.postmarkapp.com")
SETTING = "user:password, as in the webhook's address: https://user:password@…/hooks/postmark"
NEEDS = (
    "Send over smtp.postmarkapp.com:587 in a Broadcast stream (its token is user and password), and add a webhook for "
    "bounces, spam complaints and subscription changes. It sets the return path itself: PAPERROUND_VERP has no use."
)

_LASTING = frozenset({"HardBounce", "BadEmailAddress"})
_FAILURES = _LASTING | {
    "SoftBounce", "Transient", "DnsError", "Blocked", "SpamNotification", "VirusNotification", "DMARCPolicy",
    "SMTPApiError", "Unknown", "TemplateRenderingFailed",
}  # fmt: skip


async def read(call: Call, secret: str, now: dt.datetime, fetch: Fetch) -> Notice:
    authorised(call, secret)
    return Notice(_reports(table(parsed(call.body))), digest(call))


def _reports(event: Mapping[str, Any]) -> list[Report]:
    kind, what = text(event.get("RecordType")), text(event.get("Type"))
    proof = evidence(headers=_metadata(event))
    if kind == "SpamComplaint" or what == "SpamComplaint":
        return [told(Event.COMPLAINED, event.get("Email"), proof, "spam complaint")]
    if kind == "Bounce" and what in _FAILURES:
        words = text(event.get("Details")) or text(event.get("Description"))
        return [failed(event.get("Email"), f"{what}: {words}", proof, lasting=what in _LASTING)]
    left = event.get("SuppressSending") is True and event.get("SuppressionReason") == "ManualSuppression"
    if kind == "SubscriptionChange" and left and event.get("Origin") == "Recipient":
        return [told(Event.UNSUBSCRIBED, event.get("Recipient"), proof, "unsubscribed")]
    return []


def _metadata(event: Mapping[str, Any]) -> dict[str, str]:
    return {text(name): text(value) for name, value in table(event.get("Metadata")).items()}
