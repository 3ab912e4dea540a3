from __future__ import annotations

import datetime as dt

import pytest

from flows.editions.deadline import deadline_of, fits, otherwise_of
from tests import factories


@pytest.mark.parametrize(
    ("written", "zone", "asked", "over"),
    [
        ("2h", "UTC", "2026-06-09T07:00+00:00", "2026-06-09T09:00+00:00"),
        ("45m", "UTC", "2026-06-09T07:00+00:00", "2026-06-09T07:45+00:00"),
        ("11:00", "Europe/Berlin", "2026-06-09T07:00+00:00", "2026-06-09T09:00+00:00"),
        # late in the day it is tomorrow's
        ("11:00", "Europe/Berlin", "2026-06-09T09:00+00:00", "2026-06-10T09:00+00:00"),
        # the clocks skip half past two on 29 March, and show it twice on 25 October
        ("2:30", "Europe/Berlin", "2026-03-29T00:00+00:00", "2026-03-29T01:30+00:00"),
        ("2:30", "Europe/Berlin", "2026-10-25T00:00+00:00", "2026-10-25T00:30+00:00"),
    ],
)
def test_the_deadline_is_the_newsletters(written: str, zone: str, asked: str, over: str) -> None:
    newsletter = factories.newsletter(zone=zone, approval="wait", approval_deadline=written)
    assert deadline_of(newsletter, dt.datetime.fromisoformat(asked)) == dt.datetime.fromisoformat(over)


@pytest.mark.parametrize("written", ["", "25:00", "11", "0h", "100h", "2 hours", "11:60", "-2h", "2d"])
def test_what_is_no_deadline_is_not_taken_for_one(written: str) -> None:
    assert not fits(written)


def test_who_waits_holds_and_who_may_object_sends_unless_told_otherwise() -> None:
    assert otherwise_of(factories.newsletter(approval="wait")) == "hold"
    assert otherwise_of(factories.newsletter(approval="veto")) == "send"
    assert otherwise_of(factories.newsletter(approval="wait", approval_otherwise="skip")) == "skip"
