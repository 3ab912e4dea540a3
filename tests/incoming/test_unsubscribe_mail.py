from __future__ import annotations

from email.header import Header
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.incoming.model import Unsubscription
from flows.incoming.unsubscribe_mail import read
from subscribers.tokens import Purpose, sign, verify

KEY = b"k" * 32
TOKEN = sign(Purpose.UNSUBSCRIBE, 7, KEY)


def message(subject: str, body: str = "") -> bytes:
    return f"From: reader@example.net\r\nSubject: {subject}\r\nTo: x@example.org\r\n\r\n{body}".encode()


@pytest.mark.parametrize(
    "subject",
    [
        f"unsubscribe {TOKEN}",
        f"Re: unsubscribe {TOKEN}",
        f"AW: RE:  UNSUBSCRIBE   {TOKEN} (sent from a telephone)",
        f"Unsubscribe: {TOKEN}",
        f"unsubscribe%20{TOKEN}",
        f"unsubscribe+{TOKEN}",
        f"unsubscribe\r\n {TOKEN}",
        f"unsubscribe\r\n\t{TOKEN}",
        f"[spam?] unsubscribe={TOKEN}",
    ],
)
def test_a_subject_that_unsubscribes_is_understood_however_programs_change_it(subject: str) -> None:
    assert read(message(subject)) == Unsubscription(TOKEN)
    assert read(message(subject).replace(b"\r\n", b"\n")) == Unsubscription(TOKEN)


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "us-ascii"])
@pytest.mark.parametrize("width", [40, 60, 200])
def test_an_encoded_subject_is_understood(charset: str, width: int) -> None:
    words = f"Re: {'ü' if charset != 'us-ascii' else 'u'} unsubscribe {TOKEN}"
    encoded = Header(words, charset, maxlinelen=width, header_name="Subject").encode(linesep="\r\n")
    assert read(message(encoded)) == Unsubscription(TOKEN)
    whole = EmailMessage()
    whole["Subject"] = f"unsubscribe {TOKEN}"
    whole.set_content("bye")
    assert read(whole.as_bytes()) == Unsubscription(TOKEN)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n\r\n",
        message("Out of the office"),
        message("unsubscribe"),
        message(f"unsubscribe {TOKEN}x"),
        message(f"unsubscribe {TOKEN[:-1]}"),
        message(f"resubscribe {TOKEN}"),
        message(TOKEN),
        message("Undelivered Mail", body=f"Subject: unsubscribe {TOKEN}"),
        message("=?nonsense?B?////?= unsubscribe"),
        message("=?utf-8?B?=?="),
    ],
)
def test_what_does_not_unsubscribe_is_not_understood(content: bytes) -> None:
    assert read(content) is None


def test_a_subject_is_found_before_a_content_of_any_length() -> None:
    assert read(message(f"unsubscribe {TOKEN}", body="x" * 1_000_000)) == Unsubscription(TOKEN)


@given(st.binary(), st.binary())
def test_no_bytes_are_too_much_for_it(before: bytes, after: bytes) -> None:
    for content in (before, b"Subject: " + before, before + b"\r\nSubject: unsubscribe " + after):
        found = read(content)
        assert found is None or len(found.token) == 32


@given(
    st.lists(
        st.sampled_from(
            [b"Subject:", b"=?utf-8?B?", b"=?utf-8?q?", b"?=", b"=", b"\r\n", b" ", b"\xff", b"unsubscribe", b"\x00"]
        )
        | st.just(TOKEN.encode())
    )
)
def test_no_pieces_of_a_subject_are_too_much_for_it(pieces: list[bytes]) -> None:
    found = read(b"".join(pieces))
    assert found is None or len(found.token) == 32


@given(st.integers(0, 31), st.sampled_from("ABCXYZabcxyz019-_"))
def test_a_token_that_was_changed_is_nobody_s(at: int, letter: str) -> None:
    changed = TOKEN[:at] + letter + TOKEN[at + 1 :]
    found = read(message(f"unsubscribe {changed}"))
    assert found is not None
    assert (verify(Purpose.UNSUBSCRIBE, found.token, [KEY]) == 7) is (changed == TOKEN)
