from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.storage.query import MAX_LETTERS, MAX_TERMS, MAX_WORD, Phrase, marked, parse, passage, said
from tests import factories


def terms(typed: str) -> list[tuple[Phrase, ...]]:
    return list(parse(typed).terms)


def word(*words: str, beginning: bool = False) -> Phrase:
    return Phrase(words, beginning)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", []),
        ("  ,; ", []),
        ('"" * - ()', []),
        ("Tensors", [(word("tensor"),)]),
        ("slow telescope", [(word("slow"),), (word("telescope"),)]),
        ('"slow telescope" map', [(word("slow", "telescope"),), (word("map"),)]),
        ("“slow telescope”", [(word("slow", "telescope"),)]),
        ('"slow telescope', [(word("slow", "telescope"),)]),
        ("state-of-the-art", [(word("state", "of", "the", "art"),)]),
        ("cats,dogs", [(word("cat"),), (word("dog"),)]),
        ("cats cat", [(word("cat"),)]),
        ("the map of it", [(word("map"),)]),
        ("the", [(word("the"),)]),
        ('"the" map', [(word("the"),), (word("map"),)]),
        ("2606.00007", [(word("2606", "00007"),)]),
        ("GPUs", [(word("gpu"),)]),
        ("colours", [(word("color"),)]),
        ("Poincaré’s Straße", [(word("poincare"),), (word("strasse"),)]),
        ("张量 β", [(word("张量"),), (word("β"),)]),
        ("quanti*", [(word("quanti", beginning=True),)]),
        ("low-ran*", [(word("low", "ran", beginning=True),)]),
        ("tensors*", [(word("tensors", beginning=True), word("tensor"))]),
        ("a*", [(word("a"),)]),
        ("snake_ca*", [(word("snake", "ca"),)]),
        ("title:x OR NEAR(a b) AND ^c", [(word("title", "x"),), (word("near", "a"),), (word("b"),), (word("c"),)]),
    ],
)
def test_what_is_typed_becomes_terms(typed: str, expected: list[tuple[Phrase, ...]]) -> None:
    assert terms(typed) == expected


def test_of_too_much_the_first_terms_count_and_it_is_said() -> None:
    assert not parse("map bridge").cut
    many = parse(" ".join(f"word{n}" for n in range(MAX_TERMS + 5)))
    assert (len(many.terms), many.cut) == (MAX_TERMS, True)
    assert parse("x" * 10_000).cut
    assert len(parse("x" * 10_000).terms[0][0].words[0]) == MAX_WORD


hostile = st.text(
    st.sampled_from("aäßИ2²½ﬁ\"“*:^()-+_'’\\|&!<>,; \0\ud800張\U0001e922{}") | st.characters(), max_size=80
)


@given(hostile)
def test_every_text_is_a_query_of_plain_words(typed: str) -> None:
    for term in parse(typed).terms:
        assert 1 <= len(term) <= 2
        for phrase in term:
            assert phrase.words
            for one in phrase.words:
                assert one.isalnum()
                assert len(one) <= MAX_WORD


@given(hostile, hostile, st.integers(20, 200))
def test_marking_loses_and_adds_nothing(text: str, typed: str, room: int) -> None:
    query = parse(typed)
    assert "".join(piece.text for piece in marked(text, query)) == text
    shown = passage(text, query, room)
    cut = "".join(piece.text for piece in shown)
    assert cut.removeprefix("… ").removesuffix(" …") in text or cut in text
    assert len(cut) <= room + 4


@given(st.lists(st.sampled_from(["slow", "maps", "of", "Bridges", "café", "naïve-α"]), min_size=1, max_size=12))
def test_a_text_is_found_by_each_of_its_words_and_the_word_is_marked(words: list[str]) -> None:
    text = " ".join(words)
    for one in words:
        assert any(piece.found and piece.text == one for piece in marked(text, parse(f'"{one}"')))


def test_a_phrase_is_marked_whole_and_the_beginning_of_a_word_with_its_word() -> None:
    text = "Bridges remember; a bridge that remembers its loads."
    assert [piece.text for piece in marked(text, parse('"bridges remember" loa*')) if piece.found] == [
        "Bridges remember",
        "loads",
    ]


def test_a_passage_shows_where_the_words_stand_together() -> None:
    text = (
        "A map. " + "Nothing to see here at all. " * 40 + "The slow telescope saw a map of everything. " + "End. " * 90
    )
    shown = passage(text, parse("telescope map"))
    assert [piece.text for piece in shown if piece.found] == ["telescope", "map"]
    whole = "".join(piece.text for piece in shown)
    assert whole.startswith("… ")
    assert whole.endswith(" …")
    assert len(whole) < 300


def test_a_paper_says_its_title_authors_keywords_and_abstract_in_readable_words() -> None:
    made = said(
        factories.paper(7, title=r"Folding $\mathcal{O}(n^2)$ Maps", keywords=("Origami",), authors=("Zoë Ångström",))
    )
    assert made.title == ("folding", "o", "n2", "map")
    assert made.authors == ("zoe", "angstrom")
    assert {"origami", "2606", "00007", "institute"} <= set(made.about)
    assert "island" in made.abstract


def test_long_texts_take_no_time() -> None:
    text = "a map " * 3000
    assert len(marked(text, parse("map " * MAX_LETTERS))) > 5000
