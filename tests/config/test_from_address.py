from __future__ import annotations

from email import message_from_bytes, policy
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.config.from_address import read_sender
from flows.mail.cards import originator


@pytest.mark.parametrize(
    ("written", "name", "address"),
    [
        ("Paper@Round <digest@example.org>", "Paper@Round", "digest@example.org"),
        ("Digest: today <digest@example.org>", "Digest: today", "digest@example.org"),
        ("Papers, daily <digest@example.org>", "Papers, daily", "digest@example.org"),
        ('"The \\"Round\\"" <digest@example.org>', 'The "Round"', "digest@example.org"),
        ("Fräulein Rund <digest@bücher.example>", "Fräulein Rund", "digest@xn--bcher-kva.example"),
        ("Round <Digest@EXAMPLE.org>", "Round", "Digest@example.org"),
        ("digest@example.org", "", "digest@example.org"),
        ("Paperround <paperround@localhost>", "Paperround", "paperround@localhost"),
    ],
)
def test_what_an_operator_writes_is_what_a_mail_program_reads(written: str, name: str, address: str) -> None:
    header = originator(read_sender(written))
    assert header.isascii()
    (found,) = message_from_bytes(b"From: " + header + b"\r\n\r\n", policy=policy.default)["From"].addresses
    assert (found.display_name, found.addr_spec) == (name, address)


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        ("Paperround", "such as"),
        ("A <a@example.org>, B <b@example.org>", "letters, digits|such as|the domain"),
        ("büro@example.org", "in ASCII"),
        ("a b@example.org", "such as"),
        ("a@exa mple.org", "such as"),
        ("a@-example.org", "which can't be one"),
        ("A\r\nBcc: b@example.org <a@example.org>", "on one line"),
    ],
)
def test_what_no_mail_can_leave_from_is_refused_with_the_remedy(wrong: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        read_sender(wrong)


@given(
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30).filter(lambda one: "<" not in one)
)
def test_a_name_never_changes_the_address(name: str) -> None:
    try:
        kept = read_sender(f"{name} <digest@example.org>")
    except ValueError:
        return
    assert parseaddr(kept)[1] == "digest@example.org"
    assert read_sender(kept) == kept
