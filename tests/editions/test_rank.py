"""What counts as good, and which papers are the best of an edition."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.model import Entry
from flows.editions.rank import BEST, FEW, best, good, is_likely
from tests.factories import paper


def entries(*given: tuple[str, float], votes: int | None = 1, rose: int = 0) -> list[Entry]:
    return [
        Entry(paper=paper(n, upvotes=votes), topic=topic, score=score, rose=rose)
        for n, (topic, score) in enumerate(given, start=1)
    ]


SEVEN = [("a", 0.5), ("a", 0.9), ("b", 0.8), ("b", 0.7), ("c", 0.6), ("c", 0.1), ("d", 0.2)]


def numbers(listed: list[Entry]) -> list[int]:
    return [int(identity[-5:]) for identity in best(listed)]


def test_the_best_are_each_from_another_topic_best_first() -> None:
    assert numbers(entries(*SEVEN)) == [2, 3, 5, 7]


def test_a_short_edition_has_no_best_ones() -> None:
    assert best(entries(*SEVEN[: FEW - 1])) == ()
    assert best(entries(*SEVEN[:FEW])) != ()


@pytest.mark.parametrize("votes", [None, 0])
def test_without_a_vote_none_is_the_best(votes: int | None) -> None:
    assert best(entries(*SEVEN, votes=votes)) == ()


def test_without_a_vote_those_likely_to_be_picked_are_the_best() -> None:
    listed = [replace(one, likely=is_likely(one.paper, one.score)) for one in entries(*SEVEN, votes=None)]
    assert [one.likely for one in listed] == [True, True, True, True, True, False, True]
    assert numbers(listed) == [2, 3, 5, 7]
    assert not any(is_likely(one.paper, one.score) for one in entries(*SEVEN, votes=1))


def test_what_is_shown_again_is_not_among_the_best() -> None:
    listed = entries(*SEVEN, rose=9)
    assert best([*listed[:1], *entries(*SEVEN)[1:]])[0] == listed[1].paper.id
    assert best(listed) == ()


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.floats(0, 2)), max_size=40))
def test_there_are_never_too_many_and_no_topic_twice(given: list[tuple[str, float]]) -> None:
    listed = entries(*given)
    topics = {entry.paper.id: entry.topic for entry in listed}
    found = [topics[identity] for identity in best(listed)]
    assert len(found) == len(set(found)) <= BEST


def test_a_good_paper_has_the_votes_of_one_in_ten_and_at_least_five() -> None:
    assert good(range(101)) == 90
    assert good([0, 0, 1]) == good([]) == 5
