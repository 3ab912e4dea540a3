"""What the store keeps comes back, on SQLite and PostgreSQL."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

import flows.storage.editions
from flows.editions.model import Edition, Kind, Story
from flows.papers.model import Collected
from flows.storage.database import Database
from flows.storage.editions import Frozen, Store
from tests import factories
from tests.context import NOON

LATER = ("best", "rose", "stories")
"""What editions did not have at first."""


def with_all(listed: int) -> Edition:
    """An edition that uses what was added later."""
    made = factories.edition(factories.papers(listed))
    first, *others = made.sections
    papers = tuple(entry.paper.id for entry in first.entries)
    told = replace(
        first,
        entries=(replace(first.entries[0], rose=12), *first.entries[1:]),
        stories=(Story(phrase="Paper Maps", papers=papers),),
    )
    return replace(made, sections=(told, *others), best=tuple(section.entries[0].paper.id for section in made.sections))


async def test_an_edition_comes_back_as_it_was_frozen(database: Database) -> None:
    made = with_all(15)
    frozen = await Store(database).freeze(made, b"cards", NOON)
    assert (frozen.edition, frozen.cards) == (made, b"cards")


async def test_an_edition_that_was_frozen_before_there_were_stories_can_be_read(database: Database) -> None:
    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without(inner) for key, inner in value.items() if key not in LATER}
        return [without(inner) for inner in value] if isinstance(value, list) else value

    made = factories.edition()
    store, table = Store(database), flows.storage.editions.edition
    await store.freeze(made, b"cards", NOON)
    async with database.write() as connection:
        document = json.loads(await connection.scalar(sa.select(table.c.document)) or "")
        assert "best" in document
        await connection.execute(sa.update(table).values(document=json.dumps(without(document))))
    found = await store.find(made.newsletter, Kind.DAILY, made.day)
    assert isinstance(found, Frozen)
    assert found.edition == made


async def test_the_votes_of_two_weeks_are_the_most_that_any_source_saw(database: Database) -> None:
    store = Store(database)
    listed = [factories.paper(1, upvotes=4), factories.paper(2, upvotes=None), factories.paper(3, upvotes=0)]
    for source, day, papers in (
        ("huggingface", factories.DAY, listed),
        ("huggingface", factories.DAY + dt.timedelta(days=1), [factories.paper(1, upvotes=9)]),
        ("huggingface", factories.DAY - dt.timedelta(days=1), [factories.paper(4)]),
        ("arxiv", factories.DAY, [factories.paper(5), factories.paper(3, upvotes=None)]),
    ):
        await store.keep(Collected(source=source, day=day, papers=tuple(papers)), NOON)
    tomorrow = factories.DAY + dt.timedelta(days=1)
    assert await store.votes(factories.DAY, tomorrow, ["huggingface"]) == {listed[0].id: 9, listed[2].id: 0}
    assert set(await store.votes(factories.DAY, factories.DAY, ["arxiv"])) == {factories.paper(5).id}


async def test_earlier_editions_are_the_frozen_ones_before_a_day(database: Database) -> None:
    store = Store(database)
    made = [factories.edition(day=factories.DAY - dt.timedelta(days=age)) for age in (0, 1, 5, 14, 15)]
    for edition in made:
        await store.freeze(edition, b"", NOON)
    await store.freeze(factories.edition(kind=Kind.WEEKLY, day=made[1].day), b"", NOON)
    await store.keep_draft(factories.edition(day=factories.DAY - dt.timedelta(days=3)), NOON)
    found = await store.earlier("daily", Kind.DAILY, made[3].day, factories.DAY)
    assert found == (made[3], made[2], made[1])
