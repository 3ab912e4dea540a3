"""What has come out, for whoever reads it on the web."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from flows.editions.model import Kind, NoEdition
from flows.papers.model import Collected, Paper
from flows.storage.archive import Archive
from flows.storage.database import Database
from flows.storage.editions import Store
from flows.storage.query import parse
from tests import factories
from tests.context import NOON
from tests.factories import DAY

LATER = DAY + dt.timedelta(days=1)


async def keep(database: Database, *papers: Paper, day: dt.date = DAY, source: str = "huggingface") -> None:
    await Store(database).keep(Collected(source=source, day=day, papers=papers), NOON)


async def test_of_a_newsletters_papers_of_late_those_that_hold_a_phrase_are_counted(database: Database) -> None:
    hedges = [factories.paper(n, abstract="Of neural hedges.") for n in range(1, 5)]
    await keep(database, *hedges, ONE_MORE)
    old = factories.paper(8, abstract="Of neural hedges.", day=DAY - dt.timedelta(days=60))
    await keep(database, old, day=old.day)
    store = Store(database)
    await store.freeze(factories.edition([old], day=old.day), b"", NOON)
    await store.freeze(factories.edition([*hedges[:3], ONE_MORE]), b"", NOON)
    await store.freeze(factories.edition(hedges[2:3], day=LATER), b"", NOON)
    await store.freeze(factories.edition(hedges, newsletter="other"), b"", NOON)
    queries = [parse(words) for words in ('"neural hedge"', '"neural bridges"', '"hedge"')]
    month = DAY - dt.timedelta(days=31)
    assert await Archive(database).counts("daily", month, LATER, queries, hedges[0].id) == ([2, 0, 2], 3)
    assert await Archive(database).counts("nobody", month, LATER, queries, hedges[0].id) == ([0, 0, 0], 0)


ONE_MORE = factories.paper(9, abstract="Bridges and neural nets.")


async def came_out(database: Database, day: dt.date = DAY, **given: Any) -> None:
    made = factories.edition(day=day, **given)
    await keep(database, *[entry.paper for section in made.sections for entry in section.entries], day=day)
    await Store(database).freeze(made, b"cards", NOON)


async def test_editions_are_listed_by_month_day_and_paper(database: Database) -> None:
    archive, july = Archive(database), dt.date(2026, 7, 1)
    await came_out(database)
    await came_out(database, july, number=8)
    assert await archive.months() == [dt.date(2026, 7, 1), dt.date(2026, 6, 1)]
    (issue,) = await archive.issues(DAY, DAY)
    assert (issue.newsletter, issue.day, issue.number, issue.papers, issue.reason) == ("daily", DAY, 7, 7, "")
    assert [one.day for one in await archive.every(1)] == [july]
    assert await archive.beside("daily", Kind.DAILY, DAY) == (None, july)
    assert await archive.beside("daily", Kind.WEEKLY, july) == (None, None)
    held = await archive.holding(factories.paper(1).id)
    assert [(one.day, one.topic) for one in held] == [(july, "agents"), (DAY, "agents")]
    assert await archive.holding(factories.paper(50).id) == []


async def test_a_draft_has_not_come_out_and_a_day_without_an_edition_says_why(database: Database) -> None:
    archive, store = Archive(database), Store(database)
    await store.keep_draft(factories.edition(), NOON)
    assert await archive.months() == []
    assert await archive.issues(DAY, LATER) == []
    assert await archive.changed_at("daily") is None
    await store.keep_draft(NoEdition(newsletter="daily", kind=Kind.DAILY, day=LATER, reason="Nothing came."), NOON)
    (none,) = await archive.issues(DAY, LATER)
    assert (none.day, none.reason, none.papers) == (LATER, "Nothing came.", 0)
    assert await archive.every(5) == []
    assert await archive.leads([none]) == {}


async def test_the_lead_is_the_best_paper_of_the_whole_edition(database: Database) -> None:
    listed = factories.papers(4)
    made = factories.edition(listed)
    await keep(database, *listed)
    await Store(database).freeze(replace(made, best=(listed[2].id,)), b"", NOON)
    await came_out(database, LATER, newsletter="other")
    archive = Archive(database)
    issues = await archive.issues(DAY, LATER)
    leads = {("daily", Kind.DAILY, DAY): listed[2].title, ("other", Kind.DAILY, LATER): factories.paper(1).title}
    assert await archive.leads(issues) == leads
    assert await archive.leads(issues) == leads


async def test_a_topic_lists_each_paper_once_by_its_first_day(database: Database) -> None:
    await came_out(database)
    await came_out(database, LATER)
    archive = Archive(database)
    first, *_ = listed = await archive.of_topic("daily", "code", 10)
    assert [(one.paper, one.day) for one in listed] == [("2606.00007", DAY), ("2606.00002", DAY)]
    assert first.at == NOON
    assert len(await archive.of_topic("daily", "code", 1)) == 1
    assert await archive.of_topic("other", "code", 10) == []
    assert await archive.changed_at("daily", "code") == NOON
    assert await archive.changed_at("daily", "nothing") is None
    (newest, at), _ = await archive.newest("daily", 10)
    assert (newest.day, at) == (LATER, NOON)
