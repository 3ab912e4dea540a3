"""May we send, when, and what follows from a server's answer? Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from flows.editions.model import Kind
from flows.outcomes import Outcome, Verdict
from subscribers.model import DeliveryState, Frequency, Letter, Subscription, SubscriptionState, Suppressed
from subscribers.zones import clock

BACK_OFF: Sequence[dt.timedelta] = tuple(dt.timedelta(minutes=m) for m in (1, 5, 15, 60, 120))
"""The wait after each failed attempt; the last one repeats."""
GIVE_UP = dt.timedelta(hours=24)
"""How long a delivery is tried again after its first attempt (RFC 5321 section 4.5.4.1 lets a queue give up)."""

MORNING = 7
"""The hour of a weekly reader who has a day and no hour: they asked for that day, not for its midnight."""


def frequencies(kind: Kind, day: dt.date) -> tuple[Frequency, ...]:
    """The frequencies whose readers get an edition of this kind and day."""
    if kind is Kind.WEEKLY:
        return (Frequency.WEEKLY,)
    return (Frequency.DAILY, Frequency.WEEKDAYS) if day.weekday() < 5 else (Frequency.DAILY,)


def due(
    frozen_at: dt.datetime, hour: int | None, zone: str, weekday: int | None = None, otherwise: str = "UTC"
) -> dt.datetime | None:
    """The first time after `frozen_at` that the reader's clock shows `hour`, and of a weekly edition their `weekday`
    (0 is Monday), at `MORNING` without an hour; None: at once.

    Where the clocks go forward over that hour it is the moment they do; where they go back it is the first of the
    two (PEP 495, fold=0). Where the machine does not know the zone, `otherwise` counts, the newsletter's. An edition
    that is frozen within the hour is due at once, and one that is frozen later on the reader's weekday too: better late
    on their day than a week old.
    """
    here = frozen_at.astimezone(clock(zone, otherwise))
    if weekday is None and hour in (None, here.hour):
        return None
    for days in range(8):
        day = here.date() + dt.timedelta(days=days)
        if weekday not in (None, day.weekday()):
            continue
        wanted = dt.datetime.combine(day, dt.time(MORNING if hour is None else hour), tzinfo=here.tzinfo)
        # A local time that the clocks skip maps onto the moment after the change when it goes through UTC.
        instant = wanted.astimezone(dt.UTC)
        if instant >= frozen_at:
            return instant
        if weekday is not None:
            return None
    raise AssertionError("the hour comes every day, and every weekday within eight days")


def decide(subscription: Subscription, today: dt.date) -> str:
    """Why this subscriber gets no mail now, in words for the operator; empty: send."""
    if subscription.suppressed:
        return f"suppressed: {subscription.suppressed}"
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


def superseded(subscription: Subscription, kind: Kind, frozen_at: dt.datetime) -> str:
    """Why a reader who has changed their frequency since an edition was frozen does not get it, in words for the
    operator; empty: send.

    Who has turned to the weekly edition finds the day's best in it. The other way round nothing would bring what the
    weekly edition holds, so that it is sent as the last one.
    """
    changed = subscription.frequency_at is not None and subscription.frequency_at > frozen_at
    if changed and kind is Kind.DAILY and subscription.frequency is Frequency.WEEKLY:
        return "the reader has turned to the weekly edition"
    return ""


UNDO = dt.timedelta(days=1)
"""How long a reader can undo a change."""


def undoable(subscription: Subscription, now: dt.datetime) -> bool:
    """Whether a reader's last change can still be undone."""
    changed_at = subscription.changed_at
    return (
        subscription.previous is not None
        and subscription.suppressed is None
        and changed_at is not None
        and now - changed_at < UNDO
    )


_WANTED: Mapping[Letter, frozenset[SubscriptionState]] = {
    Letter.CONFIRM: frozenset({SubscriptionState.UNCONFIRMED}),
    Letter.KNOWN: frozenset({SubscriptionState.CONFIRMED, SubscriptionState.PAUSED}),
    Letter.WELCOME: frozenset({SubscriptionState.CONFIRMED}),
    Letter.LINK: frozenset({SubscriptionState.CONFIRMED, SubscriptionState.PAUSED}),
}
"""The states in which a letter makes sense; one that is not named here does so in every state."""


def unwanted(kind: Letter, subscription: Subscription) -> str:
    """Why a letter is not sent any more, in words for the operator; empty: send it."""
    # who had everything erased may come back, and nobody but them can
    back = kind is Letter.CONFIRM and subscription.suppressed is Suppressed.ERASED
    if subscription.suppressed and not back:
        return f"suppressed: {subscription.suppressed}"
    wanted = _WANTED.get(kind)
    return f"the subscription is {subscription.state}" if wanted and subscription.state not in wanted else ""


@dataclass(frozen=True, slots=True)
class Follows:
    """What a delivery becomes after an attempt; `retry_at` is None where it is final."""

    state: DeliveryState
    retry_at: dt.datetime | None = None


_SENT = Follows(DeliveryState.SENT)


@lru_cache(maxsize=64)
def tries(back_off: tuple[dt.timedelta, ...], give_up: dt.timedelta) -> int:
    """How often a delivery is tried within `give_up`, by a clock that is right."""
    waited, number = dt.timedelta(0), 1
    for wait in back_off[:-1]:
        if waited + wait > give_up:
            return number
        waited, number = waited + wait, number + 1
    return number + max(0, (give_up - waited) // back_off[-1])


def follow(
    outcome: Outcome,
    attempts: int,
    first_attempt: dt.datetime,
    now: dt.datetime,
    back_off: Sequence[dt.timedelta] = BACK_OFF,
    give_up: dt.timedelta = GIVE_UP,
    *,
    resend: bool = True,
    doubtful: bool = False,
) -> Follows:
    """What follows from the outcome of attempt number `attempts` (1 for the first).

    An unsent message costs the reader nothing: it is pending again and due at once. An uncertain one is sent again
    under the same Message-ID: better seen twice by a mailbox that ignores it than lost. Without `resend` it waits for
    the operator. `doubtful`: an earlier attempt was uncertain. It stays so until the server answers for good: to be
    put off says nothing about the message that it may have taken. It is given up once it was tried for as long as
    `give_up` and as often as there are waits, or twice as often as that time has room for, whatever the clock says.
    """
    if outcome.verdict is Verdict.SENT:
        return _SENT
    if outcome.verdict is Verdict.REJECTED:
        return Follows(DeliveryState.REJECTED)
    if outcome.verdict is Verdict.UNSENT:
        return Follows(DeliveryState.UNCERTAIN if doubtful else DeliveryState.PENDING, now)
    uncertain = outcome.verdict is Verdict.UNCERTAIN
    if uncertain and not resend:
        return Follows(DeliveryState.UNCERTAIN)
    doubted = doubtful or uncertain
    retry_at = now + back_off[min(attempts, len(back_off)) - 1]
    # neither alone: a clock that jumps ahead makes no attempts, and one that goes back makes no end of them
    late = retry_at - first_attempt > give_up and attempts >= len(back_off)
    if late or attempts > 2 * tries(tuple(back_off), give_up):
        return Follows(DeliveryState.UNCERTAIN if doubted else DeliveryState.REJECTED)
    return Follows(DeliveryState.UNCERTAIN if doubted else DeliveryState.DEFERRED, retry_at)
