from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions import week
from flows.editions.arrange import compose
from flows.editions.model import Classified, Edition, Kind, NoEdition
from flows.papers.model import Collected, Paper
from tests.editions.listed import TITLES, by_number, composed, paper, papers
from tests.factories import DAY, TOPICS, newsletter


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
