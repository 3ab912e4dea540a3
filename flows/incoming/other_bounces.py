"""Bounces that keep to no standard: addresses by flufl.bounce, the cause by known words. Pure."""

from __future__ import annotations

import logging
import re
from email.message import Message
from typing import Any

import flufl.bounce

from flows.causes import cause_of
from flows.incoming.failure_reports import codes, first_text
from flows.incoming.model import Event, Evidence, Passing, Report, shortened

NEAR = 600
"""Characters after an address that tell about it."""
MOST = 50

_DAEMON = re.compile(
    r"mailer[-_ ]?daemon|postmaster|mail delivery|maildelivery|daemon@|<>|\bmdaemon|bounce", re.IGNORECASE
)
_SUBJECT = re.compile(
    r"undeliver|unzustellbar|non remis|no se pudo entregar|delivery (?:status|failure|failed|problem|error|"
    r"notification|"
    r"report|has failed)|failure notice|returned mail|returned to sender|mail (?:could not be|delivery|system error)|"
    r"message (?:could not|undeliverable)|non[- ]?deliver|not delivered|retour de courrier",
    re.IGNORECASE,
)
# the original begins here: what it says is ours
_ORIGINAL = re.compile(
    r"^-{2,}.{0,60}(?:original|copy of (?:the|your) message|return(?:ed)? (?:message|mail)|below this line).*$|"
    r"^(?:Return-Path|Received|Message-ID): ",
    re.IGNORECASE | re.MULTILINE,
)
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)  # what it says is about strangers' mail: we say our own


def is_bounce(message: Message[Any, Any]) -> bool:
    """Whether a message comes from a mail server's own address, or calls itself a returned one."""
    sender = " ".join(str(message.get(name, "")) for name in ("From", "Return-Path", "Sender"))
    return bool(_DAEMON.search(sender) or _SUBJECT.search(str(message.get("Subject", ""))))


def read(message: Message[Any, Any], evidence: Evidence) -> list[Report] | Passing | None:
    """A report for each address that a bounce names; Passing for a warning that it goes on trying; one without an
    address where it repeats a mail of ours and its words are known; None: not understood."""
    try:
        waiting, failed = flufl.bounce.all_failures(message)
    except Exception:  # its patterns meet any bytes; what it can't read is not understood
        waiting, failed = frozenset(), frozenset()
    text = _told(message)
    if failed:
        return [_report(_text(address), evidence, text) for address in sorted(failed)[:MOST]]
    if waiting:
        return Passing("delayed")
    if evidence.tokens or evidence.message_ids or evidence.unsubscribes:
        found = _report("", evidence, text)
        if found.code or found.status or found.cause != "other":
            return [found]
    return None


def _text(address: bytes | str) -> str:
    return address.decode("ascii", "replace") if isinstance(address, bytes) else address


def _told(message: Message[Any, Any]) -> str:
    """What the bounce itself says, without the mail that it returns."""
    text = first_text(message)
    begins = _ORIGINAL.search(text)
    return text[: begins.start()] if begins and begins.start() > 40 else text


def _report(address: str, evidence: Evidence, text: str) -> Report:
    at = text.lower().find(address.lower()) if address else -1
    near = text[at + len(address) : at + len(address) + NEAR] if at >= 0 else text
    code, status = codes(near)
    cause = cause_of(near, code, status)
    if cause == "other" and near is not text:  # some say why before they say who
        code, status = code or codes(text)[0], status or codes(text)[1]
        cause, near = cause_of(text, code, status), text
    return Report(
        event=Event.FAILED,
        address=address if len(address) <= 320 else "",
        evidence=evidence,
        cause=cause,
        code=code,
        status=status,
        words=shortened(near.strip(" \t\r\n>:")),
    )
