"""What is asked for one reader, one address or one batch finds its rows by an index, however long the list is: each
statement that really runs is explained by PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa

from flows.editions.model import Kind
from flows.outcomes import Outcome, Stage, Verdict
from flows.storage.database import Database, milliseconds
from subscribers.tokens import Purpose
from tests import factories
from tests.context import NOON
from tests.factories import DAY
from tests.many_readers import many_readers
from tests.subscribers.site import Site, act, link, unsubscribe

READERS = 60_000
EDITIONS = 1
LARGE = 5_000
"""A table of so many rows is not read whole for one of them."""
FEW = 10
"""What PostgreSQL reckons a look at the first rows of a table to cost at most: a whole one costs a thousand."""

_HISTORY = """
INSERT INTO delivery (edition_id, subscription_id, state, attempts, first_at, changed_at, code, words)
SELECT 1000000 + e, i, 'sent', 1, :now, :now, 250, '2.0.0 Ok' FROM generate_series(1, :editions) e,
  generate_series(1, :count) i
"""


@dataclass
class Heard:
    """What was asked of a database."""

    database: Database
    statements: dict[str, Any] = field(default_factory=dict)
    """One example of the parameters of each."""

    @contextmanager
    def listening(self) -> Iterator[None]:
        engine = self.database.engine.sync_engine

        def heard(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
            if statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
                self.statements.setdefault(statement, parameters)

        sa.event.listen(engine, "before_cursor_execute", heard)
        try:
            yield
        finally:
            sa.event.remove(engine, "before_cursor_execute", heard)

    async def read_whole(self) -> dict[str, list[str]]:
        """The large tables that are read from one end to the other, by the statement that does so."""
        found: dict[str, list[str]] = {}
        async with self.database.read() as connection:
            large = sa.text("SELECT relname FROM pg_class WHERE reltuples >= :large")
            tables = set(await connection.scalars(large, {"large": LARGE}))
            for statement, parameters in self.statements.items():
                plan = await connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
                said = plan.scalar_one()
                nodes = list(_nodes((json.loads(said) if isinstance(said, str) else said)[0]["Plan"]))
                whole = [one["Relation Name"] for one in nodes if one["Node Type"] == "Seq Scan"]
                if bad := [name for name in whole if name in tables]:
                    found[statement] = bad
        return found


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The steps of a plan; not those of which no more than the first few rows are wanted."""
    if plan["Node Type"] == "Limit" and plan["Total Cost"] < FEW:
        return
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


async def fill(database: Database) -> None:
    async with database.write() as connection:
        await many_readers(connection, READERS, NOON)
        history = {"now": milliseconds(NOON), "count": READERS, "editions": EDITIONS}
        await connection.execute(sa.text(_HISTORY), history)
        for name in ("subscriber_id_seq", "subscription_id_seq"):
            await connection.execute(sa.text(f"SELECT setval('{name}', {READERS + 1})"))
        await connection.execute(sa.text("ANALYZE"))


@pytest.fixture
async def asked(site: Site) -> Heard:
    await fill(site.context.database)
    return Heard(site.context.database)


ON_POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@ON_POSTGRESQL
async def test_a_reader_is_found_by_their_pages_and_by_an_operator(site: Site, asked: Heard) -> None:
    await site.publish(factories.edition(factories.papers(5)))
    one, address = 4_321, "reader4321@mail321.example.org"
    pages = [link(purpose, one) for purpose in (Purpose.MANAGE, Purpose.CONFIRM, Purpose.PRIVATE)]
    with asked.listening():
        for path in ("/", "/archive", f"/archive/daily/{DAY}", "/search?q=paper", *pages, unsubscribe(one)):
            assert (await site.browser.get(path)).status_code == 200, path
        for action in ("pause", "weekly", "resume", f"tune/daily/{DAY}"):
            await site.browser.get(act(one, action))
            assert (await site.browser.post(act(one, action), data={"days": "7"})).status_code < 500
        await site.browser.post(pages[0], data={"frequency": "weekly", "topics": "agents"})
        for email in (address, "somebody.new@example.org"):
            form = {"newsletter": "daily", "frequency": "daily", "address": email}
            assert (await site.browser.post("/subscribe", data=form)).status_code == 200
        assert (await site.browser.post(unsubscribe(one))).status_code == 200
        people = site.context.subscribers
        assert await people.by_address(address, "daily")
        assert await site.context.report.find(1_000_001, address)
        await site.context.ledger.busy_until(1_000_001, one, NOON)
        await people.everything(one)
        assert await people.forget(address, NOON)
    assert len(asked.statements) > 20
    assert await asked.read_whole() == {}


@ON_POSTGRESQL
async def test_a_delivery_finds_its_batches_and_its_rows(site: Site, asked: Heard) -> None:
    ledger = site.context.ledger
    await ledger.open(1, "daily", Kind.DAILY, DAY, NOON, at_once=True)
    async with asked.database.write() as connection:
        await connection.execute(sa.text("ANALYZE"))
    with asked.listening():
        claim = await ledger.claim(1, NOON)
        assert claim is not None
        first, second, *_ = await ledger.due(claim, NOON)
        assert await ledger.mark(first, NOON)
        taken = Outcome(Verdict.SENT, Stage.CONTENT, 250, "2.0.0", "taken")
        assert await ledger.record(first, taken, NOON)
        refused = Outcome(Verdict.DEFERRED, Stage.RCPT, 451, "4.3.0", "later")
        assert await ledger.record(second, refused, NOON, marked=False)
        assert await ledger.any_sent(1)
        await ledger.renew(claim)
        await ledger.release(claim, NOON)
        await ledger.refused_in_a_row(second.subscription_id, [1, 1_000_001, 1_000_002], 2)
        await ledger.already(claim, [1_000_001])
        for waits in (ledger.next_due(1, NOON), ledger.due_since(1), ledger.unfinished(NOON), ledger.is_worked(1)):
            await waits
        await ledger.open_rows(1, 5)
    assert len(asked.statements) > 10
    assert await asked.read_whole() == {}
    # else this could not fail
    with asked.listening():
        async with asked.database.read() as connection:
            await connection.execute(sa.text("SELECT id FROM subscriber WHERE email LIKE '%77@mail77.example.org'"))
    assert list((await asked.read_whole()).values()) == [["subscriber"]]
