"""What a paper is called where there is little room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.paper_name import LONGEST, paper_name


@pytest.mark.parametrize(
    ("title", "abstract", "name"),
    [
        ("WoolCoder: Counting Sheep", "", "WoolCoder"),
        ("WoolCoder:Counting Sheep", "", "WoolCoder"),
        ("Counting Sheep by Ear", "We introduce BellCount, a counter. BellCount rings.", "BellCount"),
        ("Counting Sheep by Ear", "We propose a new framework called Woolly, a counter.", "Woolly"),
        ("Counting Sheep by Ear", "We propose a LLM that counts; a LLM is heard.", "Counting Sheep by Ear"),
        ("Counting Sheep by Ear", "We introduce BellCount as others do.", "Counting Sheep by Ear"),
        ("Woolly-7 Technical Report", "", "Woolly-7"),
        ("", "", ""),
    ],
)  # fmt: skip
def test_a_paper_has_the_name_that_its_authors_gave_it(title: str, abstract: str, name: str) -> None:
    assert paper_name(title, abstract) == name


@given(st.text(), st.text())
def test_a_name_is_one_short_line(title: str, abstract: str) -> None:
    found = paper_name(title, abstract)
    assert len(found) <= LONGEST
    assert found == " ".join(found.split())
