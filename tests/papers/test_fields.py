"""Fields that may hold anything."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.papers import fields
from flows.papers.model import paper_id

ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=4)
)


@given(ANYTHING)
def test_no_value_makes_a_field_fail(value: Any) -> None:
    """Every reader gives its own type for whatever comes."""
    assert isinstance(fields.text(value), str)
    assert all(isinstance(item, str) for item in fields.texts(value))
    assert isinstance(fields.link(value), str)
    assert fields.count(value) is None or fields.count(value) == value
    assert fields.moment(value) is None or isinstance(fields.moment(value), dt.datetime)
    assert fields.date(value) is None or isinstance(fields.date(value), dt.date)


@given(st.text())
def test_a_text_can_be_stored_and_printed(value: str) -> None:
    """It has one line, encodes as UTF-8, and reading it again changes nothing."""
    found = fields.text(value)
    assert b"\x00" not in found.encode()
    assert found == fields.text(found) == " ".join(found.split())


def test_a_text_keeps_what_people_write_and_loses_what_nobody_sees() -> None:
    """Emoji and right-to-left letters stay; controls, lone surrogates and direction overrides go."""
    assert fields.text(" שלום\n\t 👩‍🚀\x00\x07 a\ud800b\u202ec \u2028 d ") == "שלום 👩‍🚀 abc d"
    assert fields.texts(["b", 1, "a", " b ", None, ""]) == ("b", "a")


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ("https://lamps.example/a?b=1#c", True),
        ("HTTP://lamps.example:8080", True),
        ("https://lamps.example/ä", True),
        ("javascript:alert(1)", False),
        ("https://", False),
        ("https://a b.example", False),
        ('https://a.example/"onclick="x', False),
        ("https://a.example/<b>", False),
        ("https://real.example@false.example/", False),
        ("https://[::1", False),
        ("https://a.example:99999/", False),
        ("https://a.example/" + "x" * 2000, False),
        ("lamps.example", False),
        (12, False),
    ],
)
def test_a_link_is_a_web_address_or_nothing(value: Any, good: bool) -> None:
    """Only what is safe in an attribute is taken for a link."""
    assert bool(fields.link(value)) is good


@pytest.mark.parametrize("value", [True, -1, 10**12, 1.5, math.nan, "7", None, [1]])
def test_a_count_is_a_plausible_whole_number(value: Any) -> None:
    """Anything else is unknown, which is not 0."""
    assert fields.count(value) is None
    assert fields.count(0) == 0


def test_times_are_read_in_utc_and_absurd_ones_not_at_all() -> None:
    """An offset is applied; a year that cannot be is unknown."""
    assert fields.moment("2026-06-19T01:00:00+02:00") == dt.datetime(2026, 6, 18, 23, tzinfo=dt.UTC)
    assert fields.moment("2026-06-19") == dt.datetime(2026, 6, 19, tzinfo=dt.UTC)
    assert fields.date("2026-06-19T23:59:59.000-12:00") == dt.date(2026, 6, 19)
    assert [fields.moment(text) for text in ("0001-01-01T00:00:00+14:00", "9999-12-31", "soon", 1781740800)] == [
        None
    ] * 4


def test_an_identifier_has_plain_digits() -> None:
    """Digits of other scripts look the same in a log and are another paper in a database."""
    assert paper_id(" arXiv:2606.10651v3 ") == "2606.10651"
    assert paper_id("astro-ph/0601001v1") == "astro-ph/0601001"
    for bad in ("٢٦٠٦.١٠٦٥١", "", "2606.1", "https://arxiv.org/abs/2606.10651", "2606.10651 x"):
        with pytest.raises(ValueError, match="not an arXiv identifier"):
            paper_id(bad)
