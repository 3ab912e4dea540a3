"""What the store keeps comes back, on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

import flows.store
from flows.database import Database
from flows.editions.model import Edition, Kind, Story
from flows.store import Frozen, Store
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
    store, table = Store(database), flows.store.edition
    await store.freeze(made, b"cards", NOON)
    async with database.write() as connection:
        document = json.loads(await connection.scalar(sa.select(table.c.document)) or "")
        assert "best" in document
        await connection.execute(sa.update(table).values(document=json.dumps(without(document))))
    found = await store.find(made.newsletter, Kind.DAILY, made.day)
    assert isinstance(found, Frozen)
    assert found.edition == made
