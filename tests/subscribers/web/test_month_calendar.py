"""A month of editions as calendars."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from flows.editions.model import Kind
from flows.storage.archive import Issue
from subscribers.web.month_calendar import calendars, last_day, parse_month
from tests.factories import newsletter

JUNE = dt.date(2026, 6, 1)


def issue(day: int, **given: Any) -> Issue:
    noon = dt.datetime(2026, 6, day, 12, tzinfo=dt.UTC)
    usual: dict[str, Any] = {"newsletter": "daily", "kind": Kind.DAILY, "day": noon.date(), "at": noon}
    return Issue(**(usual | given))


def test_each_week_begins_on_monday_and_holds_no_day_of_another_month() -> None:
    (made,) = calendars([newsletter()], [issue(9)], JUNE)
    assert [len(week.days) for week in made.weeks] == [7] * 5
    assert made.weeks[0].days[0] == JUNE  # a Monday
    assert made.weeks[-1].days == [JUNE.replace(day=29), JUNE.replace(day=30), *[None] * 5]
    assert list(made.issues) == [JUNE.replace(day=9)]
    assert not made.has_weekly


def test_a_weekly_edition_stands_in_its_week_and_days_without_one_go_by_reason() -> None:
    silent = [issue(day, reason="arXiv announces nothing at weekends") for day in (6, 7)]
    weekly = issue(13, kind=Kind.WEEKLY)
    (made,) = calendars([newsletter()], [issue(9), weekly, *silent], JUNE)
    assert [week.weekly for week in made.weeks] == [None, weekly, None, None, None]
    assert made.out == [weekly, issue(9)]
    assert made.silent == {"arXiv announces nothing at weekends": [JUNE.replace(day=6), JUNE.replace(day=7)]}


def test_the_newest_comes_first_and_what_had_nothing_but_reasons_is_left_out() -> None:
    listed = [newsletter(slug=slug) for slug in ("old", "new", "none")]
    issues = [issue(2, newsletter="old"), issue(9, newsletter="new"), issue(9, newsletter="none", reason="no papers")]
    assert [made.newsletter.slug for made in calendars(listed, issues, JUNE)] == ["new", "old"]


@pytest.mark.parametrize("written", ["2026-13", "2026-6", "June", "", "2026-06-01", "２０２６-06"])
def test_a_month_is_written_in_one_way(written: str) -> None:
    assert parse_month("2026-06") == JUNE
    assert parse_month(written) is None


def test_a_leap_year_has_its_day() -> None:
    assert last_day(dt.date(2028, 2, 1)) == dt.date(2028, 2, 29)
