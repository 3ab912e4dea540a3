"""What a card says of a paper: what it did, in whole sentences of its own that need no other."""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flows.editions.abstracts.pieces import pieces
from flows.editions.gist import LIMIT, gist

BACKGROUND = "Shepherds count sheep by hand, which is slow. Existing counters fail at night."
FLOCK = (
    f"{BACKGROUND} To bridge this gap, we propose Woolly, a counter that tells sheep apart by the sound of bells. "
    "Extensive experiments on ten farms show that Woolly misses fewer sheep than the best shepherd. "
    "Our code is available at https://example.org/woolly."
)


def said(abstract: str, title: str = "Woolly: Counting Sheep by Ear") -> str:
    return gist(title, abstract)


def test_a_gist_says_what_was_done_and_no_background() -> None:
    found = said(FLOCK)

    assert found.startswith("We propose Woolly, a counter that tells sheep apart by the sound of bells.")
    assert "by hand" not in found
    assert "example.org" not in found


@pytest.mark.parametrize(
    ("sentence", "start"),
    [
        ("In this paper, we introduce a map of all meadows near the river.", "We introduce a map"),
        ("To bridge it, we introduce a map of all meadows near the river.", "We introduce a map"),
        ("Motivated by these findings, we then introduce a map of all meadows near the river.", "We introduce a map"),
        ("However, in this work we introduce a map of all meadows near the river.", "We introduce a map"),
        ("To serve both ends we introduce a map of all meadows near the river.", "We introduce a map"),
        ("Second, vMeadow is introduced, a map of all meadows near the river.", "vMeadow is introduced"),
    ],
)
def test_what_leads_over_from_another_sentence_goes(sentence: str, start: str) -> None:
    assert said(f"{BACKGROUND} {sentence}", "A map").startswith(start)


@pytest.mark.parametrize(
    "empty",
    [
        "We evaluate our approach on ten farms and in two valleys.",
        "To validate the proposed bells, we first build a wooden model of ten farms.",
        "We address key challenges with two primary innovations.",
    ],
)
def test_how_something_was_tested_is_not_what_was_done(empty: str) -> None:
    found = said(f"{BACKGROUND} {empty} We propose bells that are heard at night. {empty}", "Bells")

    assert found == "We propose bells that are heard at night."


def test_no_sentence_ends_at_what_something_was_designed_to_do() -> None:
    sentence = "We present a small family of bells designed to address these gaps of the whole valley by night."

    assert not [piece.text for piece in pieces(0, sentence, "", {}) if piece.text.endswith("designed.")]


def test_what_was_found_needs_no_experiments_to_say_so() -> None:
    sentence = "Extensive experiments on ten farms show that bells are heard all night long."

    assert [piece.text for piece in pieces(0, sentence, "", {})] == [sentence, "Bells are heard all night long."]


def test_a_hedge_is_not_made_a_claim() -> None:
    texts = [p.text for p in pieces(0, "Our results suggest that bells are heard at night.", "", {})]

    assert texts == ["Our results suggest that bells are heard at night."]


def test_tex_is_made_readable() -> None:
    found = said(
        r"We propose a bell that is heard $10^{3}$ times as far as \emph{any} other bell of the valley.", "Bells"
    )

    assert found == "We propose a bell that is heard 10³ times as far as any other bell of the valley."


@pytest.mark.parametrize("abstract", ["", " ", "\x00", "$$", "."])
def test_nothing_has_no_gist(abstract: str) -> None:
    assert len(said(abstract)) <= 1


def test_an_abstract_of_one_endless_sentence_is_cut() -> None:
    found = said("ringing and " * 500)

    assert found.endswith("…")
    assert 100 < len(found) <= LIMIT


def test_an_abstract_of_background_alone_still_has_a_gist() -> None:
    assert said(BACKGROUND) in (
        "Shepherds count sheep by hand, which is slow.",
        "Existing counters fail at night.",
        BACKGROUND,
    )


# --- whatever comes

PHRASES = st.sampled_from(
    [
        "In this paper, we propose Woolly, a bell for sheep (BFS)",
        "To address these challenges, we then introduce (i) a bell and (ii) a drum",
        "Experiments show that BFS, which is loud, outperforms all the three baselines by 3.5%",
        "It is heard, e.g., at $x_{1}^2$ metres; see https://example.org/a_b",
        "However, such methods – including ours – fail",
        "What is a sheep",
        'The method is called \\textbf{Woolly}: a "bell" that rings',
        "We find that (1) bells ring, (2) drums do not",
        "Our approach achieves state-of-the-art results, thereby enabling sleep",
    ]
)
ABSTRACTS = st.lists(
    st.tuples(PHRASES | st.text(max_size=80), st.sampled_from([". ", "? ", "; ", " ", "! "])), max_size=14
).map(lambda parts: "".join(map("".join, parts)))
TITLES = st.text(max_size=60) | st.sampled_from(["Woolly: A Bell", "BFS", ""])


@given(TITLES, ABSTRACTS)
@example("", "(" * 3000)
@example("", "\\" * 3000)
@example("", "We show that " * 800)
@example("", ("A (B) " * 900) + ".")
@example("", "experiment " * 900 + "show that x.")
@example("", "a, which " * 900)
def test_a_gist_is_one_short_line_whatever_comes(title: str, abstract: str) -> None:
    found = gist(title, abstract)

    assert len(found) <= LIMIT
    assert found == " ".join(found.split())
    assert not any(unicodedata.category(character) == "Cc" for character in found)
    assert found == gist(title, abstract)


WORDS = st.lists(
    st.sampled_from(
        [
            "we",
            "propose",
            "show",
            "a",
            "bell",
            "that",
            "rings",
            "which",
            "is",
            "loud",
            "for",
            "sheep",
            "at",
            "night",
            "in",
            "farms",
        ]
    ),
    min_size=4,
    max_size=30,
)


@given(st.lists(WORDS, min_size=1, max_size=8))
def test_a_gist_is_made_of_the_abstracts_words_in_their_order(drawn: list[list[str]]) -> None:
    abstract = " ".join(" ".join(each).capitalize() + "." for each in drawn)
    rest = iter(re.findall(r"\w+", abstract.lower()))

    assert all(word in rest for word in re.findall(r"\w+", gist("Bells", abstract).lower()))


def test_the_longest_abstract_takes_no_longer_than_its_length() -> None:
    """Time in proportion: the same sentence a hundred times over is read in less than a hundred times the time."""
    once, often = FLOCK, " ".join([FLOCK] * 100)
    start = time.process_time()
    for _ in range(20):
        said(once)
    short = time.process_time() - start
    start = time.process_time()
    said(often)

    assert time.process_time() - start < 20 * short + 1
