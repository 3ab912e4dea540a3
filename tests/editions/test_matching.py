from __future__ import annotations

import pytest

from flows.editions.choose import choose
from flows.editions.model import Interests
from tests.editions.listed import paper
from tests.factories import edition


@pytest.mark.parametrize("keyword", ["tensor networks", "Tensor-Network", "GRAPH", "charts"])
def test_a_keyword_brings_a_paper_of_any_topic(keyword: str) -> None:
    wanted = paper(4, title="A Tensor Network for Ferns", abstract="We draw a chart.", keywords=("graphs",))
    whole = edition([paper(1, abstract=""), paper(2, abstract=""), paper(3, abstract=""), wanted])
    digest = choose(whole, Interests(topics=frozenset({"agents"}), keywords=(keyword,)))
    assert wanted.id in {one for part in digest.parts for one in part.papers}
    assert digest.size == 2


def test_a_keyword_is_a_word_and_no_part_of_one() -> None:
    whole = edition([paper(1, title="Particular stars", abstract="")])
    assert choose(whole, Interests(topics=frozenset({"video"}), keywords=("art", "", "!"))).size == 0


@pytest.mark.parametrize(
    ("author", "found"),
    [("Ada Brook", True), ("A. Brook", True), ("ada brook", True), ("Ben Brook", False), ("Ada Brooke", False)],
)
def test_an_author_is_followed_by_name_and_initials(author: str, found: bool) -> None:
    whole = edition([paper(1, authors=("Ada Brook", "Dov Elster"))])
    assert (choose(whole, Interests(topics=frozenset({"video"}), authors=(author,))).size == 1) is found
