"""When so much comes back that a newsletter must not go on as it does. Pure.

Gmail and Yahoo want fewer than 0.3 % complaints, and better fewer than 0.1 %.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

LOOKED_AT = dt.timedelta(days=7)
"""The mails of so many days count, since the operator last let it go on."""
LEAST_COMPLAINTS = 3
"""Fewer say nothing, whatever part of a short list they are."""
LEAST_BOUNCES = 10


@dataclass(frozen=True, slots=True)
class Bounds:
    """Parts of what was sent; None: no bound."""

    complaints: float | None = None
    hard: float | None = None


def exceeded(sent: int, complaints: int, hard: int, bounds: Bounds) -> str:
    """Why a newsletter should be paused, in a sentence for its operator; empty: it should not. `sent`: mails that were
    offered to the mail server; `hard`: those of them that it refused for good, or that bounced."""
    told = f"of the {sent:,} mails of the last {LOOKED_AT.days} days"
    if bounds.complaints is not None and complaints >= LEAST_COMPLAINTS and complaints > bounds.complaints * sent:
        part = f"{_percent(complaints, sent)}; {bounds.complaints:.2%} at most"
        return f"{complaints:,} {told} were complained about ({part})."
    if bounds.hard is not None and hard >= LEAST_BOUNCES and hard > bounds.hard * sent:
        return (
            f"{hard:,} {told} were refused or came back for good ({_percent(hard, sent)}; {bounds.hard:.2%} at most)."
        )
    return ""


def _percent(number: int, of: int) -> str:
    return f"{number / of:.2%}" if of else "all"
