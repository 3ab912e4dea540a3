"""What leaves as quoted-printable or as a header value comes back as it was."""

from __future__ import annotations

import quopri
import re
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.mail import encode
from tests.mail.made import tree

ANY = st.text(st.characters(codec="utf-8"))
AWKWARD = st.text(st.sampled_from("aé😀 .=\tF\n-From "), max_size=400)


def unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(ANY | AWKWARD)
def test_a_text_comes_back(text: str) -> None:
    encoded = encode.quoted_printable(text)
    assert encode.decoded(encoded) == unix(text)
    assert unix(quopri.decodestring(encoded).decode()) == unix(text)


@given(st.lists(ANY | AWKWARD, min_size=1))
def test_texts_that_go_on_can_be_joined(texts: list[str]) -> None:
    encoded = b"".join(encode.quoted_printable(text, goes_on=True) for text in texts)
    assert encode.decoded(encoded) == "".join(unix(text) for text in texts)


@given(ANY | AWKWARD, st.booleans())
def test_every_line_is_fit_for_the_wire(text: str, goes_on: bool) -> None:
    encoded = encode.quoted_printable(text, goes_on=goes_on)
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", encoded)
    for line in encoded.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
        assert not line.endswith(b" ")
        assert not re.search(rb"  |\t", line)
        assert line.isascii()


def test_a_text_of_dots_begins_no_line_with_one() -> None:
    encoded = encode.quoted_printable("." * 500)
    assert not re.search(rb"(?m)^\.", encoded)
    assert encode.decoded(encoded) == "." * 500


def read(value: bytes) -> str:
    return str(make_header(decode_header(value.decode().replace("\r\n", ""))))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs"], include_characters=" "), min_size=1))
def test_header_words_come_back(text: str) -> None:
    text = " ".join(text.split()) or "x"
    value = encode.words(text)
    assert read(value) == text
    assert value.isascii()
    assert all(len(line) <= 76 for line in value.split(b"\r\n"))
    assert all(line.startswith(b" ") for line in value.split(b"\r\n")[1:])


def test_plain_words_stay_readable() -> None:
    assert encode.words("The Quiet Compiler") == b"The Quiet Compiler"


def test_text_that_looks_encoded_is_encoded() -> None:
    assert read(encode.words("=?utf-8?q?evil?=")) == "=?utf-8?q?evil?="


def test_a_phrase_is_quoted_where_it_must_be() -> None:
    assert encode.phrase("Paperround daily") == b"Paperround daily"
    assert encode.phrase('The "day", in papers') == rb'"The \"day\", in papers"'
    assert read(encode.phrase("Zeitung für alle")) == "Zeitung für alle"


LONG = "https://example.org/" + "x" * 480


@pytest.mark.parametrize(
    "html",
    [
        f'<p>See <a href="{LONG}">{LONG}</a>.</p>',
        f"<p>{'y' * 3_000}</p>",
        f"<p>{'&amp;' * 600}</p>",
        f"<p>{'é' * 600}</p>",
        f"<p>{'<b>z</b>' * 300}</p>",
        f"<p><{'b' * 700}>{'x' * 700}</p>",
        "<p>" + "word " * 600 + "</p>",
    ],
)
def test_no_line_of_html_is_longer_than_a_mail_server_takes_and_none_is_broken_where_it_shows(html: str) -> None:
    encoded = encode.references(html)
    assert max(map(len, encoded.split(b"\r\n"))) < 998
    made, meant = tree(encoded.decode()), tree(html)
    assert " ".join(made.text_content().split()) == " ".join(meant.text_content().split())
    assert [a.get("href") for a in made.iter("a")] == [a.get("href") for a in meant.iter("a")]
