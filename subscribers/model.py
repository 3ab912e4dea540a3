"""People and their subscriptions: values only."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

from flows.editions.model import Interests


class SubscriptionState(StrEnum):
    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"


class Frequency(StrEnum):
    DAILY = "daily"
    WEEKDAYS = "weekdays"
    WEEKLY = "weekly"


class Suppressed(StrEnum):
    """Why an address is never mailed again."""

    OPERATOR = "operator"
    HARD_BOUNCE = "hard bounce"
    REFUSED = "refused"
    """It was refused in several editions in a row."""
    COMPLAINT = "complaint"
    DECLINED = "declined"
    """Somebody else signed it up, and its owner wants no such mail again."""
    SOFT_BOUNCES = "soft bounces"
    BLOCKED = "blocked"
    """Its domain is: by the operator."""
    ERASED = "erased"
    """Its owner had everything erased: nobody but they themselves, by a confirmed sign-up, brings it back."""


class Letter(StrEnum):
    """What is mailed to one reader alone, through the outbox."""

    CONFIRM = "confirm"
    KNOWN = "known"
    """Who signs up again is told that they are subscribed, with a link to their settings."""
    WELCOME = "welcome"
    LINK = "link"
    """A fresh link to the settings."""
    PRIVATE = "private"
    """A link for what must not fall to whoever a mail is forwarded to."""
    ADDRESS = "address"
    """To a new address: to confirm it."""
    MOVED = "moved"
    """To the old address, after the change."""


class DeliveryState(StrEnum):
    """Where one delivery stands. SENT, REJECTED and SKIPPED are final."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    UNCERTAIN = "uncertain"


FINAL = frozenset({DeliveryState.SENT, DeliveryState.REJECTED, DeliveryState.SKIPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscriber on one newsletter. `id` is 0 until it is kept."""

    email: str
    newsletter: str
    id: int = 0
    state: SubscriptionState = SubscriptionState.CONFIRMED
    interests: Interests = field(default_factory=Interests)
    frequency: Frequency = Frequency.DAILY
    hour: int | None = None
    """The hour of the reader's day from which mail is welcome; None: as soon as there is an edition."""
    zone: str = "UTC"
    language: str = ""
    """Of pages and mails, as in `<html lang>`; empty: the site's own."""
    weekday: int | None = None
    """The day on which a weekly reader's mail is welcome, 0 for Monday; None: as soon as there is an edition."""
    tags: tuple[str, ...] = ()
    paused_until: dt.date | None = None
    consent_at: dt.datetime | None = None
    consent_source: str = ""
    frequency_at: dt.datetime | None = None
    """When the frequency was last changed."""
    revision: int = 0
    """Counts the changes: an undo names the one that it undoes."""
    changed_at: dt.datetime | None = None
    confirmed_at: dt.datetime | None = None
    left_at: dt.datetime | None = None
    """When the reader last unsubscribed; it stays while a new sign-up waits to be confirmed."""
    left_reason: str = ""
    suppressed: Suppressed | None = None
    """Why the address is never mailed again, on any newsletter."""
    previous: Subscription | None = None
    """As it was before the last change, where that can be undone; read for one subscription at a time."""
