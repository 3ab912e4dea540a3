"""What a message that came back is: the first of the readers that knows it. Pure; any bytes will do."""

from __future__ import annotations

from email.errors import MessageError
from email.parser import BytesParser
from typing import TypeAlias

from flows.incoming import automatic, complaints, failure_reports, other_bounces, unsubscribe_mail
from flows.incoming.evidence import evidence_of
from flows.incoming.model import Passing, Report, Unknown, Unsubscription

Read: TypeAlias = Unsubscription | list[Report] | Passing | Unknown

LINES = 2000
"""So many lines of a bounce of no standard are read: it says who and why before it returns anything, and its many
patterns take a look at each."""

_PARSER = BytesParser()


def read(content: bytes) -> Read:
    """What a message says or asks for."""
    if asked := unsubscribe_mail.read(content):
        return asked
    try:
        return _read(content)
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        # the standard library's parser takes any bytes; what it makes of them can't always be asked
        return Unknown(f"its form can't be read ({type(error).__name__})")


def _read(content: bytes) -> Read:
    message = _PARSER.parsebytes(content)
    evidence = evidence_of(content)
    if complaint := complaints.read(message, evidence):
        return [complaint] if isinstance(complaint, Report) else complaint
    if found := failure_reports.read(message, evidence):
        return found
    # a program's answer may speak of an address that is no more; one of a mail server's own may call itself automatic
    bounce = other_bounces.is_bounce(message)
    if not bounce and (answer := automatic.read(message)):
        return Passing(answer)
    beginning = b"".join(content.splitlines(keepends=True)[:LINES])
    if found := other_bounces.read(_PARSER.parsebytes(beginning), evidence):
        return found
    if answer := automatic.read(message):
        return Passing(answer)
    return Unknown("a bounce that names no address" if bounce else "no report, and nothing that is asked of us")
