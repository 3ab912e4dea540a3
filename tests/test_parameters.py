from __future__ import annotations

import datetime as dt

import pytest

from flows.editions.model import Kind

PLANNED = dt.datetime(2026, 6, 9, 17, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("kind", "hours", "late"),
    [
        (Kind.DAILY, 0, False),
        (Kind.DAILY, 11.9, False),
        (Kind.DAILY, 12.1, True),
        (Kind.DAILY, 80, True),
        (Kind.WEEKLY, 71.9, False),
        (Kind.WEEKLY, 72.1, True),
    ],
)
def test_a_scheduled_run_that_comes_too_late_for_its_kind_is_skipped(kind: Kind, hours: float, late: bool) -> None:
    from flows.parameters import too_late

    words = too_late(kind, PLANNED, PLANNED + dt.timedelta(hours=hours))
    assert bool(words) is late
    assert not late or "2026-06-09 17:00 UTC" in words


def test_a_run_that_a_person_starts_is_never_late() -> None:
    from flows.parameters import too_late

    assert too_late(Kind.DAILY, None, PLANNED) == ""
