from __future__ import annotations

import pytest

from flows.outcomes import Outcome, Stage, Verdict
from flows.sending.limits import Limit
from flows.sending.pace import COMPLAINTS, LARGE, SLOWEST, Flow, Pace
from flows.turns import DAY, HOUR, Granted, RollingWindow, WarmUp

BUSY, TAKEN = True, False
OK = Outcome(Verdict.SENT, Stage.CONTENT, 250, "2.0.0", "ok")


def heard(pace: Pace, complaint: bool, number: int, start: float, rate: float = 100) -> bool:
    """So many replies at a rate; whether one of them slowed the domain."""
    flow = pace.flow("example.org")
    return sum(flow.heard(start + n / rate, complaint=complaint) for n in range(number)) > 0


def test_one_greylisted_reader_slows_nobody() -> None:
    pace = Pace()
    heard(pace, TAKEN, 50, 0)
    assert not heard(pace, BUSY, COMPLAINTS, 1)
    assert pace.flow("example.org").take(2) == 0


def test_a_domain_that_complains_gets_half_and_by_and_by_all_again() -> None:
    pace = Pace()
    heard(pace, TAKEN, 90, 0)
    assert heard(pace, BUSY, 10, 0.9)
    flow = pace.flow("example.org")
    slowed = flow.rate
    assert 40 < slowed < 60
    assert pace.flow("example.net").rate == 0
    for n in range(1, 20):
        flow.take(20.0 * n)
    assert flow.rate == 0


def test_however_much_it_complains_a_little_goes_on() -> None:
    pace = Pace()
    for n in range(30):
        heard(pace, BUSY, 20, 10.0 * n, rate=20)
    assert pace.flow("example.org").rate == SLOWEST


def test_turns_that_are_shared_are_taken_as_they_are_granted() -> None:
    asked: list[Flow] = []
    flow = Pace(10, ask=asked.append).all
    assert flow.take(0) is None
    assert flow.wait(0) > 0
    assert asked == [flow]  # once, until it is answered
    flow.grant(0.0, Granted(flow.block, 3.0))
    taken = [flow.take(3.0) for _ in range(flow.block)]
    assert taken == pytest.approx([n / 10 for n in range(flow.block)])
    assert len(asked) == 2
    assert flow.take(3.5) is None


def test_what_was_not_sent_in_time_is_not_made_up_for() -> None:
    flow = Pace(10, ask=lambda _: None).all
    flow.take(0)
    flow.grant(0.0, Granted(5))
    flow.grant(9.9, Granted(5))
    assert flow.wait(10.0) == 0
    assert flow.take(10.0) == 0
    assert flow.wait(10.0) == pytest.approx(0.1)


def test_a_turn_that_was_not_used_is_another_ones() -> None:
    asked: list[Flow] = []
    for flow in (Pace(10).all, Pace(10, ask=asked.append).all):
        if asked or flow.wait(0):
            flow.grant(0.0, Granted(1))
        flow.take(0)
        flow.back(0)
        assert flow.wait(0) == 0


def test_a_full_window_closes_until_it_opens_and_what_goes_back_is_spread_over_its_openings() -> None:
    asked: list[Flow] = []
    flow = Pace(limits={"example.org": Limit(windows=(RollingWindow(100, HOUR),))}, ask=asked.append).flow(
        "example.org"
    )
    assert flow.take(0) is None
    flow.grant(0.0, Granted(1))
    assert flow.take(0) == 0
    flow.grant(0.0, Granted(0, openings=((60.0, 2), (120.0, 1)), limit="100/hour"))
    assert flow.take(1) is None
    assert flow.wait(1) == flow.closed(1) == 59
    assert [flow.book(10.0) for _ in range(5)] == [50, 50, 110, 50 + HOUR, 50 + HOUR]
    assert len(asked) == 2  # it is not asked again while it is closed
    assert flow.take(60) is None
    assert len(asked) == 3


def test_turns_of_a_window_that_were_not_used_are_told_of() -> None:
    flow = Pace(Limit(windows=(RollingWindow(400, DAY),)), ask=lambda _: None).all
    flow.take(0)
    flow.grant(0.0, Granted(20))
    flow.take(0.5)
    assert flow.take(5) is None  # they have expired
    assert (told := flow.asked()).unused == 19
    assert told.turns == 20
    flow.grant(5.0, Granted(20))
    flow.take(5)
    assert (last := flow.unsaid()) is not None
    assert (last.turns, last.unused) == (0, 19)
    assert flow.unsaid() is None


def test_a_domain_is_warmed_up_by_itself_once_it_is_seen_to_be_a_large_one() -> None:
    asked: list[Flow] = []
    pace = Pace(ask=asked.append, warm_up=WarmUp(200, 1.5))
    flow = pace.flow("example.org")
    for _ in range(LARGE):
        assert flow.take(0) == 0
        pace.replied("example.org", OK)
    assert flow.take(0) is None
    assert asked == [flow]
    told = flow.asked()
    assert (told.taken, told.replies, told.deferred) == (LARGE, LARGE, 0)
    assert flow.asked().taken == 0


def test_greylisting_does_not_hold_a_warm_up() -> None:
    pace = Pace(ask=lambda _: None, warm_up=WarmUp(200, 1.5))
    grey = Outcome(Verdict.DEFERRED, Stage.RCPT, 451, "4.7.1", "Greylisted, come back")
    busy = Outcome(Verdict.DEFERRED, Stage.RCPT, 451, "4.7.1", "try later")
    for outcome in (grey, grey, busy):
        pace.replied("example.org", outcome)
    told = pace.all.asked()
    assert (told.replies, told.deferred) == (3, 1)
