"""What a reader who likes a paper could follow."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from subscribers.preferences import MAX_WORD
from subscribers.web.suggestions import AUTHORS, KEYWORDS, phrases, suggest
from tests import factories


def test_a_title_gives_its_phrases_and_no_formula() -> None:
    assert list(phrases("LightHouse: Neural Hedges for the Slow Telescope")) == ["Neural Hedges", "Slow Telescope"]
    assert suggest(factories.paper(1, keywords=(), title="$x^2$")).keywords == []


def test_keywords_of_the_paper_come_before_phrases_of_its_title() -> None:
    found = suggest(
        factories.paper(1, keywords=("tensor networks", "Tensor Networks", "ferns"), title="Slow Telescope")
    )
    assert found.keywords == ["tensor networks", "ferns"]


@given(
    st.lists(st.text(max_size=120), max_size=30), st.lists(st.text(max_size=120), max_size=30), st.text(max_size=700)
)
def test_whatever_a_source_says_each_can_be_followed(keywords: list[str], authors: list[str], title: str) -> None:
    """What a setting could not hold, such as what a list of them is joined by, is not offered."""
    found = suggest(factories.paper(1, keywords=tuple(keywords), authors=tuple(authors), title=title))
    assert len(found.keywords) <= KEYWORDS
    assert len(found.authors) <= AUTHORS
    for one in (*found.keywords, *found.authors):
        assert 0 < len(one) <= MAX_WORD
        assert not set(one) & set('";\r\n\0')
