"""Never more shares than pay, and none where one more sends nothing sooner."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.shares.how_many import PAYS, START, how_many

LEFT = st.integers(0, 2_000_000)
EACH = st.floats(0, 5_000, allow_nan=False)
RATE = st.one_of(st.just(0.0), st.floats(0.1, 5_000))
ROOM = st.one_of(st.none(), st.integers(0, 2_000_000))
MOST = st.integers(-3, 100)


@pytest.mark.parametrize(
    ("left", "each", "rate", "room", "most", "wanted"),
    [
        (100_000, 1_000.0, 0, None, 8, 3),  # 100 s alone; four bring it in 40
        (10_000, 1_000.0, 0, None, 8, 0),  # done before a share has begun
        (1_000_000, 1_000.0, 0, None, 8, 8),
        (1_000_000, 1_000.0, 900, None, 8, 0),  # the limit is one process's pace
        (1_000_000, 1_000.0, 2_500, None, 8, 2),
        (1_000_000, 1_000.0, 0, 50_000, 8, 0),  # the day's quota is gone within a minute
        (1_000_000, 0.0, 0, None, 8, 0),  # nothing leaves
        (1_000_000, 1_000.0, 0, None, 0, 0),
    ],
)
def test_as_many_as_pay(left: int, each: float, rate: float, room: int | None, most: int, wanted: int) -> None:
    assert how_many(left, each, rate=rate, room=room, most=most) == wanted


@given(LEFT, EACH, RATE, ROOM, MOST)
def test_each_has_enough_to_do_and_no_limit_is_passed_by_more_than_the_last(
    left: int, each: float, rate: float, room: int | None, most: int
) -> None:
    found = how_many(left, each, rate=rate, room=room, most=most)
    assert 0 <= found <= max(most, 0)
    if found:
        to_send = left if room is None else min(left, room)
        assert (to_send / each - START) / (found + 1) >= PAYS
        assert not rate or found <= math.ceil(rate / each) - 1


@given(LEFT, LEFT, EACH, RATE, ROOM, MOST)
def test_fewer_readers_are_never_worth_more_shares(
    one: int, other: int, each: float, rate: float, room: int | None, most: int
) -> None:
    fewer, more = sorted((one, other))
    assert how_many(fewer, each, rate=rate, room=room, most=most) <= how_many(
        more, each, rate=rate, room=room, most=most
    )
