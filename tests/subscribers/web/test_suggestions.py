"""What "More like this" offers: terms that bring more, and nothing that stands in one title alone."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.words import words
from flows.papers.model import paper_id
from subscribers.preferences import MAX_WORD
from subscribers.web.suggestions import (
    CANDIDATES,
    TERMS,
    CandidateTerm,
    OfferedTerm,
    authors,
    candidates,
    numbers,
    offers,
    phrases,
    shared,
    shared_authors,
)
from tests import factories

AGENTS = replace(factories.topic("agents"), terms={"gui agent": 9.0, "memory": 4.0, "planning": 2.0})
CODE = replace(factories.topic("code"), terms={"compiler": 9.0, "program repair": 9.0})


def found(**given: object) -> list[str]:
    paper = factories.paper(1, **({"keywords": (), "abstract": ""} | given))
    return [one.term for one in candidates(paper, [AGENTS, CODE], "agents")]


def test_a_title_gives_its_phrases_and_no_formula() -> None:
    assert list(phrases("LightHouse: Neural Hedges for the Slow Telescope")) == ["Neural Hedges", "Slow Telescope"]
    assert found(title="$x^2$") == []


def test_terms_are_offered_as_the_paper_writes_them_the_most_telling_first() -> None:
    assert found(title="Memory of GUI Agents", keywords=("gui agents",))[0] == "gui agents"
    assert found(title="Memory of GUI Agents") == ["GUI Agents", "Memory"]


def test_a_single_word_is_a_term_of_the_papers_own_topic_or_a_keyword_and_in_the_title() -> None:
    assert found(title="Compilers of Memory") == ["Memory"]
    assert found(title="Of Tides", abstract="Planning and planning.", keywords=("planning",)) == []
    assert found(title="Of Tides", keywords=("tides",)) == ["tides"]


def test_a_phrase_of_the_abstract_counts_if_it_is_said_twice() -> None:
    assert found(title="Of It", abstract="We do program repair.") == []
    assert found(title="Of It", abstract="We do program repair, as program repair was.") == ["program repair"]


def test_what_says_nothing_of_its_own_is_not_offered() -> None:
    assert found(title="Real World: Neural Hedges", keywords=("long-horizon", "fine-grained")) == ["Neural Hedges"]


def test_what_others_hold_is_offered_with_their_number_unless_hardly_or_nearly_all_do() -> None:
    listed = [CandidateTerm("rare", 3), CandidateTerm("usual", 3), CandidateTerm("everywhere", 9)]
    assert offers(listed, [2, 3, 400], 1000) == [OfferedTerm("usual", 3)]


def test_of_terms_with_the_same_words_one_is_offered() -> None:
    listed = [CandidateTerm("GUI Agents", 5), CandidateTerm("mobile GUI agents", 4), CandidateTerm("memory", 3)]
    assert [one.term for one in offers(listed, [12, 5, 30], 1000)] == ["GUI Agents", "memory"]


@pytest.mark.parametrize("count", [0, 3, 5, 200])
def test_there_are_never_too_many(count: int) -> None:
    listed = [CandidateTerm(f"term{chr(97 + n % 26)}{chr(97 + n // 26)}", 1) for n in range(count)]
    assert len(offers(listed, [12] * count, 1000)) == min(count, TERMS)


@given(st.text(max_size=200), st.text(max_size=200), st.lists(st.text(max_size=100), max_size=40))
def test_any_text_gives_terms_that_can_be_followed(title: str, abstract: str, keywords: list[str]) -> None:
    paper = factories.paper(1, title=title, abstract=abstract, keywords=tuple(keywords), authors=tuple(keywords))
    listed = candidates(paper, [AGENTS, CODE], "agents")
    assert len(listed) <= CANDIDATES
    for term in (*(one.term for one in listed), *authors(paper)):
        assert words(term)
        assert len(term) <= MAX_WORD
        assert not set(term) & set('";')
    assert {offer.term for offer in offers(listed, [5] * len(listed), 100)} <= {one.term for one in listed}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2606.00001v2, https://arxiv.org/pdf/2606.00001.pdf", ["2606.00001"]),
        ("eprint = {0704.0001}", ["0704.0001"]),
        ("DO  - 10.48550/arXiv.2606.12345\nER  -", ["2606.12345"]),
        ("https://arxiv.org/abs/hep-th/9901001 and math.GT/0309136", ["hep-th/9901001", "math/0309136"]),
        ("2613.00001 2606.000012 12606.0001 10.2606.00001 1.2606.00001", []),
    ],
)
def test_the_numbers_of_papers_are_found_in_any_text(text: str, found: list[str]) -> None:
    assert numbers(text) == found


@given(st.text(max_size=300) | st.text("a-z/.0126v:", max_size=300))
def test_any_text_holds_numbers_that_can_be_looked_for(text: str) -> None:
    for one in numbers(text):
        assert paper_id(one) == one


def test_a_long_text_is_searched_in_no_time() -> None:
    """As long as a form may be."""
    for hostile in ("a-" * 32_000, "2606." * 12_000, "26" * 32_000, "a/" * 32_000):
        begun = time.perf_counter()
        assert len(numbers(hostile)) <= 1
        assert time.perf_counter() - begun < 2


def test_papers_share_what_two_of_them_hold() -> None:
    one = factories.paper(
        1, title="Neural Hedges for Maps", keywords=("slow telescopes",), authors=("Ada Brook", "Ben F")
    )
    two = factories.paper(2, title="A Compiler", abstract="Of neural hedges.", authors=("Ada Brook",))
    assert [(found.term, found.weight) for found in shared([one, two], [])] == [("Neural Hedges", 2)]
    assert shared_authors([one, two]) == ["Ada Brook"]
    assert shared_authors([one]) == ["Ada Brook", "Ben F"]
    assert "slow telescopes" in [found.term for found in shared([one], [])]
