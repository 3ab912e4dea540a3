from __future__ import annotations

import pytest

from flows.outcomes import Outcome, Stage, Verdict
from flows.sending.pace import COMPLAINTS, SLOWEST, Flow, Limit, Pace, read_limits

BUSY = Outcome(Verdict.DEFERRED, Stage.RCPT, 451, "4.7.1", "try later")
FULL = Outcome(Verdict.DEFERRED, Stage.RCPT, 452, "4.2.2", "full")
TAKEN = Outcome(Verdict.SENT, Stage.CONTENT, 250, "2.0.0", "ok")


def heard(pace: Pace, outcome: Outcome, number: int, start: float, rate: float = 100) -> bool:
    """So many replies at a rate; whether one of them slowed the domain."""
    return sum(pace.heard("example.org", outcome, start + n / rate) for n in range(number)) > 0


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


def test_a_full_mailbox_is_no_complaint() -> None:
    pace = Pace()
    assert not heard(pace, FULL, 100, 0)


def test_however_much_it_complains_a_little_goes_on() -> None:
    pace = Pace()
    for n in range(30):
        heard(pace, BUSY, 20, 10.0 * n, rate=20)
    assert pace.flow("example.org").rate == SLOWEST


def test_limits_are_read_as_they_are_written() -> None:
    assert read_limits("gmail.com = 20/s, 5 connections; Example.org=3 connections") == {
        "gmail.com": Limit(20, 5),
        "example.org": Limit(0, 3),
    }
    for wrong in ("gmail.com", "gmail.com = fast", "gmail.com = 0/s"):
        with pytest.raises(ValueError, match=r"gmail\.com"):
            read_limits(wrong)


def test_turns_that_are_shared_are_taken_as_they_are_granted() -> None:
    asked: list[Flow] = []
    flow = Pace(10, ask=asked.append).all
    assert flow.take(0) is None
    assert flow.wait(0) > 0
    assert asked == [flow]  # once, until it is answered
    flow.grant(3.0, flow.block)
    taken = [flow.take(3.0) for _ in range(flow.block)]
    assert taken == pytest.approx([n / 10 for n in range(flow.block)])
    assert len(asked) == 2
    assert flow.take(3.5) is None


def test_what_was_not_sent_in_time_is_not_made_up_for() -> None:
    flow = Pace(10, ask=lambda _: None).all
    flow.take(0)
    flow.grant(0.0, 5)
    flow.grant(9.9, 5)
    assert flow.wait(10.0) == 0
    assert flow.take(10.0) == 0
    assert flow.wait(10.0) == pytest.approx(0.1)


def test_a_turn_that_was_not_used_is_another_ones() -> None:
    asked: list[Flow] = []
    for flow in (Pace(10).all, Pace(10, ask=asked.append).all):
        if asked or flow.wait(0):
            flow.grant(0.0, 1)
        flow.take(0)
        flow.back(0)
        assert flow.wait(0) == 0
