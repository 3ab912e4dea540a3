"""Complaints: what a reader's provider sends when they press its button for spam (ARF, RFC 5965). Pure.

Many take the recipient away from it: then what is enclosed of our mail says who it was.
"""

from __future__ import annotations

import re
from email.message import Message
from email.utils import parseaddr
from typing import Any

from flows.incoming.model import Event, Evidence, Passing, Report, shortened

_NO_COMPLAINT = frozenset({"not-spam", "auth-failure", "dmarc"})
"""RFC 6430: the reader has taken it back; RFC 6591: a report about a domain, not from a reader."""
_LEFT = frozenset({"opt-out", "opt-out-list"})
_WITHOUT_FORM = "X-HmXmrOriginalRecipient"
"""Microsoft's JMRP encloses the mail with this header in it, and keeps to no standard otherwise."""
_EMPTY = re.compile(r"redacted|\*{3}", re.IGNORECASE)


def read(message: Message[Any, Any], evidence: Evidence) -> Report | Passing | None:
    """The complaint; Passing for a report of this form that is none; None for everything else."""
    for part in message.walk():
        if part.get_content_type() == "message/feedback-report":
            return _report(_fields(part), evidence)
        if recipient := str(part.get(_WITHOUT_FORM, "")):
            return _complaint(Event.COMPLAINED, recipient, evidence, "abuse")
    return None


def _fields(part: Message[Any, Any]) -> Message[Any, Any]:
    """The fields stand in a message of their own: RFC 5965 section 3."""
    payload = part.get_payload()
    return payload[0] if isinstance(payload, list) and payload and isinstance(payload[0], Message) else part


def _report(fields: Message[Any, Any], evidence: Evidence) -> Report | Passing:
    kind = str(fields.get("Feedback-Type", "abuse")).strip().lower()
    if kind in _NO_COMPLAINT:
        return Passing(kind if kind.isascii() else "no complaint")
    recipient = str(fields.get("Original-Rcpt-To") or fields.get("Removal-Recipient") or "")
    event = Event.UNSUBSCRIBED if kind in _LEFT else Event.COMPLAINED
    return _complaint(event, recipient, evidence, kind)


def _complaint(event: Event, recipient: str, evidence: Evidence, kind: str) -> Report:
    address = parseaddr(" ".join(recipient.replace("rfc822;", "").split()))[1]
    known = "@" in address and len(address) <= 320 and not _EMPTY.search(address)
    return Report(
        event=event, address=address if known else "", evidence=evidence, words=shortened(f"feedback: {kind}")
    )
