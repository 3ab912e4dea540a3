"""Where a sentence ends, and what ties it to the one before."""

from __future__ import annotations

import pytest

from flows.editions.abstracts.sentences import LONGEST, SENTENCES, sentences, without_adverbs, without_links


def test_sentences_that_only_point_somewhere_are_none() -> None:
    assert sentences("We ring. Code is available at https://example.org. Project page: ring.github.io. It rang.") == [
        "We ring.",
        "It rang.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Bells ring, e.g. at night, for sheep et al. and others.",
        "It rings 3.5 times louder than Fig. 2 says.",
        "We ring vLLM. and then it stops",
    ],
)
def test_a_point_within_a_sentence_ends_none(text: str) -> None:
    assert sentences(text) == [text]


def test_a_sentence_ends_where_the_space_after_it_was_lost_and_a_link_is_no_sentence() -> None:
    assert sentences("The bell rings.We hear it at night.") == ["The bell rings.", "We hear it at night."]


def test_so_many_sentences_are_read_and_none_without_end() -> None:
    assert len(sentences("It rings. " * 500)) == SENTENCES
    assert sentences("ring " * LONGEST) == []


@pytest.mark.parametrize(
    ("sentence", "alone"),
    [
        ("However, in this paper, we ring bells.", "We ring bells."),
        ("(ii) Finally, bells ring.", "Bells ring."),
        ("To this end, vLLM rings.", "vLLM rings."),
        ("First place goes to the bell.", "First place goes to the bell."),
        ("Bells ring, however, at night.", "Bells ring, however, at night."),
    ],
)
def test_what_ties_a_sentence_to_the_one_before_goes(sentence: str, alone: str) -> None:
    assert without_links(sentence) == alone


def test_adverbs_that_follow_from_another_sentence_go() -> None:
    assert without_adverbs("We therefore propose a bell that can thus ring.") == "We propose a bell that can ring."
    assert without_adverbs("We first-handedly heard it.") == "We first-handedly heard it."
