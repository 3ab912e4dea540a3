from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.incoming.model import Event, Passing, Report, Unknown, Unsubscription
from flows.incoming.recognise import read
from subscribers.tokens import Purpose, sign
from tests.incoming.bounces import BOUNCES, MESSAGE_ID, Bounce, plain


def test_there_are_fifty_of_them_and_no_two_alike() -> None:
    assert len({one.content for one in BOUNCES}) == len({one.name for one in BOUNCES}) == len(BOUNCES) >= 50


@pytest.mark.parametrize("bounce", BOUNCES, ids=lambda one: one.name)
def test_a_bounce_is_read_as_what_it_is(bounce: Bounce) -> None:
    found = read(bounce.content)
    if bounce.passing:
        assert found == Passing(bounce.passing)
        return
    assert isinstance(found, list), found
    (report,) = found
    assert (report.event, report.address) == (Event.FAILED, bounce.address)
    assert (report.cause, report.code) == (bounce.cause, bounce.code), report
    assert report.status == bounce.status
    assert report.words
    assert report.evidence.message_ids == (MESSAGE_ID,)


def test_a_bounce_without_an_address_says_why_it_is_left() -> None:
    content = b"From: MAILER-DAEMON@x.example\nSubject: failure notice\n\nSomething went wrong.\n"
    found = read(content)
    assert isinstance(found, Unknown)
    assert "names no address" in found.reason


def test_who_unsubscribes_by_mail_is_heard_before_all_else() -> None:
    token = sign(Purpose.UNSUBSCRIBE, 7, b"k" * 32)
    content = plain("no such user", subject=f"unsubscribe {token}")
    assert read(content) == Unsubscription(token)


# --- hostile


@given(st.binary(max_size=400))
def test_any_bytes_are_read(content: bytes) -> None:
    assert read(content) is not None


@given(st.sampled_from([one.content for one in BOUNCES]), st.data())
def test_a_report_with_anything_in_it_is_read(content: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(content)))
    junk = data.draw(st.binary(max_size=60))
    found = read(content[:at] + junk + content[at + data.draw(st.integers(0, 40)) :])
    if isinstance(found, list):
        assert all(isinstance(one, Report) and len(one.words) <= 500 and len(one.address) <= 320 for one in found)
