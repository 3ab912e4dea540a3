"""Delivery reports as the standards write them."""

from __future__ import annotations

from flows.causes import Cause
from flows.incoming.recognise import read
from tests.incoming.bounces import dsn


def test_a_report_tells_of_each_recipient() -> None:
    fields = (
        "Final-Recipient: rfc822; a@reader.example\nAction: failed\nStatus: 5.1.1\n\n"
        "Final-Recipient: rfc822; b@reader.example\nAction: delayed\nStatus: 4.4.1\n\n"
        "Final-Recipient: rfc822; c@reader.example\nAction: failed\nStatus: 5.2.2"
    )
    found = read(dsn(fields))
    assert isinstance(found, list)
    assert [(one.address, one.cause) for one in found] == [
        ("a@reader.example", Cause.DEAD),
        ("c@reader.example", Cause.FULL),
    ]


def test_a_report_that_is_all_report_is_read_in_bounded_time() -> None:
    many = "\n\n".join(
        f"Final-Recipient: rfc822; r{n}@reader.example\nAction: failed\nStatus: 5.1.1" for n in range(3000)
    )
    found = read(dsn(many))
    assert isinstance(found, list)
    assert len(found) == 50
    assert read(b"From: MAILER-DAEMON\n\n" + b"mailbox " * 30_000)
    assert read(b"From: MAILER-DAEMON\n\n" + b"\n" * 250_000)
    assert read(b"From: MAILER-DAEMON\nSubject: " + b"=?utf-8?q?" * 9_000)
