"""What braces and dollar signs were meant for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.tex.guesses import is_formula, is_set, pair


def test_braces_are_paired_from_the_inside_and_an_escaped_one_is_none() -> None:
    assert pair(r"a{b{c}d}e}{\{") == {1: 7, 3: 5}


@given(st.text("{}\\a"))
def test_pairs_never_cross(source: str) -> None:
    pairs = pair(source)
    for opened, closed in pairs.items():
        assert (source[opened], source[closed]) == ("{", "}")
        inner = {at: end for at, end in pairs.items() if opened < at < closed}
        assert all(end < closed for end in inner.values())


@pytest.mark.parametrize("inside", ["x", " x ", r"10 \times ", "0.3<y<1.9", "O(n)", "3.5", r"\alpha and \beta"])
def test_what_reads_like_a_formula_is_one(inside: str) -> None:
    assert is_formula(inside, " ")


@pytest.mark.parametrize(
    ("inside", "follows"),
    [
        ("5 million and ", "6"),
        ("", " "),
        ("  ", " "),
        ("x", "4"),
        ("5 per person, against ", "6"),
        ("3K, against", " "),
    ],
)
def test_words_between_two_prices_are_no_formula(inside: str, follows: str) -> None:
    assert not is_formula(inside, follows)


def test_braces_around_several_things_were_meant_to_be_seen() -> None:
    assert is_set("1.7B, 4B")
    assert not is_set(",")
    assert not is_set("C")
    assert not is_set(r"\bf a, b")
