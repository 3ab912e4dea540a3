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


def follows(author: str, *, listed: str) -> bool:
    whole = edition([paper(1, authors=(listed, "Dov Elster"))])
    return choose(whole, Interests(topics=frozenset({"video"}), authors=(author,))).size == 1


@pytest.mark.parametrize(
    ("author", "listed"),
    [
        ("García Márquez", "Gabriel García Márquez"),
        ("Garcia Marquez", "Gabriel García Márquez"),
        ("García Márquez", "Gabriel Garcia-Marquez"),
        ("Gabriel García Márquez", "G. García Márquez"),
        ("García Márquez, Gabriel", "Gabriel García Márquez"),
        ("Lukasz Wronek", "Łukasz Wronek"),
        ("Søren Ostergaard", "Soren Østergaard"),
        ("Weiss", "Ada Weiß"),
        ("Jan van der Berg", "J. van der Berg"),
        ("Jan van der Berg", "Jan P. van der Berg"),
        ("van der Berg", "Jan van der Berg"),
        ("van der Berg, Jan", "Jan van der Berg"),
        ("Brook A", "Ada Brook"),
        ("Brook A.", "Ada Brook"),
        ("Brook AB", "Ada B. Brook"),
        ("A. Brook", "Ada Brook"),
        ("Jean-Luc Marion", "Jean Luc Marion"),
        ("Jean Luc Marion", "J.-L. Marion"),
        ("Ａda Brook", "Ada Brook"),
        ("Jose\u0301 Nu\u0301ñez", "José Núñez"),
        ("渡辺", "渡辺"),
        ("Иван Петров", "Иван Петров"),
    ],
)
def test_an_author_is_followed_however_the_name_is_written(author: str, listed: str) -> None:
    assert follows(author, listed=listed)
    assert not follows(author, listed="Nobody Else")


@pytest.mark.parametrize(
    ("author", "listed"),
    [
        ("Ben Brook", "Ada Brook"),
        ("Brook B", "Ada Brook"),
        ("García Márquez", "Gabriel Márquez"),
        ("Jan van der Berg", "Piet van der Berg"),
        ("パパ", "ハハ"),
    ],
)
def test_another_person_is_not_followed(author: str, listed: str) -> None:
    assert not follows(author, listed=listed)


@pytest.mark.parametrize(
    ("keyword", "title", "found"),
    [
        ("fine-tuning", "ﬁne-tuning of charts", True),
        ("GPT charts", "ＧＰＴ charts", True),
        ("diffusion", "dif\u00adfusion of maps", True),
        ("パパ", "パパの海図", True),
        ("パパ", "ハ\u309aハ\u309aの海図", True),
        ("ハ\u309aハ\u309a", "パパの海図", True),
        ("パパ", "ﾊﾟﾊﾟの海図", True),
        ("パパ", "ハハの海図", False),
        ("海図", "古い海図を読む", True),
        ("карта", "Старая КАРТА моря", True),
        ("карта", "картах", False),
        ("café", "The cafe\u0301 of maps", True),
        ("cafe", "The café of maps", True),
        ("C++", "Maps in C++", True),
        ("C++", "Maps in C", False),
    ],
)
def test_a_word_is_found_however_it_is_written(keyword: str, title: str, found: bool) -> None:
    whole = edition([paper(1, title=title, abstract="", keywords=())])
    assert (choose(whole, Interests(topics=frozenset({"video"}), keywords=(keyword,))).size == 1) is found
