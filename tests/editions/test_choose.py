from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.choose import choose
from flows.editions.model import Interests
from tests.editions.listed import paper, papers
from tests.factories import TOPICS, edition


def test_no_choice_means_everything() -> None:
    whole = edition(papers(9))
    digest = choose(whole, Interests())
    assert digest.size == 9
    assert not digest.chosen
    assert choose(whole, Interests(size=5)).chosen


def test_a_reader_gets_their_topics_in_the_editions_order() -> None:
    digest = choose(edition(papers(9)), Interests(topics=frozenset({"video", "agents"})))
    assert [part.topic for part in digest.parts] == ["agents", "video"]


def test_nothing_in_the_readers_topics_is_no_mail_with_a_reason() -> None:
    digest = choose(edition(papers(1)), Interests(topics=frozenset({"astronomy"})))
    assert (digest.parts, digest.reason) == ((), "nothing in the reader's topics")


@given(st.integers(1, 12), st.sets(st.sampled_from([topic.slug for topic in TOPICS])))
def test_a_readers_digest_is_the_best_of_their_topics(size: int, topics: set[str]) -> None:
    whole = edition(papers(10))
    digest = choose(whole, Interests(topics=frozenset(topics), size=size))
    theirs = [entry for entry in whole.entries if not topics or entry.topic in topics]
    assert digest.size == min(size, len(theirs))
    got = {one for part in digest.parts for one in part.papers}
    best = sorted((entry.score for entry in theirs), reverse=True)[:size]
    assert sorted((entry.score for entry in theirs if entry.paper.id in got), reverse=True) == best


def test_what_a_reader_follows_comes_before_the_best_ranked_when_there_is_a_limit() -> None:
    whole = edition([*papers(5), paper(9, title="Ferns")])
    digest = choose(whole, Interests(keywords=("fern",), size=2))
    assert paper(9).id in {one for part in digest.parts for one in part.papers}


@pytest.mark.parametrize(
    ("phrase", "gone"),
    [
        ("ferns", True),
        ("study 9", True),
        ("Zoe Quill", True),
        ("Quill, Z.", True),
        ("fern moss", False),
        ("the", False),
        ("Dora Quill", False),
    ],
)
def test_what_a_reader_leaves_out_is_not_shown_whatever_speaks_for_it(phrase: str, gone: bool) -> None:
    whole = edition([*papers(5), paper(9, title="Ferns", authors=("Zoe Quill",))])
    digest = choose(whole, Interests(keywords=("fern", "study"), authors=("Zoe Quill",), leave_out=(phrase,)))
    shown = {one for part in digest.parts for one in part.papers}
    assert shown == {entry.paper.id for entry in whole.entries} - ({paper(9).id} if gone else set())


def test_what_is_left_out_takes_no_room_and_is_not_told_as_more() -> None:
    whole = edition([*papers(5), paper(9, title="Ferns")])
    digest = choose(whole, Interests(leave_out=("fern",), size=5))
    assert (digest.size, sum(digest.left.values())) == (5, 0)


def test_a_mail_of_which_all_is_left_out_does_not_come_and_says_why() -> None:
    whole = edition(papers(3))
    for interests in (Interests(), Interests(keywords=("study",))):
        digest = choose(whole, replace(interests, leave_out=("study",)))
        assert (digest.parts, digest.reason) == ((), "all of it matches what the reader leaves out")


@given(st.lists(st.sampled_from(["fern", "Ada Brook", "study 3", "swift", "c++", "日本"]), max_size=4), st.data())
def test_leaving_out_only_takes_away(phrases: list[str], data: st.DataObject) -> None:
    """And what is left stands in the same order."""
    followed = tuple(data.draw(st.lists(st.sampled_from(["study", "fern", "swift"]), max_size=2)))
    titles = ["Ferns", "Swifts", "A C++ Compiler", "日本 Maps"]
    whole = edition([paper(n, title=title, authors=()) for n, title in enumerate(titles, 1)] + papers(9)[4:])
    without, with_them = (
        [one for part in choose(whole, Interests(keywords=followed, leave_out=out)).parts for one in part.papers]
        for out in (tuple(phrases), ())
    )
    assert without == [one for one in with_them if one in without]
    assert phrases or without == with_them
