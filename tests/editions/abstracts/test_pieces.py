"""What a sentence may be shortened to, and where it is not cut."""

from __future__ import annotations

import pytest

from flows.editions.abstracts.pieces import pieces


@pytest.mark.parametrize(
    ("sentence", "lost"),
    [
        ("We show that these bells are heard at night.", True),
        ("It is heard by every shepherd of the valley.", True),
        ("The method is used by every shepherd of the valley.", True),
        ("We propose a bell, which closes the two gaps of the valley.", True),
        ("We hang bells on sheep and hear these bells at night.", False),
        ("This paper presents bells that are heard at night.", False),
    ],
)
def test_a_sentence_that_speaks_of_another_does_not_stand_alone(sentence: str, lost: bool) -> None:
    found = pieces(0, sentence, "", {})[0]

    assert found.leaning.nothing is not lost


def test_no_sentence_is_cut_where_it_is_none() -> None:
    """Not before its verb, within an aside or a bracket, nor after the first of several points."""
    sentence = (
        "We find that bells – heard, for all that, at night – help, while drums, which roar, (1) wake and (2) scare."
    )

    for piece in pieces(0, sentence, "", {}):
        assert not piece.text.endswith(("bells.", "that.", "drums."))
        assert piece.text.count("(1)") == piece.text.count("(2)")
