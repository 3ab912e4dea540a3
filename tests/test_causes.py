"""Why a mail was refused, by the server's code and its words."""

from __future__ import annotations

import pytest

from flows.causes import Cause, cause_of


@pytest.mark.parametrize(
    ("code", "status", "words", "cause"),
    [
        (550, None, "no such user", Cause.DEAD),
        (550, None, "<x@y.example>: User unknown in virtual mailbox table", Cause.DEAD),
        (550, None, "unrouteable address", Cause.DEAD),
        (550, None, "mailbox unavailable", Cause.DEAD),
        (550, None, "the account does not exist", Cause.DEAD),
        (550, None, "account disabled", Cause.DEAD),
        (550, None, "sorry (#5.1.1)", Cause.DEAD),
        (450, None, "user unknown", Cause.OTHER),
        (None, None, "Name service error: Host not found, try again", Cause.OTHER),
        (None, None, "virus scanner: no such user, message had 1 attachment", Cause.CONTENT),
        (None, None, "no such user; the message had 1 attachment", Cause.DEAD),
        (550, "5.7.1", "user unknown", Cause.POLICY),
        (550, None, "mailbox unavailable: rejected by SPF", Cause.POLICY),
        (552, None, "requested action aborted", Cause.FULL),
        (552, None, "message size exceeds fixed maximum message size", Cause.SIZE),
        (554, None, "something else entirely", Cause.OTHER),
        (550, "5.1.7", "no such user", Cause.SENDER),
        (None, "4.4.7", "", Cause.REACH),
    ],
)
def test_words_count_where_the_code_says_nothing(code: int, status: str | None, words: str, cause: Cause) -> None:
    assert cause_of(words, code, status) is cause
