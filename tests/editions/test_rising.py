"""What readers have seen is shown once more if it rose, and only then."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from flows.editions.model import Edition
from flows.editions.rising import AT_MOST, risen
from flows.papers.model import PaperId
from tests import factories
from tests.factories import DAY, paper

GOOD = 20


def shown(*votes: int | None, age: int = 1, rose: int = 0) -> Edition:
    """An edition of so many days before, whose papers had these votes."""
    made = factories.edition(
        [paper(n, upvotes=given) for n, given in enumerate(votes, start=1)], day=DAY - dt.timedelta(days=age)
    )
    sections = tuple(
        replace(section, entries=tuple(replace(entry, rose=rose) for entry in section.entries))
        for section in made.sections
    )
    return replace(made, sections=sections)


def now(*votes: int) -> dict[PaperId, int]:
    return {paper(n).id: given for n, given in enumerate(votes, start=1)}


@pytest.mark.parametrize(
    ("then", "today", "rose"),
    [
        (3, 23, True),
        (3, 22, False),  # fewer than a good paper has
        (25, 50, True),
        (25, 49, False),  # it stood high already
        (0, 20, True),
        (None, 20, True),  # arXiv had announced it, and now it is voted on
        (40, 10, False),
    ],
)
def test_it_must_have_doubled_by_as_many_votes_as_a_good_paper_has(then: int | None, today: int, rose: bool) -> None:
    found = risen([shown(then)], now(today), GOOD, DAY)
    assert [one.gained for one in found] == ([today - (then or 0)] if rose else [])
    assert all(one.paper.upvotes == today for one in found)


def test_once_only() -> None:
    assert risen([shown(3, age=2), shown(30, age=1, rose=27)], now(300), GOOD, DAY) == []


def test_the_votes_count_since_the_edition_that_showed_it_last() -> None:
    (one,) = risen([shown(30, age=1), shown(3, age=2)], now(65), GOOD, DAY)
    assert one.gained == 35


@pytest.mark.parametrize(("age", "found"), [(1, 1), (7, 1), (8, 0), (0, 0), (-1, 0)])
def test_within_a_week_and_from_earlier_editions_alone(age: int, found: int) -> None:
    assert len(risen([shown(3, age=age)], now(60), GOOD, DAY)) == found


def test_those_that_gained_most_and_few_of_them() -> None:
    found = risen([shown(*range(1, 9))], now(*(50 + 5 * n for n in range(8))), GOOD, DAY)
    assert [one.paper.id[-1] for one in found] == ["8", "7", "6"]
    assert len(found) == AT_MOST


def test_a_paper_whose_votes_are_not_known_did_not_rise() -> None:
    assert risen([shown(3)], {}, GOOD, DAY) == []
