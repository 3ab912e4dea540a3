from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from flows.papers.model import LONGEST, shortened
from tests import factories

LONG = "an endless title about agents " * 1400


def test_whatever_a_source_says_a_text_has_its_length() -> None:
    paper = replace(factories.paper(1), title=LONG, authors=("Ada", LONG), organisation="x" * 50_000, note=LONG)
    assert len(paper.title) <= LONGEST["title"]
    assert paper.title.endswith("…")
    assert max(len(one) for one in (*paper.authors, paper.organisation)) <= LONGEST["organisation"]


@given(st.text(max_size=60), st.integers(2, 40))
def test_what_is_short_enough_stays_and_nothing_is_longer(text: str, most: int) -> None:
    cut = shortened(text, most)
    assert len(cut) <= most
    assert (cut == text) == (len(text) <= most)
