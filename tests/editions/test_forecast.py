"""The forecast: a likelihood whatever it is given, learnt from words and numbers, and honest about how good it is."""

from __future__ import annotations

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.forecast import TRAITS, forecast, packaged, packed, probability, terms, traits, unpacked

AGENT = (
    "ClickBench: Can Agents Use Any Computer?",
    "We introduce an open benchmark of long-horizon tasks for multimodal agents. Reinforcement learning lifts the "
    "success rate of a vision-language model. Code is at https://github.com/example/click.",
)
ENTROPY = (
    "On the entropy of a binary channel with memory",
    "Bounds on the capacity of a channel are derived, and a prototype for clinical signals is discussed.",
)
TEXT = st.text(max_size=300) | st.sampled_from(["$" * 300, "\\" * 99, "a_{" * 99, "http://" * 50, ":" * 400, "\ud800"])


@given(TEXT, TEXT, st.lists(TEXT, max_size=5), TEXT)
def test_a_forecast_is_a_likelihood_and_always_the_same(
    title: str, abstract: str, authors: list[str], comment: str
) -> None:
    likely = forecast(title, abstract, authors, comment)

    assert 0 <= likely <= 1
    assert likely == forecast(title, abstract, authors, comment)


@pytest.mark.parametrize(
    "piece", ["$", "$x$ ", "word ", "http://a.b/", "github.com/", ": ", "\\frac{", "é", "\n", "aa_"]
)
def test_a_text_without_end_is_read_to_a_limit(piece: str) -> None:
    assert 0 <= forecast(piece * 300_000, piece * 300_000, [piece] * 10_000, piece * 300_000) <= 1


def test_what_people_pick_is_likelier_than_what_they_pass_over() -> None:
    assert forecast(*AGENT, ["A"] * 12) > 0.2
    assert forecast(*ENTROPY, ["A"]) < 0.02


def test_names_of_authors_say_nothing_but_their_number_does() -> None:
    assert forecast(*AGENT, ["Ann", "Ben"]) == forecast(*AGENT, ["Cy", "Di"]) != forecast(*AGENT, ["Cy"] * 20)


def test_a_link_counts_in_the_comment_as_in_the_abstract_and_once() -> None:
    title, abstract = ENTROPY
    link = "Code: https://github.com/example/channel"
    without, commented = forecast(title, abstract, ["A"]), forecast(title, abstract, ["A"], link)

    assert commented > without
    assert forecast(title, abstract, ["A"], "12 pages, 3 figures") == without
    assert forecast(title, f"{abstract} {link}", ["A"], link) == forecast(title, f"{abstract} {link}", ["A"])


@given(st.lists(st.sampled_from([" ", "\n", "\t", "  ", "\n  "]), min_size=1, max_size=9))
def test_white_space_does_not_tell_where_a_text_is_from(spaces: list[str]) -> None:
    title, abstract = AGENT
    pieces = abstract.split()
    broken = "".join(word + spaces[n % len(spaces)] for n, word in enumerate(pieces)).rstrip()

    assert forecast(title, broken, []) == forecast(title, abstract, [])


@pytest.mark.parametrize(
    ("arxiv", "elsewhere"),
    [
        (r"a rate of $O(\log n)$ at most", "a rate of O(log n) at most"),
        (r"when $\alpha \leq \beta$ holds", "when alpha leq beta holds"),
        (r"when $\alpha \leq \beta$ holds", r"when \alpha \leq \beta holds"),
        (r"gains of 12\% overall", "gains of 12% overall"),
        (r"the \textbf{best} of all", "the best of all"),
        (r"on $\mathbb{R}^n$ alone", r"on mathbb{R}^n alone"),
    ],
)
def test_tex_does_not_tell_where_a_text_is_from(arxiv: str, elsewhere: str) -> None:
    assert terms("", arxiv) == terms("", elsewhere)


def test_the_packaged_model_holds_words_and_pairs_of_words_only_and_is_small() -> None:
    model = packaged()

    assert all(1 <= len(term.split("_")) <= 2 for term in model.words.positions)
    assert all(word.isalpha() and len(word) < 40 for term in model.words.positions for word in term.split("_"))
    assert tuple(model.traits) == TRAITS
    assert (files("flows.editions") / "forecast.weights").stat().st_size < 1_000_000  # type: ignore[attr-defined]


def test_a_model_survives_its_file_but_for_rounding() -> None:
    model = unpacked(packed(-1.0, {"hive": (25.0, 2.0), "wool_pasture": (4.0, -1.0)}, dict.fromkeys(TRAITS, 0.25)))
    (said,) = model.words.logits(model.words.values({"wool_pasture": 1}))

    assert said == pytest.approx(-1.0 - 4 / 25, abs=0.02)
    rest = 0.25 * sum(traits("Wool pasture", "", 0))
    assert model.logit("Wool pasture", "", 0) == pytest.approx(said + rest, abs=0.02)


@given(st.floats(allow_nan=False))
def test_odds_however_great_are_a_probability(logit: float) -> None:
    assert 0 <= probability(logit) <= 1
