"""Short forms are spelled out where they come first, and left out where nobody needs them."""

from __future__ import annotations

import pytest

from flows.editions.abstracts.short_forms import long_forms, spelled_out, without_short_forms
from tests.editions.test_gist import said


def test_short_forms_are_spelled_out_where_they_come_first() -> None:
    text = "Woolly sheep recognition (WSR) is hard. We present a bell that WSR can use, and WSR likes it."

    assert long_forms(text, "A bell") == {"WSR": "Woolly sheep recognition"}
    assert "a bell that woolly sheep recognition can use" in said(text, "A bell")


def test_a_short_form_of_the_title_stays() -> None:
    assert long_forms("Woolly sheep recognition (WSR) is hard.", "WSR made easy") == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("We train large language models (LLMs).", {"LLMs": "large language models"}),
        ("The state of the art (SOTA) rings.", {"SOTA": "state of the art"}),
        ("A vision-language-action (VLA) model rings.", {}),
        ("We ring a loud bell (XYZ).", {}),
        ("Version four (V4) rings.", {}),
    ],
)
def test_a_short_form_stands_for_the_words_whose_letters_it_has(text: str, found: dict[str, str]) -> None:
    assert long_forms(text, "Bells") == found


def test_a_short_form_that_is_used_again_or_names_the_paper_stays() -> None:
    assert without_short_forms("A bell for sheep (BFS) rings.", "Bells") == "A bell for sheep rings."
    assert without_short_forms("A bell for sheep (BFS) rings.", "BFS") == "A bell for sheep (BFS) rings."
    assert without_short_forms("A bell (BFS) rings, BFS says.", "Bells") == "A bell (BFS) rings, BFS says."


def test_only_the_first_use_is_spelled_out_with_its_article_and_number() -> None:
    longer = {"LLMs": "large language models", "RL": "reinforcement learning"}

    assert spelled_out("LLMs ring, and LLMs sleep.", longer) == "Large language models ring, and LLMs sleep."
    assert spelled_out("We ask a LLM for RL.", longer) == "We ask a large language model for reinforcement learning."
    assert spelled_out("We ask an LLM.", longer) == "We ask an LLM."
    assert spelled_out("It explains RL (RL) and LLM-7.", longer) == "It explains RL (RL) and LLM-7."
