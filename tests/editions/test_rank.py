"""What counts as good, and which papers are the best of an edition."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.model import Entry
from flows.editions.rank import BEST, FEW, best, good, is_likely, scorer
from tests.factories import DAY, paper


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


def test_a_paper_with_fewer_votes_than_its_forecast_is_worth_is_called_likely() -> None:
    few, more = paper(1, upvotes=2), paper(2, upvotes=5)
    assert is_likely(few, 0.3, good=40)
    assert not is_likely(more, 0.3, good=40)
    assert not is_likely(few, 0.3, good=10)
    assert not is_likely(few, 0.1, good=400)


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


def test_more_votes_rank_higher_and_older_ones_count_less() -> None:
    noon = dt.datetime(2026, 6, 9, 12, tzinfo=dt.UTC)
    few, many = paper(1, upvotes=3, listed_at=noon), paper(2, upvotes=30, listed_at=noon)
    old = paper(3, upvotes=30, listed_at=noon - dt.timedelta(days=3))
    score = scorer(good=5, day=DAY)
    assert score(many, 0.1) > score(old, 0.1)
    assert score(many, 0.1) > score(few, 0.1)


def test_code_breaks_a_tie() -> None:
    plain, with_code = paper(1, upvotes=5), paper(2, upvotes=5, code="https://example.org/code", stars=10)
    score = scorer(good=5, day=DAY)
    assert score(with_code, 0.1) > score(plain, 0.1)


def test_a_paper_that_nobody_could_vote_on_is_not_one_without_votes() -> None:
    unvoted, cross, ignored = paper(1, upvotes=None, announced="new"), paper(2, upvotes=None), paper(3, upvotes=0)
    score = scorer(good=5, day=DAY)
    assert score(ignored, 0.0) > score(unvoted, 1.0) > score(cross, 1.0)


def test_the_likeliest_to_be_picked_come_first_where_there_are_few_votes_or_none() -> None:
    score = scorer(good=40, day=DAY)
    for votes in (None, 0, 3):
        assert score(paper(1, upvotes=votes, announced="new"), 0.3) > score(paper(2, upvotes=votes), 0.1)
    assert score(paper(1, upvotes=0), 0.5) > score(paper(2, upvotes=2), 0.02)


def test_votes_outweigh_a_forecast_as_they_come() -> None:
    score = scorer(good=40, day=DAY)
    assert score(paper(1, upvotes=15), 0.01) > score(paper(2, upvotes=5), 0.9)
    assert score(paper(1, upvotes=60), 0.01) > score(paper(2, upvotes=50), 0.9)


@given(st.lists(st.none() | st.integers(0, 10**9), max_size=30))
def test_any_votes_can_be_ranked(votes: list[int | None]) -> None:
    listed = [paper(n, upvotes=upvotes) for n, upvotes in enumerate(votes, start=1)]
    score = scorer(good([paper.upvotes for paper in listed if paper.upvotes is not None]), DAY)
    assert all(score(one, 0.5) == score(one, 0.5) for one in listed)
