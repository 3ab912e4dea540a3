from __future__ import annotations

import pytest

from flows.sending.limits import NONE, Limit, read_limits, read_rate, read_warm_up
from flows.turns import HOUR, RollingWindow, WarmUp


def test_limits_are_read_as_they_are_written() -> None:
    assert read_limits("gmail.com = 20/s, 5 connections, 2000/hour; Example.org=3 connections") == {
        "gmail.com": Limit(20, 5, (RollingWindow(2000, 3600),)),
        "example.org": Limit(0, 3),
    }
    assert read_rate("14/s, 50000/day") == Limit(14, 0, (RollingWindow(50_000, 86_400),))
    assert read_rate("100/minute,1000/h") == Limit(0, 0, (RollingWindow(100, 60), RollingWindow(1000, 3600)))
    assert read_rate("0.8") == read_rate("0.8/s") == read_rate(".8") == Limit(0.8)
    assert read_rate("0") == read_rate("") == Limit()
    assert read_warm_up("200/day x1.5") == WarmUp(200, 1.5)
    assert read_warm_up(" ") is None


@pytest.mark.parametrize(
    "wrong",
    [
        *("gmail.com", "gmail.com = fast", "gmail.com = 0/s", "gmail.com = 0/day", "gmail.com = 2/s, 3/s", "= 2/s"),
        *("gmail.com = ", "gmail.com = 1.5/hour", "gmail.com = 2/s; gmail.com = 3/s", "gmail.com = 5/week"),
    ],
)
def test_a_limit_that_says_nothing_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"gmail|has '= 2/s'"):
        read_limits(wrong)


@pytest.mark.parametrize("wrong", ["fast", "14/s; 2/s", "14/s, 5 connections", "-1", "nan", "1/day, 2/d", "14/s,"])
def test_a_rate_that_says_nothing_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"14/s, 50000/day|leave one out"):
        read_rate(wrong)


@pytest.mark.parametrize("wrong", ["200/day", "200 x1.5", "0/day x2", "200/day x1", "200/day x9"])
def test_a_warm_up_that_does_not_warm_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="should"):
        read_warm_up(wrong)


def test_processes_that_share_a_delivery_divide_the_connections_and_have_turns_in_common() -> None:
    limit = Limit(rate=20, connections=5, windows=(RollingWindow(2000, HOUR),))
    assert limit.divided(2) == Limit(rate=20, connections=2, windows=limit.windows)
    assert limit.divided(9).connections == 1  # one process at least must get on
    assert NONE.divided(3) == NONE
