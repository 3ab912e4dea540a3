"""What a bounce or a complaint does to an address: the states, and what leads from one to the next. Pure.

    well ──soft, soft, …──▶ well, counted ──the fifth without a success between──▶ suppressed
    well ──hard──▶ suppressed         well ──complaint──▶ unsubscribed and suppressed
    well ──hard, one of a mass──▶ held for the operator, who suppresses them all or frees them
    suppressed or held ──freed──▶ well: what was sent before counts no more

A report may come twice, late, out of order, or from somebody who forges it: each counts once for its delivery, by the
time at which that was sent, and without proof it is soft whatever it says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from flows.causes import OURS, Cause

AT_ONCE = "server"
"""The source of what a mail server said of an address while a mail was offered: nothing was sent, or came back."""
SOFT_LIMIT = 5
"""So many deliveries that failed softly, one after another, suppress an address."""
SOFT_WITHIN = dt.timedelta(days=30)
RECENT = dt.timedelta(days=7)
"""A report that names an address alone is about the last delivery to it, if that is not older. A mail server tries for
five days (RFC 5321 section 4.5.4.1)."""

MASS_WITHIN = dt.timedelta(days=1)
MASS_OF_DOMAIN = (10, 0.2)
"""So many hard bounces within a day from one domain, if they are this part of its readers, are the domain's mistake."""
MASS_OF_DAY = (100, 0.1)
"""So many in all, if they are this part of what was sent in the last days, are somebody's: ours, or our relay's."""


class BounceKind(StrEnum):
    REFUSED = "refused"
    """Our mail or our name was refused: it says nothing about the address."""
    SOFT = "soft"
    HARD = "hard"
    COMPLAINT = "complaint"


_STRENGTH = (BounceKind.REFUSED, BounceKind.SOFT, BounceKind.HARD)


class BounceState(StrEnum):
    """What a bounce has done."""

    COUNTED = "counted"
    SUPPRESSED = "suppressed"
    HELD = "held"
    SETTLED = "settled"
    """It counts no more: the operator has freed the address, or it was sent before that."""


class About(StrEnum):
    """Of one delivery each counts once."""

    FAILURE = "failure"
    COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedMail:
    """What a report says of one of our mails, and how we know which it is."""

    complaint: bool = False
    cause: Cause = Cause.OTHER
    code: int | None = None
    status: str | None = None
    words: str = ""
    source: str = "mail"
    subscription_id: int | None = None
    """None: `address` alone says whose it was."""
    edition_id: int | None = None
    """0 for a letter; None: not known."""
    edition: tuple[str, str, dt.date] | None = None
    """Newsletter, kind and day of a Message-ID, where no number is known."""
    address: str = ""
    sealed: bool = False
    """A key of ours shows that whoever reports has had this mail, or a provider's that it says so."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A delivery of the last weeks to an address, and whether it failed: None, it did not that we know."""

    sent_at: dt.datetime
    failed: BounceKind | None


def kind_of(said: ReportedMail, *, proven: bool) -> BounceKind:
    """What a report counts as. Without proof nothing is worse than soft."""
    if said.complaint:
        return BounceKind.COMPLAINT if proven else BounceKind.SOFT
    if said.cause is Cause.DEAD:
        return BounceKind.HARD if proven else BounceKind.SOFT
    return BounceKind.REFUSED if said.cause in OURS else BounceKind.SOFT


def stronger(one: BounceKind, other: BounceKind) -> bool:
    """Whether a second report of the same failure makes it worse."""
    return _STRENGTH.index(one) > _STRENGTH.index(other)


def streak(attempts: Iterable[Attempt], now: dt.datetime) -> int:
    """How many deliveries failed softly one after another, up to the last that did.

    What was sent after that may still fail. One that did not fail, between two that did, begins the count anew; one
    that was refused, or hard and not acted upon, says nothing.
    """
    recent = sorted((one for one in attempts if one.sent_at > now - SOFT_WITHIN), key=lambda one: one.sent_at)
    found = 0
    for one in reversed(recent):
        if one.failed is BounceKind.SOFT:
            found += 1
        elif one.failed is None and found:
            break
    return found


def follows(
    kind: BounceKind, attempts: Sequence[Attempt], now: dt.datetime, *, mass: bool = False, freed: bool = False
) -> BounceState:
    """What a bounce does. `attempts` hold the one that it is about; `mass`: it is one of very many; `freed`: its mail
    was sent before the operator freed the address. A complaint always suppresses: a person asks for it."""
    if kind is BounceKind.COMPLAINT:
        return BounceState.SUPPRESSED
    if freed:
        return BounceState.SETTLED
    if kind is BounceKind.HARD:
        return BounceState.HELD if mass else BounceState.SUPPRESSED
    if kind is BounceKind.SOFT and streak(attempts, now) >= SOFT_LIMIT:
        return BounceState.HELD if mass else BounceState.SUPPRESSED
    return BounceState.COUNTED


def is_mass(bounces: int, of: int, bound: tuple[int, float]) -> bool:
    """Whether so many hard bounces, `of` so many mails or readers, are no mistake of the readers'."""
    least, part = bound
    return bounces >= least and bounces >= part * of
