"""Which mail a report is about: what it repeats of ours, wherever it stands. Pure.

A return address of our own (VERP) stands where the report was sent to and in the Return-Path that it encloses; our
Message-ID and the reader's link to unsubscribe stand in the headers that it returns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from flows.incoming.model import Evidence

MOST = 20
"""Of each kind: a report is about one mail, and who sends more wants us to work."""

_TOKEN = re.compile(rb"\+([a-z2-7]{40})(?:@|=40)", re.IGNORECASE)
_UNSUBSCRIBE = re.compile(rb"unsubscribe(?:/|%20|\+|[ \t]+)([A-Za-z0-9_-]{32})(?![A-Za-z0-9_-])", re.IGNORECASE)
_MESSAGE_ID = re.compile(rb"Message-ID:\s*<([^<>\s]{3,250})>", re.IGNORECASE)


def evidence_of(content: bytes) -> Evidence:
    """What the bytes of a report hold; its own Message-ID is nobody's evidence."""
    _, _, body = content.partition(b"\r\n\r\n" if b"\r\n\r\n" in content else b"\n\n")
    return Evidence(
        tokens=_distinct(_TOKEN.findall(content), lower=True),
        unsubscribes=_distinct(_UNSUBSCRIBE.findall(body)),
        message_ids=_distinct(_MESSAGE_ID.findall(body)),
    )


def _distinct(found: Iterable[bytes], *, lower: bool = False) -> tuple[str, ...]:
    texts = (one.decode("ascii", "replace") for one in found)
    return tuple(dict.fromkeys(text.lower() if lower else text for text in texts))[:MOST]
