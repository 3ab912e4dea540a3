from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.storage.near_misses import ends_of, nearest, slips, slips_in

LETTERS = st.text(st.sampled_from("abcdeé機"), min_size=4, max_size=14)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("diffusion", "diffusion", 0),
        ("difusion", "diffusion", 1),
        ("diffusoin", "diffusion", 1),
        ("idffusoin", "diffusion", 2),
        ("maps", "traps", 2),
        ("abc", "xyz", 3),
    ],
)
def test_slips_are_counted(one: str, other: str, expected: int) -> None:
    assert slips(one, other, 5) == expected
    assert slips(other, one, 5) == expected
    assert slips(one, other, 0) == min(expected, 1)


@given(LETTERS, LETTERS)
def test_slips_lie_both_ways_alike_and_end_at_the_limit(one: str, other: str) -> None:
    far = slips(one, other, 20)
    assert far == slips(other, one, 20)
    assert abs(len(one) - len(other)) <= far <= max(len(one), len(other))
    assert (far == 0) == (one == other)
    assert slips(one, other, 2) == min(far, 3)


@given(LETTERS.filter(lambda word: len(word) > 4), st.data())
def test_a_word_with_one_slip_shares_the_beginning_or_the_end_of_what_was_meant(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 2))
    letter = data.draw(st.sampled_from("xyz"))
    typed = data.draw(
        st.sampled_from(
            [
                word[:at] + word[at + 1 :],
                word[:at] + letter + word[at:],
                word[:at] + letter + word[at + 1 :],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            ]
        )
    )
    beginning, end = ends_of(typed)
    assert word.startswith(beginning) or word.endswith(end) or len(typed) == 4
    if typed != word:
        assert (slips(typed, word, slips_in(typed)), word) in nearest(typed, [word, "other"], 5)


def test_the_nearest_come_first_and_of_equals_that_of_the_same_first_letter() -> None:
    known = ["infusion", "diffusion", "profusion", "difusion", "map"]
    assert nearest("difusion", known, 9) == [(1, "diffusion"), (2, "infusion")]
    assert nearest("bat", ["cat", "bad", "bat"], 1) == [(1, "bad")]
