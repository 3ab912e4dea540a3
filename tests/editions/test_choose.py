from __future__ import annotations

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
