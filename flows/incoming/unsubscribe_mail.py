"""What came back by mail: a message's bytes, and what they ask for. Pure.

A mail program that unsubscribes by mail (RFC 2369, RFC 8058 section 2) writes to the address of List-Unsubscribe with
the subject that stands there: `unsubscribe TOKEN`. People and programs put things before it, fold and encode it, or
forget to decode the space; the token stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header
from email.parser import BytesHeaderParser

HEADERS = 100_000
"""Bytes of a message in which its subject is looked for."""
_ASKED = re.compile(r"(?<![A-Za-z0-9_-])unsubscribe(?:[\s:+=]|%20)+([A-Za-z0-9_-]{32})(?![A-Za-z0-9_-])", re.IGNORECASE)
_FOLD = re.compile(r"[\r\n]+")
_PARSER = BytesHeaderParser()


@dataclass(frozen=True, slots=True)
class Unsubscription:
    """Somebody wants no more mail. Whether the token is one of ours is for its key to say."""

    token: str


def read(content: bytes) -> Unsubscription | None:
    """What a message asks for; None for everything that is not understood. Any bytes will do."""
    # all of a message's own subject stands in its headers: what it quotes or encloses asks for nothing
    try:
        subjects = _PARSER.parsebytes(content[:HEADERS]).get_all("Subject", [])
    except (MessageError, ValueError):
        return None
    for subject in subjects:
        if found := _ASKED.search(_decoded(str(subject))):
            return Unsubscription(found[1])
    return None


def _decoded(subject: str) -> str:
    """A subject with its encoded words (RFC 2047) read, or as it stands where they can't be."""
    plain = _FOLD.sub("", subject)
    try:
        return "".join(
            part if isinstance(part, str) else part.decode(charset or "ascii", "replace")
            for part, charset in decode_header(plain)
        )
    except (MessageError, ValueError, LookupError):
        return plain
