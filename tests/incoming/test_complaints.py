"""Complaints of readers' providers, with the recipient and without."""

from __future__ import annotations

from flows.incoming.model import Event, Passing
from flows.incoming.recognise import read
from tests.incoming.bounces import ADA, HEADERS, MESSAGE_ID


def arf(fields: str, enclosed: str = HEADERS) -> bytes:
    return (
        "From: feedback@provider.example\nTo: bounces@example.org\nSubject: complaint\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nA reader has complained.\n\n"
        f"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\n{fields}\n"
        f"--b\nContent-Type: message/rfc822\n\n{enclosed}\nbody\n--b--\n"
    ).encode()


def test_a_complaint_is_understood_with_the_recipient_and_without() -> None:
    token = "a" * 40
    with_one = read(arf(f"Original-Rcpt-To: <{ADA}>\nOriginal-Mail-From: <bounces+{token}@example.org>\n"))
    assert isinstance(with_one, list)
    assert (with_one[0].event, with_one[0].address) == (Event.COMPLAINED, ADA)
    assert with_one[0].evidence.tokens == (token,)
    without = read(arf("Original-Rcpt-To: redacted@provider.example\n"))
    assert isinstance(without, list)
    assert (without[0].event, without[0].address) == (Event.COMPLAINED, "")
    assert without[0].evidence.unsubscribes == ("A" * 32,)
    assert without[0].evidence.message_ids == (MESSAGE_ID,)


def test_what_is_no_complaint_is_passed_over_and_an_opt_out_ends_the_subscription() -> None:
    assert read(arf("").replace(b"Feedback-Type: abuse", b"Feedback-Type: not-spam")) == Passing("not-spam")
    left = read(arf("").replace(b"Feedback-Type: abuse", b"Feedback-Type: opt-out"))
    assert isinstance(left, list)
    assert left[0].event is Event.UNSUBSCRIBED


def test_a_complaint_in_microsofts_form_is_understood() -> None:
    enclosed = f"X-HmXmrOriginalRecipient: {ADA}\n{HEADERS}"
    content = (
        "From: staff@provider.example\nSubject: complaint about message\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: message/rfc822\n\n{enclosed}\nx\n--b--\n'
    )
    found = read(content.encode())
    assert isinstance(found, list)
    assert (found[0].event, found[0].address) == (Event.COMPLAINED, ADA)
