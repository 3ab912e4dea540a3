"""The URL of a mail server that no transport takes is told in a sentence, without its password."""

from __future__ import annotations

import pytest

from flows.outcomes import Problem
from flows.sending.transports import transport


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "PAPERROUND_MAIL_URL is not set"),
        ("mail.example.org", "names no scheme: use one of maildir://, smtp"),
        ("http://mail.example.org", "begins with 'http'"),
        ("smtp://", "needs a host"),
        ("smtp://:25", "needs a host"),
        ("smtp://mail.example.org:mail", "needs a host and a port"),
        ("smtp://mail.example.org:99999", "needs a host and a port"),
        ("smtp://me:p#ss@mail.example.org", "# as %23"),
        ("smtp://me:p/ss@mail.example.org", "/ as %2F"),
        ("smtp://mail.example.org/inbox", "nothing after them"),
        ("smtp://[::1", "is no URL"),
        ("maildir://outbox", "a folder from the root"),
        ("maildir:outbox", "a folder from the root"),
    ],
)
def test_a_bad_url_is_a_sentence(url: str, words: str) -> None:
    with pytest.raises(Problem) as told:
        transport(url)
    assert words in str(told.value)
    assert "PAPERROUND_MAIL_URL" in str(told.value)
    assert "ss@" not in str(told.value)
