"""What a sentence needs of the one before it: nothing, a word, or what nobody can look up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.abstracts.leaning import first_pointing, leaning


@pytest.mark.parametrize(
    "sentence",
    [
        "We present a bell that rings at night.",
        "A flock strays, and this flock is found by its bells.",
        "This paper presents a bell.",
        "Bells such as ours ring.",
        "It is known that bells ring.",
        "The model of a bell rings.",
    ],
)
def test_a_sentence_that_names_what_it_speaks_of_stands_alone(sentence: str) -> None:
    assert leaning(sentence).nothing


@pytest.mark.parametrize(
    "sentence",
    [
        "Its sound is heard at night.",
        "We mitigate them with bells.",
        "We find that the three gaps close at night.",
        "We show that this is heard.",
        "The former rings.",
    ],
)
def test_what_nobody_can_look_up_is_lost(sentence: str) -> None:
    assert leaning(sentence).lost


def test_a_word_that_is_pointed_at_must_stand_in_the_sentence_before() -> None:
    found = leaning("We ring these wooden bells at night.")

    assert not found.lost
    assert "bell" in found.names


def test_a_pronoun_and_the_method_lean_on_the_sentence_before() -> None:
    assert leaning("It rings at night.").pronoun
    assert leaning("The proposed framework rings at night.").generic
    assert not leaning("A framework rings at night.").generic


def test_where_a_sentence_begins_to_lean_is_known() -> None:
    sentence = "We ring a bell to close these gaps."

    assert sentence[first_pointing(sentence) :] == "these gaps."
    assert first_pointing("We ring a bell.") == 0


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    found = leaning(text)

    assert found.nothing is not (found.lost or bool(found.names) or found.pronoun or found.generic)
    assert 0 <= first_pointing(text) <= len(text)
