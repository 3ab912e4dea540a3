from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.outcomes import Stage, Verdict, read_reply


@pytest.mark.parametrize(
    ("stage", "code", "text", "verdict"),
    [
        (Stage.CONTENT, 250, "2.0.0 taken", Verdict.SENT),
        (Stage.RCPT, 550, "5.1.1 no such user", Verdict.REJECTED),
        (Stage.RCPT, 552, "5.2.2 mailbox full", Verdict.REJECTED),
        (Stage.RCPT, 452, "4.2.2 mailbox full", Verdict.DEFERRED),
        (Stage.RCPT, 451, "4.7.1 greylisted", Verdict.DEFERRED),
        (Stage.RCPT, 421, "4.3.2 going down", Verdict.DEFERRED),
        (Stage.DATA, 554, "5.5.1 no valid recipients", Verdict.REJECTED),
        (Stage.CONTENT, 554, "5.7.1 looks like spam", Verdict.REJECTED),
        (Stage.CONTENT, 552, "5.3.4 too big", Verdict.REJECTED),
        (Stage.CONTENT, 421, "4.3.2 going down", Verdict.DEFERRED),
    ],
)
def test_a_reply_to_a_reader_is_about_the_reader(stage: Stage, code: int, text: str, verdict: Verdict) -> None:
    outcome = read_reply(stage, code, text)
    assert outcome.verdict is verdict
    assert (outcome.code, outcome.status) == (code, text.split(maxsplit=1)[0])


@pytest.mark.parametrize(
    ("stage", "code", "text"),
    [
        (Stage.MAIL, 553, "5.7.1 you are not who you say"),
        (Stage.MAIL, 530, "5.7.0 log in first"),
        (Stage.RCPT, 530, "5.7.0 log in first"),
        (Stage.RCPT, 550, "5.1.8 the sender's domain does not exist"),
        (Stage.CONTENT, 554, "5.1.7 bad sender"),
        (Stage.MAIL, 421, "4.7.0 enough for one connection"),
        (Stage.MAIL, 451, "4.3.0 try again"),
        (Stage.CONNECT, 421, "too many of you"),
    ],
)
def test_a_refused_sender_or_connection_costs_no_reader_anything(stage: Stage, code: int, text: str) -> None:
    assert read_reply(stage, code, text).verdict is Verdict.UNSENT


@pytest.mark.parametrize(("stage", "code"), [(Stage.RCPT, 503), (Stage.DATA, 503), (Stage.DATA, 250), (Stage.RCPT, -1)])
def test_a_conversation_gone_wrong_rejects_nobody(stage: Stage, code: int) -> None:
    assert read_reply(stage, code, "what?").verdict is Verdict.DEFERRED


def test_nonsense_after_the_content_leaves_it_open_whether_the_message_was_taken() -> None:
    assert read_reply(Stage.CONTENT, -1, "garbage").verdict is Verdict.UNCERTAIN
    assert read_reply(Stage.CONTENT, 354, "go on").verdict is Verdict.UNCERTAIN


@given(st.sampled_from(list(Stage)), st.integers(-1, 999), st.binary(max_size=700))
def test_the_servers_words_can_always_be_kept(stage: Stage, code: int, said: bytes) -> None:
    """They may be in any encoding, hold NUL, which PostgreSQL keeps nowhere, and go on for pages."""
    text = read_reply(stage, code, said.decode(errors="surrogateescape")).text
    text.encode()
    assert len(text) <= 500
    assert not any(character < " " for character in text)
