from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.arrange import compose
from flows.editions.model import Classified, Edition, Kind, NoEdition
from flows.papers.model import Collected, Paper
from tests import factories
from tests.editions.listed import TITLES, by_number, composed, made, paper, papers
from tests.factories import DAY, TOPICS, newsletter


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
