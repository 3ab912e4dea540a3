from __future__ import annotations

from flows.papers.model import PaperId
from flows.storage.query import Query
from subscribers.web.related import HOLDING, SHOWN, TERMS, alike, queries
from subscribers.web.suggestions import CandidateTerm

PHRASE, WORD, OTHER = CandidateTerm("neural hedges", 3), CandidateTerm("swifts", 2), CandidateTerm("maps", 2)
ONE, TWO, THREE, FOUR = (PaperId(f"2606.0000{n}") for n in range(1, 5))


def test_a_phrase_or_two_words_must_be_shared_and_who_shares_most_comes_first() -> None:
    holding = [[ONE, TWO], [ONE, THREE, FOUR], [TWO, THREE]]
    assert alike(ONE, [PHRASE, WORD, OTHER], holding, 100) == [TWO, THREE]


def test_the_rarer_a_term_the_more_it_counts() -> None:
    many = [PaperId(f"2607.{n:05d}") for n in range(50)]
    held = [[ONE, TWO], [ONE, THREE, *many]]
    assert alike(ONE, [CandidateTerm("a rare phrase", 1), CandidateTerm("a usual phrase", 1)], held, 100)[0] == TWO


def test_what_everybody_holds_says_nothing_and_no_more_are_shown_than_there_is_room() -> None:
    many = [PaperId(f"2607.{n:05d}") for n in range(HOLDING)]
    assert alike(ONE, [PHRASE], [many], 1000) == []
    assert len(alike(ONE, [PHRASE], [many[1:]], 1000)) == SHOWN
    assert alike(ONE, [], [], 0) == []


def test_few_terms_are_looked_for_each_as_a_phrase() -> None:
    found = queries([CandidateTerm(f"a term {n}", 1) for n in range(30)])
    assert len(found) == TERMS
    assert all(isinstance(one, Query) and len(one.terms) == 1 and len(one.terms[0][0].words) == 3 for one in found)
