from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.policy import due
from subscribers.zones import LINKS, clock, known, nearest

FROZEN = dt.datetime(2026, 6, 9, 5, 0, tzinfo=dt.UTC)


def test_a_name_that_was_dropped_keeps_its_time() -> None:
    assert known("US/Pacific-New") == "America/Los_Angeles"
    assert due(FROZEN, 7, "US/Pacific-New") == due(FROZEN, 7, "America/Los_Angeles")


def test_every_link_leads_to_a_zone_or_to_one_that_has_another_name() -> None:
    names = available_timezones()
    assert [old for old, new in LINKS.items() if not {old, new} & names] == []


def test_a_name_that_nobody_knows_falls_back_to_the_newsletters_zone() -> None:
    assert known("Mars/Phobos") == ""
    assert due(FROZEN, 9, "Mars/Phobos", None, "Asia/Tokyo") == due(FROZEN, 9, "Asia/Tokyo")
    assert clock("Mars/Phobos", "Mars/Deimos") == ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("Europe/Berlinn", "Europe/Berlin"),
        ("Asia/Hongkong", "Asia/Hong_Kong"),
        ("Mars/Phobos", "Asia/Tokyo"),
        ("", "Asia/Tokyo"),
    ],
)
def test_the_nearest_is_offered(name: str, offered: str) -> None:
    assert nearest(name, "Asia/Tokyo") == offered


@given(st.text(max_size=80))
def test_no_name_of_a_zone_stops_anybody(name: str) -> None:
    assert FROZEN.astimezone(clock(name)).date()
    assert nearest(name) in {*available_timezones(), "UTC"}
