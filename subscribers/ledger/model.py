"""The values that the ledger hands out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from subscribers.model import Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A batch that this worker owns for now."""

    id: int
    edition_id: int
    lo: int
    hi: int
    lease: str
    since: dt.datetime | None = None
    """Since when its first delivery is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A delivery to attempt, of a claimed batch. `subscription` is None where the person has been erased."""

    claim: Claim
    subscription_id: int
    attempts: int
    first_at: dt.datetime | None
    doubtful: bool
    """An earlier attempt is uncertain: the reader may have the message."""
    asked: bool = False
    """The mail server was asked about it before, and what it said did not count."""
    subscription: Subscription | None

    @property
    def address(self) -> str:
        """Whom it is for; empty: nobody any more."""
        return self.subscription.email if self.subscription else ""
