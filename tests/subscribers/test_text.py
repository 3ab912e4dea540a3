from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from subscribers.text import cell, uncell

HEADS = st.sampled_from(["", "=", "+", "-", "@", "\t", "\r", "'", "''", "'="])
TEXTS = st.builds(lambda head, rest: head + rest, HEADS, st.text(max_size=20))


@given(TEXTS)
def test_no_cell_begins_as_a_formula_does_and_each_is_taken_back(text: str) -> None:
    assert not cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert uncell(cell(text)) == text


def test_what_somebody_elses_list_begins_with_an_apostrophe_stays() -> None:
    assert uncell("'s-Hertogenbosch") == "'s-Hertogenbosch"
    assert cell("plain") == "plain"
