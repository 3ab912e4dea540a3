"""One subject is written one way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.words import counts, grams, is_filler, without_pointers, word_counts, words
from tests.factories import paper


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Tensor-Networks", "tensor network"),
        ("optimisation", "Optimization"),
        ("a naïve approach", "A naive approach"),
        (r"\textbf{graph} theories", "graph theory"),
        ("Kolmogorov's classes", "kolmogorov class"),
        ("modelling colour", "modeling color"),
        ("searches and boxes", "search and box"),
        ("Poincaré's studies", "poincare study"),
        (r"\alpha $x^2$ \href{", "x 2"),
    ],
)
def test_case_hyphens_plurals_spelling_accents_and_tex_make_no_difference(one: str, other: str) -> None:
    assert words(one) == words(other)


@pytest.mark.parametrize("word", ["analysis", "loss", "corpus", "gas", "our"])
def test_what_only_looks_like_a_plural_stays(word: str) -> None:
    assert words(word) == [word]


def test_a_run_of_words_neither_begins_nor_ends_with_a_filler() -> None:
    assert list(grams(words("the speed of light"))) == ["speed", "speed of light", "light"]
    assert is_filler("the")


def test_where_code_is_to_be_found_is_left_out() -> None:
    said = "We prune trees. Code and models are publicly available at our page. See https://example.org/x. Trees win."
    assert without_pointers(said) == "We prune trees. Trees win."


def test_a_word_of_the_title_counts_twice_and_numbers_and_fillers_not_at_all() -> None:
    assert counts(words("The slow telescope"), words("a telescope of 2026")) == {"slow": 2, "telescope": 3}
    assert word_counts(paper(1, title="Slow telescope", abstract="Code is available."))["telescope"] == 2


@given(st.text())
def test_words_are_plain_and_stay_what_they_are(text: str) -> None:
    assert all(word.isascii() and word.isalnum() and word == word.lower() for word in words(text))
