"""Bounces that keep to no standard: told by who sends them, read up to where they return our mail."""

from __future__ import annotations

from email.message import Message
from email.parser import BytesParser
from typing import Any

import pytest

from flows.causes import Cause
from flows.incoming.evidence import evidence_of
from flows.incoming.model import Evidence, Report
from flows.incoming.other_bounces import is_bounce, read


def message(text: str, sender: str = "MAILER-DAEMON@mx.example", subject: str = "failure notice") -> Message[Any, Any]:
    return BytesParser().parsebytes(f"From: {sender}\nSubject: {subject}\n\n{text}".encode())


@pytest.mark.parametrize(
    ("sender", "subject", "bounce"),
    [
        ("Mail Delivery System <x@mx.example>", "hello", True),
        ("postmaster@mx.example", "hello", True),
        ("x@mx.example", "Undeliverable: 12 papers", True),
        ("x@mx.example", "Unzustellbar: 12 papers", True),
        ("ada@reader.example", "Re: 12 papers", False),
    ],
)
def test_a_mail_server_is_told_from_a_person(sender: str, subject: str, bounce: bool) -> None:
    assert is_bounce(message("x", sender, subject)) is bounce


def test_what_it_says_of_the_address_counts_and_not_what_it_returns() -> None:
    text = (
        "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message.\n\n"
        "<ada@reader.example>:\nmailbox is full\n\n--- Below this line is a copy of the message.\n\n"
        "Subject: no such user: a study\n"
    )
    found = read(message(text), Evidence())
    assert isinstance(found, list)
    assert [(one.address, one.cause) for one in found] == [("ada@reader.example", Cause.FULL)]
    assert "study" not in found[0].words


def test_without_an_address_it_counts_where_it_repeats_our_mail_and_says_why() -> None:
    text = f"The account does not exist.\n\nReturn-Path: <bounces+{'a' * 40}@example.org>\n"
    evidence = evidence_of(f"x\n\n{text}".encode())
    found = read(message(text, subject="returned"), evidence)
    assert isinstance(found, list)
    (report,) = found
    assert isinstance(report, Report)
    assert (report.address, report.cause, report.evidence) == ("", Cause.DEAD, evidence)
    assert read(message(text, subject="returned"), Evidence()) is None
    assert read(message("Something went wrong."), evidence) is None
