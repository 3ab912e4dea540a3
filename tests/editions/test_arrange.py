from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions import week
from flows.editions.arrange import compose
from flows.editions.choose import choose
from flows.editions.model import Classified, Edition, Interests, Kind, NoEdition
from flows.editions.rank import good, scorer
from flows.papers.model import Collected, Paper
from tests import factories
from tests.factories import DAY, TOPICS, edition, newsletter

TITLES = {"huggingface": "Hugging Face", "arxiv": "arXiv"}


def paper(n: int = 1, **given: Any) -> Paper:
    """A paper with a text of its own: of those that have the same one, an edition shows the best."""
    return factories.paper(n, **({"abstract": f"Study {n}."} | given))


def papers(count: int) -> list[Paper]:
    return [paper(n) for n in range(1, count + 1)]


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


def test_a_day_without_votes_is_ranked_by_what_is_likely_to_be_picked() -> None:
    title = "ClickBench: Can Agents Use Any Computer?"
    abstract = "An open benchmark of long-horizon tasks for multimodal agents, with code at https://github.com/e/click."
    dull = [
        paper(n, title=f"Clinical signals {n}", abstract="A case of a disease.", upvotes=None, announced="new")
        for n in range(1, 9)
    ]
    likely = paper(9, title=title, abstract=abstract, authors=("A",) * 12, upvotes=None, announced="new")
    found = composed([*dull, likely], classify=lambda _: Classified(topic="agents"))
    first, *others = found.entries
    assert first.paper.id == likely.id
    assert first.likely
    assert not any(entry.likely for entry in others)
    assert found.best == (likely.id,)
    (voted,) = composed([replace(likely, upvotes=30)]).entries
    assert voted.forecast == first.forecast
    assert not voted.likely


@given(st.lists(st.none() | st.integers(0, 10**9), max_size=30))
def test_any_votes_can_be_ranked(votes: list[int | None]) -> None:
    listed = [paper(n, upvotes=upvotes) for n, upvotes in enumerate(votes, start=1)]
    score = scorer(good([paper.upvotes for paper in listed if paper.upvotes is not None]), DAY)
    assert all(score(one, 0.5) == score(one, 0.5) for one in listed)


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


# --- what was seen before, and what is one


def yesterdays(listed: list[Paper]) -> Edition:
    return replace(composed(listed), day=DAY - dt.timedelta(days=1), number=1)


def test_a_paper_that_rose_is_shown_once_more_and_says_so() -> None:
    before = yesterdays([paper(1, upvotes=2), paper(2, upvotes=40)])
    shown = {paper(1).id, paper(2).id}
    listed = [paper(1, upvotes=52), paper(2, upvotes=60), *(paper(n, upvotes=n) for n in range(3, 20))]
    found = composed(listed, shown=shown, earlier=[before])
    assert {entry.paper.id: entry.rose for entry in found.entries if entry.rose} == {paper(1).id: 50}
    assert [entry.paper.upvotes for entry in found.entries if entry.rose] == [52]
    assert paper(2).id not in {entry.paper.id for entry in found.entries}
    assert paper(1).id not in found.best
    following = replace(found, day=DAY, number=2)
    listed = [paper(1, upvotes=520), paper(30)]
    again = compose(
        newsletter(),
        Kind.DAILY,
        DAY + dt.timedelta(days=1),
        listed,
        shown=shown,
        earlier=[before, following],
        topics=TOPICS,
        classify=by_number,
        titles=TITLES,
    )
    assert isinstance(again, Edition)
    assert [entry.paper.id for entry in again.entries] == [paper(30).id]


def test_a_paper_that_rose_is_shown_though_it_is_no_longer_listed_with_its_votes_of_today() -> None:
    before = yesterdays([paper(1, upvotes=2)])
    found = composed([paper(3)], shown={paper(1).id}, earlier=[before], votes={paper(1).id: 80, paper(3).id: 9})
    assert [(entry.paper.upvotes, entry.rose) for entry in found.entries if entry.rose] == [(80, 78)]


def test_what_rose_makes_no_edition_without_something_new() -> None:
    before = yesterdays([paper(1, upvotes=2)])
    found = made([paper(1, upvotes=200)], shown={paper(1).id}, earlier=[before])
    assert isinstance(found, NoEdition)
    assert found.reason == "Every paper of this day has stood in an earlier edition."


def test_a_paper_under_two_ids_is_shown_once_and_not_again_on_the_day_after() -> None:
    first, second = (factories.paper(n, title="Swifts") for n in (1, 2))
    assert [entry.paper.id for entry in composed([first, second, paper(3)]).entries if entry.topic == "video"] == [
        second.id
    ]
    found = composed([second, paper(3)], shown={first.id}, earlier=[yesterdays([first])])
    assert [entry.paper.id for entry in found.entries] == [paper(3).id]


def test_an_edition_names_its_best() -> None:
    found = composed(papers(12))
    assert len(found.best) == len(TOPICS)
    scores = {entry.paper.id: entry.score for entry in found.entries}
    assert [scores[one] for one in found.best] == sorted((scores[one] for one in found.best), reverse=True)
    assert found.best[0] == max(found.entries, key=lambda entry: entry.score).paper.id
    assert composed(papers(5)).best == ()


@given(st.randoms(use_true_random=False))
def test_stories_second_ids_and_what_rose_do_not_depend_on_the_order_either(shuffled: Any) -> None:
    tides = [paper(20 + n, title=f"Tidal Pools, Survey {n}", abstract=f"Warm tidal pools {n}.") for n in range(4)]
    twice = [factories.paper(n, upvotes=7) for n in (40, 41)]
    listed = [paper(1, upvotes=90), *(paper(n, title=f"Study {n}") for n in range(2, 16)), *tides, *twice]
    given: dict[str, Any] = {"shown": {paper(1).id}, "earlier": [yesterdays([paper(1, upvotes=1)])]}
    given["classify"] = lambda one: Classified(topic="agents")
    expected = composed(listed, **given)
    (section,) = expected.sections
    assert [story.phrase for story in section.stories] == ["Tidal Pools"]
    assert sum(entry.rose for entry in section.entries) == 89
    assert len({one.id for one in twice} & {entry.paper.id for entry in section.entries}) == 1
    shuffled.shuffle(listed)
    assert composed(listed, **given) == expected


# --- weekly


def of_the_week(listed: list[Paper], **given: Any) -> Edition | NoEdition:
    days = [DAY - dt.timedelta(days=age) for age in range(7)]
    usual: dict[str, Any] = {
        "collections": [Collected(source="huggingface", day=day) for day in days],
        "topics": TOPICS,
        "classify": by_number,
        "titles": {"huggingface": "Hugging Face"},
    }
    return compose(given.pop("newsletter", newsletter()), Kind.WEEKLY, DAY, listed, **(usual | given))


def best_of(listed: list[Paper], **given: Any) -> Edition:
    found = of_the_week(listed, **given)
    assert isinstance(found, Edition), found
    return found


@given(st.lists(st.none() | st.integers(0, 50), min_size=1, max_size=80), st.randoms())
def test_a_week_has_the_best_of_each_topic_and_every_topic(votes: list[int | None], random: Any) -> None:
    listed = [paper(n, upvotes=upvotes) for n, upvotes in enumerate(votes, start=1)]
    found = best_of(listed)
    assert {section.topic for section in found.sections} == {by_number(one).topic for one in listed}
    assert found.size <= week.OF_A_WEEK
    shown = {entry.paper.id for entry in found.entries}
    for section in found.sections:
        assert 1 <= len(section.entries) <= week.OF_A_TOPIC
        left = [one for one in listed if by_number(one).topic == section.topic and one.id not in shown]
        worst = section.entries[-1].paper.upvotes
        assert all((-1 if one.upvotes is None else one.upvotes) <= (-1 if worst is None else worst) for one in left)
    random.shuffle(listed)
    assert best_of(listed) == found


def test_a_week_names_its_best() -> None:
    found = best_of([paper(n) for n in range(1, 60)])
    scores = {entry.paper.id: entry.score for entry in found.entries}
    assert len(found.best) == len(TOPICS)
    assert scores[found.best[0]] == max(scores.values())


def test_a_week_shows_nothing_again() -> None:
    before = replace(best_of([paper(1, upvotes=1)]), day=DAY - dt.timedelta(days=7))
    found = best_of([paper(1, upvotes=500), paper(2)], shown={paper(1).id}, earlier=[before])
    assert [entry.paper.id for entry in found.entries] == [paper(2).id]


def test_when_there_are_more_topics_than_places_can_fill_the_best_ranked_have_the_rest() -> None:
    many = [replace(TOPICS[0], slug=f"topic-{n:02}", order=n) for n in range(30)]
    listed = [paper(n, upvotes=1000 - n) for n in range(1, 151)]
    found = best_of(listed, topics=many, classify=lambda one: Classified(topic=f"topic-{int(one.id[-3:]) % 30:02}"))
    assert found.size == week.OF_A_WEEK
    assert len(found.sections) == 30
    assert {entry.paper.id for entry in found.entries} == {one.id for one in listed[:40]}


def test_the_votes_of_a_week_stand_as_they_are() -> None:
    noon = dt.datetime(2026, 6, 9, 12, tzinfo=dt.UTC)
    early = paper(1, upvotes=31, listed_at=noon - dt.timedelta(days=6))
    late = paper(6, upvotes=30, listed_at=noon)
    (section,) = best_of([early, late]).sections
    assert [entry.paper.id for entry in section.entries] == [early.id, late.id]
    (section,) = composed([early, late]).sections
    assert [entry.paper.id for entry in section.entries] == [late.id, early.id]


def test_of_those_equally_likely_that_nobody_votes_on_who_clearest_belongs_to_a_topic_is_its_best() -> None:
    listed = [
        paper(n, title=f"Study {n}", abstract=f"Part {n}.", authors=("A", "B"), upvotes=None, announced="new")
        for n in range(1, 10)
    ]
    (section,) = best_of(
        listed, classify=lambda one: Classified(topic="agents", score=float(int(one.id[-1]) * 7 % 10))
    ).sections
    assert [int(entry.paper.id[-1]) for entry in section.entries] == [7, 4, 1, 8, 5]


def test_a_weekly_edition_names_the_days_that_could_not_be_had_once_for_each_source() -> None:
    broken = [
        Collected(source="arxiv", day=DAY - dt.timedelta(days=age), problem="arXiv answered 503") for age in (0, 1, 6)
    ]
    (sentence,) = best_of(papers(3), collections=broken, titles=TITLES).missing
    days = "3 June 2026, 8 June 2026 and 9 June 2026"
    assert sentence == f"Some of arXiv's papers or votes of {days} could not be had."


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"collections": []}, "The papers of this week have not been collected yet."),
        ({}, "Hugging Face listed no papers from 3 June 2026 to 9 June 2026."),
        (
            {"collections": [Collected(source="huggingface", day=DAY, problem="Hugging Face answered 503 five times")]},
            "Hugging Face answered 503 five times.",
        ),
        (
            {
                "collections": [
                    Collected(source="huggingface", day=DAY - dt.timedelta(days=age), problem="It answered 503")
                    for age in range(7)
                ]
            },
            "It answered 503. 7 collections of this week failed.",
        ),
        (
            {"listed": papers(2), "shown": {paper(1).id, paper(2).id}},
            "Every paper of this week has stood in an earlier weekly edition.",
        ),
        (
            {"listed": papers(2), "newsletter": newsletter(topics=("astronomy",))},
            "Nothing new was found in the topics that this newsletter carries.",
        ),
    ],
)
def test_no_weekly_edition_has_a_reason(given: dict[str, Any], reason: str) -> None:
    found = of_the_week(given.pop("listed", []), **given)
    assert isinstance(found, NoEdition)
    assert (found.kind, found.reason) == (Kind.WEEKLY, reason)
