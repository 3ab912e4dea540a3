"""Until when a source is asked again, on days when the clocks change too."""

from __future__ import annotations

import datetime as dt

import pytest

from flows.editions.deadline import collected_by
from tests import factories


def at(written: str) -> dt.datetime:
    return dt.datetime.fromisoformat(written).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("deadline", "planned", "until"),
    [
        ("1h", "2026-06-09 05:00", "2026-06-09 06:00"),
        ("0m", "2026-06-09 05:00", "2026-06-09 05:00"),
        ("09:30", "2026-06-09 05:00", "2026-06-09 07:30"),
        ("09:30", "2026-06-09 08:00", "2026-06-09 08:00"),  # past already: it is not tomorrow's
        ("09:30", "2026-03-29 00:30", "2026-03-29 07:30"),  # the clocks go forward in between
        ("09:30", "2026-10-25 00:30", "2026-10-25 08:30"),  # and back
        ("2h", "2026-10-25 00:30", "2026-10-25 02:30"),  # a span is a span
    ],
)
def test_a_deadline_is_a_time_of_the_newsletters_day_or_a_span(deadline: str, planned: str, until: str) -> None:
    assert collected_by(factories.newsletter(zone="Europe/Berlin", deadline=deadline), at(planned)) == at(until)
