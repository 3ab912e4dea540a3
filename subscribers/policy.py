"""May we send, when, and what follows from a server's answer? Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flows.editions.model import Kind
from flows.outcomes import Outcome, Verdict
from subscribers.model import DeliveryState, Frequency, Subscription, SubscriptionState

BACK_OFF: Sequence[dt.timedelta] = tuple(dt.timedelta(minutes=m) for m in (1, 5, 15, 60, 120))
"""The wait after each failed attempt; the last one repeats."""
GIVE_UP = dt.timedelta(hours=24)
"""How long a delivery is tried again after its first attempt (RFC 5321 section 4.5.4.1 lets a queue give up)."""


def frequencies(kind: Kind, day: dt.date) -> tuple[Frequency, ...]:
    """The frequencies whose readers get an edition of this kind and day."""
    if kind is Kind.WEEKLY:
        return (Frequency.WEEKLY,)
    return (Frequency.DAILY, Frequency.WEEKDAYS) if day.weekday() < 5 else (Frequency.DAILY,)


def due(frozen_at: dt.datetime, hour: int | None, zone: str) -> dt.datetime | None:
    """The first time after `frozen_at` that the reader's clock shows `hour`; None: at once.

    Where the clocks go forward over that hour it is the moment they do; where they go back it is the first of the
    two (PEP 495, fold=0). An edition that is frozen within the hour is due at once.
    """
    if hour is None:
        return None
    here = frozen_at.astimezone(ZoneInfo(zone))
    if here.hour == hour:
        return None
    for days in (0, 1):
        wanted = dt.datetime.combine(here.date() + dt.timedelta(days=days), dt.time(hour), tzinfo=here.tzinfo)
        # A local time that the clocks skip maps onto the moment after the change when it goes through UTC.
        instant = wanted.astimezone(dt.UTC)
        if instant >= frozen_at:
            return instant
    raise AssertionError("the hour comes every day")


def decide(subscription: Subscription, today: dt.date) -> str:
    """Why this subscriber gets no mail now, in words for the operator; empty: send."""
    match subscription.state:
        case SubscriptionState.CONFIRMED:
            return ""
        case SubscriptionState.PAUSED:
            until = subscription.paused_until
            if until is not None and until <= today:
                return ""
            return f"paused until {until}" if until else "paused"
        case state:
            return str(state)


@dataclass(frozen=True, slots=True)
class Follows:
    """What a delivery becomes after an attempt; `retry_at` is None where it is final."""

    state: DeliveryState
    retry_at: dt.datetime | None = None


def follow(
    outcome: Outcome,
    attempts: int,
    first_attempt: dt.datetime,
    now: dt.datetime,
    back_off: Sequence[dt.timedelta] = BACK_OFF,
    give_up: dt.timedelta = GIVE_UP,
) -> Follows:
    """What follows from the outcome of attempt number `attempts` (1 for the first).

    An unsent message costs the reader nothing: it is pending again and due at once. An uncertain one is sent again
    under the same Message-ID: better seen twice by a mailbox that ignores it than lost.
    """
    if outcome.verdict is Verdict.SENT:
        return Follows(DeliveryState.SENT)
    if outcome.verdict is Verdict.REJECTED:
        return Follows(DeliveryState.REJECTED)
    if outcome.verdict is Verdict.UNSENT:
        return Follows(DeliveryState.PENDING, now)
    retry_at = now + back_off[min(attempts, len(back_off)) - 1]
    if retry_at - first_attempt > give_up:
        final = DeliveryState.UNCERTAIN if outcome.verdict is Verdict.UNCERTAIN else DeliveryState.REJECTED
        return Follows(final)
    state = DeliveryState.UNCERTAIN if outcome.verdict is Verdict.UNCERTAIN else DeliveryState.DEFERRED
    return Follows(state, retry_at)
