"""A month of editions as calendars, one for each newsletter. Pure."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flows.editions.model import Kind, Newsletter
from flows.storage.archive import Issue


@dataclass(frozen=True, slots=True)
class Week:
    """Monday to Sunday; None stands for a day of another month, `weekly` for what came out for the week in it."""

    days: Sequence[dt.date | None]
    weekly: Issue | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    newsletter: Newsletter
    weeks: Sequence[Week]
    issues: Mapping[dt.date, Issue]
    """The daily ones, and the days that have a reason instead."""
    silent: Mapping[str, Sequence[dt.date]]
    """The days without an edition, by their reason."""
    out: Sequence[Issue]
    """The editions of both kinds that came out, the newest first."""

    @property
    def has_weekly(self) -> bool:
        return any(week.weekly for week in self.weeks)


def parse_month(written: str) -> dt.date | None:
    """The first day of a month written as 2026-06."""
    try:
        first = dt.date.fromisoformat(f"{written}-01")
    except ValueError:
        return None
    return first if written == f"{first:%Y-%m}" else None


def last_day(month: dt.date) -> dt.date:
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


def calendars(newsletters: Iterable[Newsletter], issues: Sequence[Issue], month: dt.date) -> Sequence[Calendar]:
    """A calendar for each newsletter that had an edition in this month, the one with the newest edition first."""
    made = [
        (newsletter, [issue for issue in issues if issue.newsletter == newsletter.slug]) for newsletter in newsletters
    ]
    out = [(newsletter, own) for newsletter, own in made if any(not issue.reason for issue in own)]
    out.sort(key=lambda one: max(issue.day for issue in one[1] if not issue.reason), reverse=True)
    return [_calendar(newsletter, own, month) for newsletter, own in out]


def _calendar(newsletter: Newsletter, issues: Sequence[Issue], month: dt.date) -> Calendar:
    daily = {issue.day: issue for issue in issues if issue.kind is Kind.DAILY}
    weekly = {issue.day: issue for issue in issues if issue.kind is Kind.WEEKLY and not issue.reason}
    silent: dict[str, list[dt.date]] = {}
    for issue in issues:
        if issue.reason and issue.kind is Kind.DAILY:
            silent.setdefault(issue.reason, []).append(issue.day)
    weeks = [
        Week(
            [day if day.month == month.month else None for day in days],
            next((weekly[day] for day in days if day in weekly), None),
        )
        for days in calendar.Calendar().monthdatescalendar(month.year, month.month)
    ]
    out = sorted((issue for issue in issues if not issue.reason), key=lambda one: (one.day, one.kind), reverse=True)
    return Calendar(newsletter=newsletter, weeks=weeks, issues=daily, silent=silent, out=out)
