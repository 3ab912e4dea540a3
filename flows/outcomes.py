"""Values that import nothing: what a mail server answered, and the one exception that is meant for people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Problem(Exception):  # noqa: N818 - it is read by people, not by a debugger
    """Bad input or configuration in one sentence: the field, the value and the remedy.

    The command line prints it and ends with status 2; a flow ends as failed with it as its message.
    """


class Verdict(StrEnum):
    """What became of one message, as far as this attempt can know."""

    SENT = "sent"  # the server took responsibility for it (RFC 5321 section 6.1)
    DEFERRED = "deferred"  # a 4yz reply: try again later
    REJECTED = "rejected"  # a 5yz reply: do not try again
    UNCERTAIN = "uncertain"  # the connection was lost after the content left and before its reply came
    UNSENT = "unsent"  # nothing of it left: the connection or our own configuration failed, not the message


class Stage(StrEnum):
    """The command that a reply answers."""

    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"


_ENHANCED = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})\b")


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
    """What a reply to `stage` means for the message that it answers.

    A refusal before RCPT concerns the sender or the connection, never the reader: the message is *unsent*.
    """
    found = _ENHANCED.match(text)
    status = found[1] if found else None
    if stage is Stage.CONTENT and 200 <= code < 300:
        verdict = Verdict.SENT
    elif stage in (Stage.CONNECT, Stage.MAIL) or code in (421, 530, 535):
        verdict = Verdict.UNSENT
    elif 400 <= code < 500:
        verdict = Verdict.DEFERRED
    elif stage is Stage.RCPT and status in ("5.1.7", "5.1.8"):
        verdict = Verdict.UNSENT
    else:
        verdict = Verdict.REJECTED
    return Outcome(verdict, stage, code, status, text[:500])
