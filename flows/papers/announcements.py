"""When arXiv announces what: its weekly calendar, and the holidays that it keeps.

Submissions are announced from Sunday to Thursday at 20:00 US Eastern time, and stand in the feed of the day after. On a
holiday nothing is announced, and what was submitted comes with the next announcement. Which days those are arXiv says
from year to year; here are those that it has kept every year since 2023, so that the days before today are divided as
they were announced. Of today the feed itself tells. https://info.arxiv.org/help/availability.html
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
_DEADLINE = dt.time(14)
_DAY = dt.timedelta(days=1)
_MONDAY, _THURSDAY, _FRIDAY, _SATURDAY, _SUNDAY = 0, 3, 4, 5, 6
_FIXED = {(1, 1): "New Year's Day", (6, 19): "Juneteenth", (7, 4): "Independence Day", (12, 25): "Christmas Day"}
_NTH = {
    (1, _MONDAY, 3): "Martin Luther King Day",
    (9, _MONDAY, 1): "Labor Day",
    (11, _THURSDAY, 4): "Thanksgiving Day",
}
"""Month, weekday, and which one of that month."""


def announces(day: dt.date) -> bool:
    """Whether arXiv has a new feed on `day`, holidays apart."""
    return day.weekday() < _SATURDAY


def holiday(day: dt.date) -> str:
    """The holiday for which the feed of `day` is missing, by its name; empty if there is none that is known."""
    return _kept_on(day - _DAY) if announces(day) else ""


def submitted(day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """From when (inclusive) until when (exclusive), in UTC, the papers in the feed of `day` were submitted: since the
    deadline of the announcement before. The deadline is at 14:00 Eastern of the same day, for Sunday's on Friday."""
    before = day - _DAY
    while not announces(before) or holiday(before):
        before -= _DAY
    return _deadline(before - _DAY), _deadline(day - _DAY)


def _deadline(evening: dt.date) -> dt.datetime:
    day = evening - 2 * _DAY if evening.weekday() == _SUNDAY else evening
    return dt.datetime.combine(day, _DEADLINE, EASTERN).astimezone(dt.UTC)


def _kept_on(evening: dt.date) -> str:
    """The holiday for which nothing is announced in an evening. What Friday would prepare for Sunday waits as well."""
    day = evening - 2 * _DAY if evening.weekday() == _SUNDAY else evening
    which = (day.month, day.weekday(), (day.day + 6) // 7)
    return _FIXED.get((day.month, day.day)) or _NTH.get(which, "")
