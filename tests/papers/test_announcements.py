"""arXiv's calendar: when what was submitted, and the holidays that it keeps."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from flows.papers.announcements import announces, holiday, submitted


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        ("2026-06-15", "2026-06-11T18:00", "2026-06-12T18:00"),  # Monday: Thursday to Friday
        ("2026-06-16", "2026-06-12T18:00", "2026-06-15T18:00"),  # Tuesday: over the weekend
        ("2026-06-17", "2026-06-15T18:00", "2026-06-16T18:00"),
        ("2026-06-19", "2026-06-17T18:00", "2026-06-18T18:00"),
        ("2026-01-14", "2026-01-12T19:00", "2026-01-13T19:00"),  # in winter time
        ("2026-03-10", "2026-03-06T19:00", "2026-03-09T18:00"),  # over the change of the clocks
        ("2025-12-01", "2025-11-26T19:00", "2025-11-28T19:00"),  # Monday after Thanksgiving: Wednesday to Friday
        ("2026-01-21", "2026-01-16T19:00", "2026-01-20T19:00"),  # Wednesday after a holiday on Monday: from Friday on
        ("2025-07-08", "2025-07-03T18:00", "2025-07-07T18:00"),  # Tuesday after a holiday on Friday: from Thursday on
    ],
)
def test_the_interval_follows_the_calendar_of_arxiv(day: str, first: str, last: str) -> None:
    """14:00 in New York is 18:00 or 19:00 GMT."""
    found = [f"{when:%Y-%m-%dT%H:%M}" for when in submitted(dt.date.fromisoformat(day))]
    assert found == [first, last]


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2024-01-16", "Martin Luther King Day"),
        ("2025-01-21", "Martin Luther King Day"),
        ("2024-06-20", "Juneteenth"),
        ("2025-06-20", "Juneteenth"),
        ("2024-07-05", "Independence Day"),
        ("2025-07-07", "Independence Day"),  # a Friday, of which Sunday's announcement would have come
        ("2024-09-03", "Labor Day"),
        ("2025-09-02", "Labor Day"),
        ("2024-11-29", "Thanksgiving Day"),
        ("2025-11-28", "Thanksgiving Day"),
        ("2024-12-26", "Christmas Day"),
        ("2025-01-02", "New Year's Day"),
        ("2026-06-19", ""),
        ("2025-07-04", ""),
        ("2025-09-08", ""),
        ("2025-11-27", ""),
        ("2026-07-05", ""),
    ],
)
def test_the_feed_after_a_holiday_is_missing(day: str, name: str) -> None:
    """As arXiv has kept them in these years."""
    assert holiday(dt.date.fromisoformat(day)) == name


def test_every_moment_is_in_the_interval_of_one_feed() -> None:
    days = [dt.date(2025, 11, 3) + dt.timedelta(days=n) for n in range(200)]
    feeds = [submitted(day) for day in days if announces(day) and not holiday(day)]
    assert all(earlier[1] == later[0] for earlier, later in itertools.pairwise(feeds))
