"""Why a paper is for a reader: in few words, whatever a reader follows, alike in both forms of a mail."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.editions.model import Reason
from flows.mail.encode import decoded
from flows.mail.language import words_of
from flows.mail.reasons import COLUMNS, LONGEST, SHOWN, written
from tests import factories

ADA = Reason("Ada Brook", author=True)
SWIFTS = Reason("swifts")


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        ((SWIFTS,), "Matches “swifts”"),
        ((ADA,), "By Ada Brook"),
        ((ADA, SWIFTS), "Matches “swifts”, by Ada Brook"),
        (
            (ADA, Reason("Ben", author=True), Reason("maps"), SWIFTS),
            "Matches “maps”, “swifts”, by Ada Brook and 1 more",
        ),
        ((Reason("x" * 30), Reason("y" * 30), SWIFTS), f"Matches “{'x' * 30}”, “{'y' * 30}”, “swifts”"),
        ((ADA, Reason("Ben", author=True)), "By Ada Brook, Ben"),
        ((Reason("x" * 41),), f"Matches “{'x' * 39}…”"),
        ((Reason("x" * 40),), f"Matches “{'x' * 40}”"),
        ((Reason("a\r\n\u202eb"),), "Matches “a b”"),
        ((Reason(r"\'Emile $\alpha$", author=True),), "By Émile α"),
    ],
)
def test_keywords_come_first_then_authors_then_how_many_more(reasons: tuple[Reason, ...], said: str) -> None:
    made = written(reasons)
    assert max(map(len, decoded(made.text).split("\n"))) <= COLUMNS
    assert decoded(made.text).replace("\n", " ").replace("  ", " ") == said
    shown = html.unescape(re.sub(r"</?em[^>]*>", "", made.html.decode()))
    assert shown == said.replace("“", "").replace("”", "")


def test_a_readers_words_are_no_markup_and_keep_their_direction() -> None:
    made = written((Reason("<b>&"), Reason("תל")))
    assert made.html == b'Matches <em>&lt;b&gt;&amp;</em>, <em dir="auto">&#1514;&#1500;</em>'


def test_they_are_said_in_the_cards_own_language() -> None:
    german = words_of(factories.phrases(language="de"))
    assert decoded(written((SWIFTS, ADA), german).text) == "Passt zu „swifts“, von Ada Brook"


@settings(max_examples=40)
@given(st.lists(st.builds(Reason, st.text(max_size=60), st.booleans()), min_size=1, max_size=6))
def test_any_reasons_are_short_lines_of_ascii_and_are_counted_right(reasons: list[Reason]) -> None:
    made = written(tuple(reasons))
    assert made.html.isascii()
    assert made.text.isascii()
    assert made.size == len(made.html)
    assert made.html.count(b"<em") == min(len(reasons), SHOWN)
    assert max(map(len, made.text.split(b"\r\n"))) <= 76
    assert max(map(len, decoded(made.text).split("\n"))) <= COLUMNS
    assert all(len(html.unescape(one)) <= LONGEST for one in re.findall(r"<em[^>]*>(.*?)</em>", made.html.decode()))
