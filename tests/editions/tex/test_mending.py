"""Backslashes that a source lost come back, and English stays English."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.tex.mending import mend


@pytest.mark.parametrize(
    ("lost", "mended"),
    [
        ("x leq y", r"x \leq y"),
        ("QK^top V", r"QK^\top V"),
        ("{bf 1}_n", r"{\bf 1}_n"),
        ("2.4times as fast", r"2.4\times as fast"),
        ("2 times 3 times 4", r"2 \times 3 \times 4"),
        ("mathcal{L} falls", r"\mathcal{L} falls"),
        ("lambda* is small", r"\lambda* is small"),
        ("**bold** words", r"\textbf{bold} words"),
    ],
)
def test_a_formula_gets_its_backslashes_again(lost: str, mended: str) -> None:
    assert mend(lost) == mended


@pytest.mark.parametrize(
    "english",
    [
        "6 times higher",
        "the mid layers",
        "Omega Centauri",
        "the Delta rule",
        "a top choice",
        "**kwargs and 2**3",
        "a sim",
    ],
)
def test_english_is_left_alone(english: str) -> None:
    assert mend(english) == english


@given(st.text(st.characters(categories=["Lu", "Ll", "Nd", "Zs"]) | st.sampled_from("\\{}^_$ ")))
def test_nothing_but_backslashes_and_braces_is_added(source: str) -> None:
    assert mend(source).replace("\\", "").replace("{", "").replace("}", "").replace("textbf", "").split() == (
        source.replace("\\", "").replace("{", "").replace("}", "").replace("textbf", "").split()
    )


@given(st.sampled_from(["x leq y", "QK^top", "{bf 1}", "2 times 3", "sqrt{2}"]))
def test_what_is_mended_stays(lost: str) -> None:
    assert mend(mend(lost)) == mend(lost)
