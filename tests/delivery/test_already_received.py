"""What readers of a weekly edition have got of it already, in daily editions, on SQLite and PostgreSQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from flows.delivery.already_received import dailies
from flows.editions.model import Kind
from flows.storage.database import Database
from flows.storage.editions import Frozen
from subscribers.ledger.ledger import Ledger
from tests import factories
from tests.delivery.test_run import Scene
from tests.delivery.test_weekly import (
    MONDAY,
    SATURDAY,
    SENT,
    SKIPPED,
    TUESDAY,
    WEEKLY,
    delivered,
    frozen,
    titles,
)
from tests.sending.smtp import mail_server

WEEK = factories.edition(kind=Kind.WEEKLY, day=SATURDAY)


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    """Its clock stands at noon of a Tuesday."""
    async with mail_server() as server:
        yield Scene(database, tmp_path, server)


async def test_the_weeks_days_count_and_those_that_came_while_its_readers_waited(scene: Scene) -> None:
    """From Sunday to Saturday, and no further than the day that is over everywhere: not the week before."""
    days = {day: await frozen(scene, Kind.DAILY, SATURDAY + dt.timedelta(days=day)) for day in (-7, -6, 0, 1, 2, 8, 9)}
    scene.clock.forward(days=6)  # Monday
    assert set(await dailies(scene.context, WEEK)) == {days[one].id for one in (-6, 0, 1, 2)}
    scene.clock.forward(days=14)
    assert set(await dailies(scene.context, WEEK)) == {days[one].id for one in (-6, 0, 1, 2, 8)}


async def test_other_newsletters_and_weeks_are_none_of_them(scene: Scene) -> None:
    await frozen(scene, Kind.WEEKLY, SATURDAY)
    other = factories.edition(newsletter="arxiv", day=TUESDAY)
    await scene.context.store.freeze(other, b"", scene.clock())
    assert await dailies(scene.context, WEEK) == {}


async def test_who_changed_to_weekly_gets_the_weekly_edition_less_what_they_had_got(scene: Scene) -> None:
    """In one edition after another: a daily one on Monday and on Tuesday, then the week's."""
    await scene.subscribe("changed@example.org", "always@example.org", "part@example.org")
    await scene.subscribe("part@example.org", topics=("agents",))
    await scene.subscribe("always@example.org", **WEEKLY)
    await delivered(scene, await frozen(scene, Kind.DAILY, MONDAY, factories.papers(10)[:2]))
    await delivered(scene, await frozen(scene, Kind.DAILY, TUESDAY, factories.papers(10)[2:4]))
    await scene.subscribe("changed@example.org", "part@example.org", **WEEKLY)
    await scene.subscribe("part@example.org", topics=())
    await delivered(scene, await frozen(scene, Kind.DAILY, TUESDAY + dt.timedelta(days=1), factories.papers(10)[4:6]))
    scene.clock.forward(days=4)
    assert (await delivered(scene, await frozen(scene, Kind.WEEKLY, SATURDAY, factories.papers(10)))).counts == {
        SENT: 3
    }
    assert titles(scene, "always@example.org") == [{str(n) for n in range(1, 11)}]
    assert titles(scene, "changed@example.org")[-1] == {str(n) for n in range(5, 11)}
    # what daily editions had for the interests that they have now
    assert titles(scene, "part@example.org")[-1] == {str(n) for n in range(5, 11)}


async def test_a_weekly_reader_who_has_got_all_of_it_is_skipped_with_the_reason(scene: Scene) -> None:
    await scene.subscribe("changed@example.org")
    await delivered(scene, await frozen(scene, Kind.DAILY, TUESDAY, factories.papers(6)))
    await scene.subscribe("changed@example.org", **WEEKLY)
    scene.clock.forward(days=4)
    ended = await delivered(scene, await frozen(scene, Kind.WEEKLY, SATURDAY, factories.papers(5)))
    assert ended.counts == {SKIPPED: 1}
    assert ended.reasons[SKIPPED] == {"the reader has got all of it already": 1}


async def test_a_daily_edition_that_was_not_sent_takes_nothing_from_the_weekly_one(scene: Scene) -> None:
    await scene.subscribe("spam-1@example.org")
    await delivered(scene, await frozen(scene, Kind.DAILY, TUESDAY, factories.papers(3)))
    await scene.subscribe("spam-1@example.org", **WEEKLY)
    found = await frozen(scene, Kind.WEEKLY, SATURDAY, factories.papers(5))
    ledger: Ledger = scene.context.ledger
    await ledger.open(found.id, "daily", Kind.WEEKLY, SATURDAY, scene.clock(), at_once=False)
    claim = await ledger.claim(found.id, scene.clock())
    assert claim is not None
    daily = await scene.context.store.find("daily", Kind.DAILY, TUESDAY)
    assert isinstance(daily, Frozen)
    assert await ledger.already(claim, [daily.id]) == {}


async def test_the_ledger_says_which_editions_each_reader_of_a_batch_was_sent(scene: Scene) -> None:
    await scene.subscribe("a@example.org", "b@example.org", "c@example.org")
    dailies = [await frozen(scene, Kind.DAILY, day, factories.papers(2)) for day in (MONDAY, TUESDAY)]
    await delivered(scene, dailies[0])
    await scene.subscribe("b@example.org", **WEEKLY)
    await delivered(scene, dailies[1])
    await scene.subscribe("c@example.org", "late@example.org", **WEEKLY)
    found = await frozen(scene, Kind.WEEKLY, SATURDAY, factories.papers(5))
    ledger: Ledger = scene.context.ledger
    await ledger.open(found.id, "daily", Kind.WEEKLY, SATURDAY, scene.clock(), at_once=False)
    claim = await ledger.claim(found.id, scene.clock())
    assert claim is not None
    names = {
        item.subscription_id: item.subscription.email
        for item in await ledger.due(claim, scene.clock())
        if item.subscription
    }
    got = await ledger.already(claim, [one.id for one in dailies])
    assert {names[reader]: set(editions) for reader, editions in got.items()} == {
        "b@example.org": {dailies[0].id},
        "c@example.org": {dailies[0].id, dailies[1].id},
    }
