"""Until when an operator is asked about an edition, and a source that failed is asked again. Pure."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

from flows.editions.decisions import EditionDecision
from flows.editions.model import Newsletter

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_SPAN = re.compile(r"(\d{1,3})\s?(h|m)")
LONGEST = dt.timedelta(days=3)
"""What is older is no news any more."""


NONE = "0m"
"""No time at all."""


def fits(written: str) -> bool:
    """Whether a deadline can be read: "11:00", "2h", "45m", at most three days."""
    span = _span(written)
    return bool(_CLOCK.fullmatch(written)) or (span is not None and dt.timedelta(0) < span <= LONGEST)


def deadline_of(newsletter: Newsletter, asked_at: dt.datetime) -> dt.datetime:
    """When the time for an answer is over, in UTC: the next moment at which the clocks of the newsletter's zone show
    the time that it names (what they skip in spring: the moment they do), or the span after `asked_at`."""
    clock = _CLOCK.fullmatch(newsletter.approval_deadline)
    if not clock:
        return asked_at + (_span(newsletter.approval_deadline) or dt.timedelta(hours=2))
    here = asked_at.astimezone(ZoneInfo(newsletter.zone))
    for days in (0, 1):
        day = here.date() + dt.timedelta(days=days)
        wanted = dt.datetime.combine(day, dt.time(int(clock[1]), int(clock[2])), tzinfo=here.tzinfo)
        if (moment := wanted.astimezone(dt.UTC)) > asked_at:
            return moment
    raise AssertionError("the clocks show every time within a day and a half")


def collected_by(newsletter: Newsletter, planned: dt.datetime) -> dt.datetime:
    """Until when sources are asked again for an edition whose run was `planned` for then, in UTC; not later than that
    where the time is past already."""
    clock = _CLOCK.fullmatch(newsletter.deadline)
    if not clock:
        return planned + (_span(newsletter.deadline) or dt.timedelta(0))
    here = planned.astimezone(ZoneInfo(newsletter.zone))
    wanted = dt.datetime.combine(here.date(), dt.time(int(clock[1]), int(clock[2])), tzinfo=here.tzinfo)
    return max(wanted.astimezone(dt.UTC), planned)


def otherwise_of(newsletter: Newsletter) -> EditionDecision:
    """What becomes of an edition about which nobody has decided by the deadline."""
    if newsletter.approval_otherwise:
        return EditionDecision(newsletter.approval_otherwise)
    return EditionDecision.SEND if newsletter.approval == "veto" else EditionDecision.HOLD


def _span(written: str) -> dt.timedelta | None:
    found = _SPAN.fullmatch(written)
    return dt.timedelta(**{"hours" if found[2] == "h" else "minutes": int(found[1])}) if found else None
