"""What came back, as values."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from flows.causes import Cause


class Event(StrEnum):
    """What a report says became of a mail."""

    FAILED = "failed"
    """It was not delivered, for good."""
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    """The reader has pressed a provider's own button."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What in a report may show which delivery it is about. Whether it does is for keys and ledger to say."""

    tokens: tuple[str, ...] = ()
    """Of our return addresses."""
    unsubscribes: tuple[str, ...] = ()
    """Of the links to unsubscribe: they stand in the copy that one reader got."""
    message_ids: tuple[str, ...] = ()
    """Without angle brackets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What somebody says became of one mail."""

    event: Event
    address: str = ""
    """As the report names it; empty where it names none."""
    evidence: Evidence = Evidence()
    cause: Cause = Cause.OTHER
    code: int | None = None
    status: str | None = None
    words: str = ""
    """A stranger's, at most `WORDS` characters."""
    at: dt.datetime | None = None
    """When it happened, where that is told by somebody who can be believed."""
    signed: bool = False
    """A provider says so whose signature was verified: the address in it is believed."""


@dataclass(frozen=True, slots=True)
class Passing:
    """A message that asks for nothing and is no failure: what it is, in a word or two."""

    what: str


@dataclass(frozen=True, slots=True)
class Unsubscription:
    """Somebody wants no more mail. Whether the token is one of ours is for its key to say."""

    token: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message that is not understood, and why."""

    reason: str


WORDS = 500


def shortened(words: str) -> str:
    """A stranger's words in one line that can be kept."""
    return "".join(one if one.isprintable() else " " for one in " ".join(words.split()))[:WORDS].strip()
