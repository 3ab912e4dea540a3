"""Values that import nothing: what a mail server answered, and the one exception that is meant for people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Problem(Exception):  # noqa: N818 - it is read by people, not by a debugger
    """Bad input or configuration in one sentence: the field, the value and the remedy.

    The command line prints it and ends with status 2; a flow ends as failed with it as its message.
    """


_ADDRESS = re.compile(r"[^\s<>()\"',;:]+@[^\s<>()\"',;:]+")


def anonymous(words: str) -> str:
    """A mail server's words without the addresses that they repeat: for logs, reports and Prefect, and to be kept: a
    copy of an address among the words is one more that would have to be erased."""
    return _ADDRESS.sub("(address)", words)


class Verdict(StrEnum):
    """What became of one message, as far as this attempt can know."""

    SENT = "sent"  # the server took responsibility for it (RFC 5321 section 6.1)
    DEFERRED = "deferred"  # not now: a 4yz reply, or a connection that was lost before the content
    REJECTED = "rejected"  # a 5yz reply: do not try again
    UNCERTAIN = "uncertain"  # the connection was lost after the content left and before its reply came
    UNSENT = "unsent"  # the server was not asked about this reader: the connection or our configuration failed


class Stage(StrEnum):
    """The command that a reply answers."""

    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"


_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")

LOGIN_WANTED = frozenset({530, 535})
"""RFC 4954 section 6: the server wants a login, or refuses the one that it got."""
BAD_SENDER = frozenset({"5.1.7", "5.1.8"})
"""RFC 3463 section 3.2: the sender's address is wrong, whatever command the reply answers."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt came to: the verdict, and the server's own words as evidence.

    `code` is the reply code of RFC 5321, `status` the enhanced one of RFC 3463 where the server gave it.
    """

    verdict: Verdict
    stage: Stage
    code: int | None = None
    status: str | None = None
    text: str = ""


def read_reply(stage: Stage, code: int, text: str) -> Outcome:
    """What a reply to `stage` means for the message that it answers (RFC 5321 section 4.2.1).

    A refusal before RCPT concerns the sender or the connection, never the reader: the message is *unsent*. A code that
    means nothing where it stands tells nothing either.
    """
    if not (text.isascii() and text.isprintable()):
        text = _CONTROLS.sub(" ", text.encode(errors="surrogateescape").decode(errors="replace"))
    text = text.strip()[:500]
    found = _ENHANCED.match(text)
    status = found[0] if found else None
    return Outcome(_verdict(stage, code, status), stage, code, status, text)


def _verdict(stage: Stage, code: int, status: str | None) -> Verdict:
    if stage is Stage.CONTENT and 200 <= code < 300:
        return Verdict.SENT
    if stage in (Stage.CONNECT, Stage.MAIL) or code in LOGIN_WANTED or status in BAD_SENDER:
        return Verdict.UNSENT
    if not 400 <= code < 600:
        return Verdict.UNCERTAIN if stage is Stage.CONTENT else Verdict.DEFERRED
    # 503, commands out of order, is about the conversation and not about the reader
    return Verdict.DEFERRED if code < 500 or code == 503 else Verdict.REJECTED
