from __future__ import annotations

import datetime as dt

import pytest

PLANNED = dt.datetime(2026, 6, 9, 17, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(("hours", "late"), [(0, False), (11.9, False), (12.1, True), (80, True)])
def test_a_scheduled_run_that_comes_more_than_twelve_hours_late_is_skipped(hours: float, late: bool) -> None:
    from flows.orders import too_late

    words = too_late(PLANNED, PLANNED + dt.timedelta(hours=hours))
    assert bool(words) is late
    assert not late or "2026-06-09 17:00 UTC" in words


def test_a_run_that_a_person_starts_is_never_late() -> None:
    from flows.orders import too_late

    assert too_late(None, PLANNED) == ""
