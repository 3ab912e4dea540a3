"""What a subject names, and what is said of papers left out: in words, on the wire and in HTML alike."""

from __future__ import annotations

import html
from email.header import decode_header, make_header

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.mail import offer
from flows.mail.encode import decoded
from flows.mail.language import words_of
from tests import factories

GERMAN = words_of(factories.phrases(language="de"))
LONG = "A Title of Forty Characters and No Less"


def words(field: bytes) -> str:
    """What a mail program shows of a Subject field."""
    return str(make_header(decode_header(field.decode().replace("\r\n", "").removeprefix("Subject: "))))


@pytest.mark.parametrize(
    ("names", "papers", "said"),
    [
        (("PhiZero",), 1, "PhiZero · 31 July"),
        (("PhiZero", "Metis", "AskChem"), 3, "PhiZero, Metis and AskChem · 31 July"),
        (("PhiZero", LONG, "AskChem"), 24, "PhiZero, AskChem and 22 more · 31 July"),
        ((LONG * 3, "Metis"), 2, f"{LONG * 3} and 1 more · 31 July"),
        (("x" * 30, "y" * 30, "z"), 3, f"{'x' * 30}, {'y' * 30} and 1 more · 31 July"),
        (("x" * 30, "y" * 30, "zz"), 3, f"{'x' * 30}, {'y' * 30} and 1 more · 31 July"),
        (("=?utf-8?q?x?=",), 1, "=?utf-8?q?x?= · 31 July"),
    ],
)
def test_a_subject_names_what_has_room_and_counts_the_rest(names: tuple[str, ...], papers: int, said: str) -> None:
    field, title = offer.subject(names, papers, "31 July")
    assert words(field) == said
    assert html.unescape(title.decode()) == said


@settings(max_examples=40)
@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1), min_size=1, max_size=3))
def test_a_subject_is_one_field_of_short_ascii_lines(names: list[str]) -> None:
    field, title = offer.subject(tuple(names), len(names), "9 June")
    assert field.isascii()
    assert all(len(line) <= 85 for line in field.split(b"\r\n"))
    assert all(line.startswith(b" ") for line in field.split(b"\r\n")[1:])
    assert words(field) == html.unescape(title.decode())
    assert not {b"<", b'"'} & {bytes([c]) for c in title}


@pytest.mark.parametrize(
    ("words_", "raw"),
    [
        ("Read  this\r\nBcc: x@example.org", b"Subject: Read this Bcc: x@example.org"),
        ("x" * 62, b"Subject: " + b"x" * 62),
        ("=?utf-8?q?no?=", None),
        ("Größe", None),
    ],
)
def test_an_operators_subject_is_as_they_wrote_it_on_one_line(words_: str, raw: bytes | None) -> None:
    field, title = offer.given(words_)
    assert words(field) == " ".join(words_.split())
    assert html.unescape(title.decode()) == " ".join(words_.split())
    assert (field == raw) if raw else b"=?utf-8?" in field
    assert offer.given("<b> & co")[1] == b"&lt;b&gt; &amp; co"


@pytest.mark.parametrize(("count", "said"), [(0, "0 papers"), (1, "1 paper"), (1200, "1200 papers")])
def test_a_count_has_the_form_of_its_number(count: int, said: str) -> None:
    assert offer.counted("{count} paper", "{count} papers", count) == (said.encode(), said.encode())


def test_a_count_in_other_letters_is_encoded_for_the_middle_of_a_line() -> None:
    made = offer.counted("{count} <é>", "{count} és", 1)
    assert made.html == b"1 &lt;&#233;&gt;"
    assert made.text.endswith(b"=\r\n")
    assert decoded(made.text) == "1 <é>"


@pytest.mark.parametrize(
    ("topics", "chosen", "said"),
    [
        ((("Agents", 4),), True, "24 of 28 here, as you chose. On the web: 4 more on Agents."),
        ((("Code", 1), ("Agents", 4)), False, "24 of 29 here. On the web: 4 more on Agents and 1 more on Code."),
        (
            (("A", 1), ("B", 9), ("C", 5), ("D", 4)),
            False,
            "24 of 43 here. On the web: 9 more on B, 5 more on C and 5 on other topics.",
        ),
    ],
)
def test_what_is_left_out_is_named_by_its_largest_topics(
    topics: tuple[tuple[str, int], ...], chosen: bool, said: str
) -> None:
    made = offer.left_out(topics, 24, chosen=chosen)
    assert html.unescape(made.html.decode()) == said
    assert " ".join(decoded(made.text).split()) == said
    assert max(map(len, decoded(made.text).split("\n"))) <= 72


def test_both_are_said_in_the_cards_own_language() -> None:
    assert words(offer.subject(("A", "B"), 2, "9. Juni", GERMAN)[0]) == "A und B · 9. Juni"
    assert "Themen" in decoded(offer.left_out((("A", 1), ("B", 1), ("C", 1)), 2, chosen=True, words=GERMAN).text)
