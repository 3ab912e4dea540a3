"""The same paper under two ids is one."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from flows.editions.alike.duplicates import unique
from flows.papers.model import Paper
from tests.factories import paper

SENTENCES = [f"Sentence {n} tells of island {n}, lamp {n * 7} and swift {n * 11} in words {n * 13}." for n in range(12)]


def written(n: int, *sentences: int, **given: object) -> Paper:
    return paper(n, title=f"Paper {n}", abstract=" ".join(SENTENCES[at] for at in sentences), **given)


def ids(papers: list[Paper]) -> list[str]:
    return [paper.id[-1] for paper in papers]


def test_of_two_with_one_text_the_one_with_more_votes_stays() -> None:
    few, many = written(1, 0, 1, 2, 3, upvotes=2), written(2, 0, 1, 2, 3, 4, upvotes=20)
    assert ids(unique([few, many])) == ["2"]


def test_one_that_could_be_voted_on_stays_though_nobody_did() -> None:
    announced, listed = written(1, 0, 1, 2, 3, upvotes=None), written(2, 0, 1, 2, 3, upvotes=0)
    assert ids(unique([announced, listed])) == ["2"]


def test_different_texts_stay_though_they_share_a_sentence() -> None:
    assert len(unique([written(1, 0, 1, 2, 3, 4, 5), written(2, 5, 6, 7, 8, 9, 10)])) == 2


def test_titles_alone_say_too_little_to_be_compared() -> None:
    one, other = (paper(n, title="A Short Note on Ferns, Part One", abstract="") for n in (1, 2))
    assert len(unique([one, other])) == 2


def test_what_was_shown_under_another_id_is_left_out() -> None:
    shown = written(1, 0, 1, 2, 3)
    assert ids(unique([written(2, 0, 1, 2, 3, upvotes=99), written(3, 6, 7, 8, 9)], [shown])) == ["3"]


def test_a_text_that_others_have_shown_is_no_new_upload_of_theirs() -> None:
    shown = written(1, 0, 1, 2, 3, authors=("Somebody Else",))
    assert ids(unique([written(2, 0, 1, 2, 3)], [shown])) == ["2"]


@given(st.randoms(use_true_random=False))
def test_the_order_in_which_they_come_does_not_matter(shuffled: random.Random) -> None:
    listed = [written(n, n % 3, n % 3 + 1, n % 3 + 2, n % 3 + 3, upvotes=n // 2) for n in range(1, 10)]
    expected = unique(listed)
    shuffled.shuffle(listed)
    assert unique(listed) == expected
    assert 0 < len(expected) < len(listed)


def test_a_flood_of_one_text_leaves_one() -> None:
    assert len(unique([written(n, 0, 1, 2, 3) for n in range(1, 400)])) == 1
