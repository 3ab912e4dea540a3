from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.choose import choose
from flows.editions.compose import compose
from flows.editions.model import Classified, Edition, Interests, Kind, NoEdition
from flows.editions.rank import scorer
from flows.papers.model import Collected, Paper
from tests.factories import DAY, TOPICS, edition, newsletter, paper, papers

TITLES = {"huggingface": "Hugging Face", "arxiv": "arXiv"}


def by_number(found: Paper) -> Classified:
    """Deals papers out over the topics by the last digits of their ids."""
    return Classified(topic=TOPICS[int(found.id[-2:]) % len(TOPICS)].slug, because=("its number",))


def made(listed: list[Paper], **given: Any) -> Edition | NoEdition:
    went = Collected(source="huggingface", day=DAY, papers=tuple(listed))
    usual: dict[str, Any] = {"collections": [went], "topics": TOPICS, "classify": by_number, "titles": TITLES}
    return compose(given.pop("newsletter", newsletter()), Kind.DAILY, DAY, listed, **(usual | given))


def composed(listed: list[Paper], **given: Any) -> Edition:
    found = made(listed, **given)
    assert isinstance(found, Edition)
    return found


@given(st.permutations(papers(12)))
def test_the_same_papers_make_the_same_edition_in_whatever_order_they_come(listed: list[Paper]) -> None:
    assert composed(listed) == composed(papers(12))


def test_sections_follow_the_topics_order_and_hold_every_paper_once() -> None:
    found = composed(papers(12))
    assert [section.topic for section in found.sections] == [topic.slug for topic in TOPICS]
    ids = [entry.paper.id for entry in found.entries]
    assert len(ids) == len(set(ids)) == 12
    for section in found.sections:
        scores = [entry.score for entry in section.entries]
        assert scores == sorted(scores, reverse=True)


def test_what_an_earlier_edition_has_shown_is_left_out() -> None:
    shown = {paper(1).id, paper(2).id}
    assert not shown & {entry.paper.id for entry in composed(papers(5), shown=shown).entries}


def test_a_newsletter_carries_its_topics_alone() -> None:
    found = composed(papers(12), newsletter=newsletter(topics=("video",)))
    assert [section.topic for section in found.sections] == ["video"]


def test_the_edition_says_what_is_missing() -> None:
    broken = Collected(source="arxiv", day=DAY, problem="arXiv answered 503 five times at …: try again later")
    (sentence,) = composed(papers(3), collections=[broken]).missing
    assert sentence == "Some of arXiv's papers of 9 June 2026 could not be had; they follow in the next edition."


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"collections": []}, "The papers of this day have not been collected yet."),
        (
            {"collections": [Collected(source="arxiv", day=DAY, silence="arXiv announces nothing at weekends")]},
            "arXiv announces nothing at weekends.",
        ),
        (
            {"collections": [Collected(source="arxiv", day=DAY, problem="arXiv answered 503 five times")]},
            "arXiv answered 503 five times.",
        ),
        (
            {"listed": papers(2), "shown": {paper(1).id, paper(2).id}},
            "Every paper of this day has stood in an earlier edition.",
        ),
        (
            {"listed": papers(2), "newsletter": newsletter(topics=("astronomy",))},
            "Nothing new was found in the topics that this newsletter carries.",
        ),
    ],
)
def test_no_edition_has_a_reason(given: dict[str, Any], reason: str) -> None:
    found = made(given.pop("listed", []), **given)
    assert isinstance(found, NoEdition)
    assert found.reason == reason


def test_more_votes_rank_higher_and_older_ones_count_less() -> None:
    noon = dt.datetime(2026, 6, 9, 12, tzinfo=dt.UTC)
    few, many = paper(1, upvotes=3, listed_at=noon), paper(2, upvotes=30, listed_at=noon)
    old = paper(3, upvotes=30, listed_at=noon - dt.timedelta(days=3))
    score = scorer([few, many, old], DAY)
    assert score(many) > score(old)
    assert score(many) > score(few)


def test_code_breaks_a_tie() -> None:
    plain, with_code = paper(1, upvotes=5), paper(2, upvotes=5, code="https://example.org/code", stars=10)
    score = scorer([plain, with_code], DAY)
    assert score(with_code) > score(plain)


def test_a_paper_that_nobody_could_vote_on_is_not_one_without_votes() -> None:
    unvoted, cross, ignored = paper(1, upvotes=None, announced="new"), paper(2, upvotes=None), paper(3, upvotes=0)
    score = scorer([unvoted, cross, ignored], DAY)
    assert score(ignored) > score(unvoted) > score(cross)


@given(st.lists(st.none() | st.integers(0, 10**9), max_size=30))
def test_any_votes_can_be_ranked(votes: list[int | None]) -> None:
    listed = [paper(n, upvotes=upvotes) for n, upvotes in enumerate(votes, start=1)]
    score = scorer(listed, DAY)
    assert all(score(one) == score(one) for one in listed)


def test_no_choice_means_everything() -> None:
    whole = edition(papers(9))
    assert choose(whole, Interests()).size == 9


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


def test_what_a_reader_follows_comes_before_the_best_ranked_when_there_is_a_limit() -> None:
    whole = edition([*papers(5), paper(9, title="Ferns")])
    digest = choose(whole, Interests(keywords=("fern",), size=2))
    assert paper(9).id in {one for part in digest.parts for one in part.papers}
