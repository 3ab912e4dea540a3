"""ROUGE as the usual judge of summaries counts it."""

from __future__ import annotations

import pytest

from flows.editions.judging.rouge import overlap, stems


def test_words_are_compared_by_their_stems_without_case_and_marks() -> None:
    assert stems("The Models' improvements, IMPROVING!") == ["the", "model", "improv", "improv"]


def test_short_words_and_numbers_stay() -> None:
    assert stems("its 3.5x use") == ["its", "3", "5x", "use"]


@pytest.mark.parametrize(
    ("found", "wanted", "length", "share"),
    [
        ("a b c d", "a b c d", 1, 1.0),
        ("a b c d", "a b c d", 2, 1.0),
        ("a b", "c d", 1, 0.0),
        # two of three found are wanted, two of four wanted are found
        ("a b x", "a b c d", 1, 2 * 2 / 7),
        # one pair of two, one of three
        ("a b x", "a b c d", 2, 2 * 1 / 5),
        # a word counts as often as both have it
        ("a a a", "a a b", 1, 4 / 6),
        ("", "a", 1, 0.0),
        ("a", "", 2, 0.0),
        ("a", "a", 2, 0.0),
    ],
)
def test_the_overlap_is_the_f1_of_words_or_pairs(found: str, wanted: str, length: int, share: float) -> None:
    assert overlap(found.split(), wanted.split(), length) == pytest.approx(share)
