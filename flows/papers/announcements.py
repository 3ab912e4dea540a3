"""When arXiv announces what: its weekly calendar, without holidays.

Submissions are announced from Sunday to Thursday at 20:00 US Eastern time, and stand in the feed of the day after.
https://info.arxiv.org/help/availability.html
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
_DEADLINE = dt.time(14)
_MONDAY, _TUESDAY, _SATURDAY = 0, 1, 5


def announces(day: dt.date) -> bool:
    """Whether arXiv has a new feed on `day`, holidays apart."""
    return day.weekday() < _SATURDAY


def submitted(day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """From when (inclusive) until when (exclusive), in UTC, the papers in the feed of `day` were submitted.

    Monday's feed has Thursday 14:00 to Friday 14:00 Eastern, Tuesday's Friday to Monday, any other day's the
    24 hours that ended at 14:00 on the day before.
    """
    first, last = {_MONDAY: (4, 3), _TUESDAY: (4, 1)}.get(day.weekday(), (2, 1))
    return _deadline(day - dt.timedelta(first)), _deadline(day - dt.timedelta(last))


def _deadline(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, _DEADLINE, EASTERN).astimezone(dt.UTC)
