"""Rolling windows, over random histories."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flows.turns import DAY, HOUR, MINUTE, SLACK, RollingWindow, WarmUp, grows, openings, opens_at, room

windows = st.builds(RollingWindow, st.integers(1, 200), st.sampled_from([MINUTE, HOUR, DAY]))


@given(windows, st.lists(st.tuples(st.floats(0, 0.3), st.integers(1, 80)), max_size=60))
def test_no_stretch_of_the_window_ever_holds_more_than_its_limit(
    window: RollingWindow, history: list[tuple[float, int]]
) -> None:
    now, left = 1e9, list[float]()
    used: dict[float, int] = {}
    for gap, wanted in history:
        now += gap * window.seconds
        free = room(window, sorted(used.items()), now)
        turns = min(wanted, free)
        began = now // window.step * window.step
        used[began] = used.get(began, 0) + turns
        left += [now] * turns
        for end in left:  # each message may leave some time after its turn
            assert sum(end - window.seconds <= one + SLACK and one <= end for one in left) <= window.count
        if not free:
            after, number = openings(window, sorted(used.items()), now)[0]
            assert room(window, sorted(used.items()), now + after - 0.001) == 0
            assert room(window, sorted(used.items()), now + after) == number


@given(windows, st.lists(st.tuples(st.integers(0, 100), st.integers(1, 50)), min_size=1, max_size=20))
def test_all_that_a_full_window_holds_opens_again(window: RollingWindow, steps: list[tuple[int, int]]) -> None:
    used = sorted({1e6 + n * window.step: count for n, count in steps}.items())
    held = sum(count for _, count in used)
    now = used[-1][0]
    found = openings(RollingWindow(max(held, 1), window.seconds), used, now) if held else ()
    assert sum(number for _, number in found) == sum(c for began, c in used if opens_at(window, began) > now)


def test_a_warm_up_grows_from_its_first_day_and_has_no_end() -> None:
    warm_up = WarmUp(200, 1.5)
    assert [warm_up.allowed(step) for step in range(4)] == [200, 300, 450, 675]
    assert warm_up.allowed(100_000) == warm_up.allowed(200_000)


def test_a_day_counts_that_was_used_and_went_well() -> None:
    assert grows(200, used=200, replies=200, deferred=2)
    assert not grows(200, used=90, replies=90, deferred=0)
    assert not grows(200, used=200, replies=200, deferred=20)
    assert grows(20, used=20, replies=20, deferred=5)
