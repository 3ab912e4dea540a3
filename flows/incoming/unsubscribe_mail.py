"""A mail that asks to unsubscribe its sender. Pure.

A mail program that unsubscribes by mail (RFC 2369, RFC 8058 section 2) writes to the address of List-Unsubscribe with
the subject that stands there: `unsubscribe TOKEN`. People and programs put things before it, fold and encode it, or
forget to decode the space; the token stays.
"""

from __future__ import annotations

import re
from email.errors import MessageError
from email.parser import BytesHeaderParser

from flows.incoming.automatic import decoded
from flows.incoming.model import Unsubscription

HEADERS = 100_000
"""Bytes of a message in which its subject is looked for."""
_ASKED = re.compile(r"(?<![A-Za-z0-9_-])unsubscribe(?:[\s:+=]|%20)+([A-Za-z0-9_-]{32})(?![A-Za-z0-9_-])", re.IGNORECASE)
_PARSER = BytesHeaderParser()


def read(content: bytes) -> Unsubscription | None:
    """What a message asks for; None for everything that is not understood. Any bytes will do."""
    # all of a message's own subject stands in its headers: what it quotes or encloses asks for nothing
    try:
        subjects = _PARSER.parsebytes(content[:HEADERS]).get_all("Subject", [])
    except (MessageError, ValueError):
        return None
    for subject in subjects:
        if found := _ASKED.search(decoded(str(subject))):
            return Unsubscription(found[1])
    return None
