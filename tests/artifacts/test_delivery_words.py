"""What an operator reads about a delivery: while it goes on, and at its end."""

from __future__ import annotations

import datetime as dt

from flows.artifacts.delivery_words import Look, going_on, rate, report, sentence
from flows.delivery.run import Delivered
from subscribers.ledger.report import DomainStates, ServerAnswers, Summary
from subscribers.model import DeliveryState

SENT, PENDING, DEFERRED, REJECTED = (
    DeliveryState.SENT,
    DeliveryState.PENDING,
    DeliveryState.DEFERRED,
    DeliveryState.REJECTED,
)


def looks(*sent: int, every: float = 4.0, of: int = 1000, later: int = 0) -> list[Look]:
    return [
        Look(seconds=every * n, counts={SENT: one, PENDING: of - one}, due=of - one - later)
        for n, one in enumerate(sent)
    ]


def test_a_rate_is_that_of_the_last_minute() -> None:
    assert rate(looks(0, 400)) == 100
    slow = looks(0, *([400] * 20))
    assert rate(slow) == 0
    assert rate([]) == 0
    assert rate(looks(5)) == 0


def test_one_line_says_how_many_how_fast_and_how_much_longer() -> None:
    assert sentence(looks(0, 400)) == "400 of 1,000 sent, 100 a second, about 6 seconds left"
    assert sentence(looks(0, 2, of=100_000)) == "2 of 100,000 sent, 0.5 a second, about 56 hours left"
    assert sentence(looks(0, 40, of=10_000, later=4000)) == "40 of 10,000 sent, 10 a second, about 10 minutes left"
    assert sentence(looks(0)) == "0 of 1,000 sent"


def test_what_is_not_due_yet_is_told_apart_and_what_was_said_is_no_markup() -> None:
    at = dt.datetime(2026, 6, 9, 7, 30, tzinfo=dt.UTC)
    words = going_on(looks(0, 400, later=100), "waits for <b>gmail.com</b>", at)
    assert "**It goes on:** 400 of 1,000 sent" in words
    assert "07:30:00 UTC" in words
    assert "100 of them later" in words
    assert "| pending | 600 |" in words
    assert r"\<b>gmail.com\</b>" in words


def test_done_is_what_is_final() -> None:
    assert looks(250)[0].done == 25
    assert Look(seconds=0, counts={}).done == 100
    assert Look(seconds=0, counts={SENT: 1, REJECTED: 1, DEFERRED: 2}).done == 50


def test_a_report_says_who_did_not_get_it_and_the_remedy() -> None:
    counts = {SENT: 900, DEFERRED: 60, REJECTED: 40}
    many = [(f"450 4.{n} later | <i>", 3) for n in range(12)]
    answers = {
        DEFERRED: ServerAnswers(frequent=many, others=24),
        REJECTED: ServerAnswers(frequent=[("550 5.1.1 no such user", 40)]),
    }
    words = report(
        Delivered(counts=counts, reasons={}, halted="The server is away.", remedy="Mend it.", limited="5 wait."),
        Summary(counts=counts, answers=answers, held=0),
        [DomainStates(name="example.org", counts={SENT: 900, DEFERRED: 100})],
        "",
        "https://news.example.org/report/daily/2026-06-09",
    )
    lines = words.splitlines()
    assert lines[0] == "**Stopped:** The server is away."
    assert "Mend it." in lines
    assert "5 wait." in lines
    assert lines.index("| sent | 900 |") < lines.index("| deferred | 60 |") < lines.index("| rejected | 40 |")
    assert "| 40 | rejected | 550 5.1.1 no such user |" in lines
    told = [line for line in lines if "4." in line]
    assert len(told) == 9
    assert r"\| \<i>" in told[0]
    assert "| 33 | | other words |" in lines
    assert "| domain | sent | deferred |" in lines
    assert "| example.org | 900 | 100 |" in lines
    assert lines[-1] == "[Who got it](https://news.example.org/report/daily/2026-06-09)"


def test_who_stopped_it_is_told_and_nobody_is_an_answer_too() -> None:
    empty = Summary(counts={}, answers={}, held=0)
    words = report(Delivered(counts={}, reasons={}), empty, [], "", "https://x.example/r", stopped=True)
    assert words.startswith("**Stopped** between two messages, by its operator")
    assert "Nobody is subscribed." in words
    assert "Who did not get it" not in words
