"""What a visitor typed, made harmless to keep."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from subscribers.text import cell, clean, uncell

HEADS = st.sampled_from(["", "=", "+", "-", "@", "\t", "\r", "'", "''", "'="])
TEXTS = st.builds(lambda head, rest: head + rest, HEADS, st.text(max_size=20))


def test_what_can_not_be_seen_goes_and_white_space_is_folded() -> None:
    assert clean("  slow\u200b \x00 tele\u00adscope\n\u202eten\u2028sor ") == "slow telescope ten sor"


def test_letters_are_composed_and_what_is_to_stay_stays() -> None:
    assert clean("u\u0308ber") == "über"
    assert clean("one\r\ntwo", keep="\n") == "one \ntwo"


@given(st.text())
def test_what_is_clean_holds_no_control_and_cleaning_it_again_changes_nothing(text: str) -> None:
    made = clean(text)
    assert not {unicodedata.category(one) for one in made} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert clean(made) == made


@given(TEXTS)
def test_no_cell_begins_as_a_formula_does_and_each_is_taken_back(text: str) -> None:
    assert not cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert uncell(cell(text)) == text


def test_what_somebody_elses_list_begins_with_an_apostrophe_stays() -> None:
    assert uncell("'s-Hertogenbosch") == "'s-Hertogenbosch"
    assert cell("plain") == "plain"
