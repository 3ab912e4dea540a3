"""Delivery reports as the standards write them (RFC 3464; RFC 6533 for addresses beyond ASCII). Pure.

The code that counts may stand in Diagnostic-Code alone: Exim writes `Status: 5.0.0` into every report.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from email.header import decode_header
from email.message import Message
from email.parser import HeaderParser
from typing import Any

from flows.causes import ENHANCED, REPLY, cause_of
from flows.incoming.model import Event, Evidence, Passing, Report, shortened

STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
MOST = 50
"""Recipients of a report that are read."""
_NO_FAILURE = frozenset({"delayed", "delivered", "relayed", "expanded"})
"""RFC 3464 section 2.3.3."""
_BLANK = re.compile(r"\r?\n[ \t]*\r?\n")
_BRACKETED = re.compile(r"<([^<>\s]+)>\s*$")
_UNICODE = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_PARSER = HeaderParser()


def read(message: Message[Any, Any], evidence: Evidence) -> list[Report] | Passing | None:
    """A report for each recipient that failed; Passing where none did; None for what is no such report."""
    blocks = [block for part in message.walk() if part.get_content_type() in STATUS_TYPES for block in _blocks(part)]
    recipients = [block for block in blocks if block["Final-Recipient"] or block["Original-Recipient"]][:MOST]
    # some leave the address away and keep the rest
    recipients = recipients or [block for block in blocks if block["Action"] and block["Status"]][:MOST]
    if not recipients:
        return None
    text = first_text(message)
    failed = [_report(block, evidence, text) for block in recipients if _action(block) == "failed"]
    return failed or Passing(_action(recipients[0]))


def first_text(message: Message[Any, Any]) -> str:
    """What the report tells people, at most 4,000 characters."""
    for part in message.walk():
        if part.get_content_type() == "text/plain" and not part.is_multipart():
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                return payload[:16_000].decode(_charset(part), "replace")[:4000]
    return ""


def _charset(part: Message[Any, Any]) -> str:
    charset = part.get_content_charset() or "utf-8"
    try:
        "".encode(charset)
    except (LookupError, ValueError):  # named by nobody's standard
        return "utf-8"
    return charset


def _blocks(part: Message[Any, Any]) -> Iterator[Message[str, str]]:
    """The groups of fields of a part, which a transfer encoding may hide."""
    try:
        _, _, raw = part.as_bytes().partition(b"\n\n")
    except (ValueError, LookupError, TypeError, AttributeError):  # what no generator can write again
        return
    match str(part.get("Content-Transfer-Encoding", "")).strip().lower():
        case "base64":
            try:
                raw = base64.b64decode(raw)
            except (binascii.Error, ValueError):
                return
        case "quoted-printable":
            raw = quopri.decodestring(raw)
    for block in _BLANK.split(raw.decode("utf-8", "replace")):
        if block.strip():
            yield _PARSER.parsestr(block.lstrip("\r\n"))


def _field(block: Message[str, str], name: str) -> str:
    return " ".join(str(block.get(name, "")).split())


def _action(block: Message[str, str]) -> str:
    """What became of it; where that is left away, the class of the status says it."""
    action = _field(block, "Action").partition(" ")[0].lower().rstrip(";")
    if action in _NO_FAILURE:
        return action
    if action.startswith("fail"):
        return "failed"
    return "failed" if _field(block, "Status").startswith("5") else "delayed"


def _report(block: Message[str, str], evidence: Evidence, text: str) -> Report:
    _, _, said = _field(block, "Diagnostic-Code").partition(";")
    said = said.strip() or _field(block, "Diagnostic-Code")
    code, status = codes(said, _field(block, "Status"))
    _, _, comment = _field(block, "Status").partition(" ")
    words = _decoded(said) or f"{comment.strip('()')} {text}".strip()
    return Report(
        event=Event.FAILED,
        address=_address(block),
        evidence=evidence,
        cause=cause_of(words, code, status),
        code=code,
        status=status,
        words=shortened(words),
    )


def codes(said: str, status: str = "") -> tuple[int | None, str | None]:
    """The reply code and the enhanced one: of what the server said, or else of the report's own field."""
    reply, enhanced = REPLY.search(said[:200]), ENHANCED.search(said[:400])
    given = ENHANCED.search(status)
    found = enhanced[1] if enhanced and not enhanced[1].endswith(".0.0") else given[1] if given else None
    return int(reply[1]) if reply else None, found


def _address(block: Message[str, str]) -> str:
    for name in ("Original-Recipient", "Final-Recipient"):
        _, _, value = _field(block, name).partition(";")
        value = value.strip()
        bracketed = _BRACKETED.search(value)
        value = bracketed[1] if bracketed else value
        value = _UNICODE.sub(_character, value)
        if "@" in value and len(value) <= 320:
            return value
    return ""


def _character(found: re.Match[str]) -> str:
    number = int(found[1], 16)
    return chr(number) if number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else "\ufffd"


def _decoded(said: str) -> str:
    try:
        return "".join(
            part if isinstance(part, str) else part.decode(charset or "ascii", "replace")
            for part, charset in decode_header(said)
        )
    except (ValueError, LookupError):
        return said
