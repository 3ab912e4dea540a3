from __future__ import annotations

import asyncio
import datetime as dt

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.engine import Connection

import flows.config.installation
import flows.storage.approvals
import flows.storage.editions
import flows.storage.search
import flows.storage.vocabulary
import subscribers.ledger.shared_limits
import subscribers.tables
from flows.storage.database import Database, Instant, connect, database_now, metadata, migrate

DECLARED = (
    flows.storage.approvals.approval,
    flows.storage.editions.edition,
    flows.storage.search.paper,
    flows.storage.vocabulary.vocabulary,
    flows.config.installation.fingerprint,
    subscribers.ledger.shared_limits.turn,
    subscribers.tables.subscriber,
    subscribers.tables.delivery,
)


async def test_the_migrations_make_the_schema_that_the_stores_declare(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        opts = {
            "include_name": lambda name, kind, parents: (
                not (kind == "table" and name.startswith(flows.storage.search.WORDS))
            )
        }
        return list(compare_metadata(MigrationContext.configure(connection, opts=opts), metadata))

    assert all(table.metadata is metadata for table in DECLARED)
    async with database.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrating_at_the_same_time_and_again_does_no_harm(database: Database) -> None:
    others = [connect(database.engine.url.render_as_string(hide_password=False)) for _ in range(3)]
    await asyncio.gather(*(migrate(other) for other in others))
    for other in others:
        await other.close()


async def test_a_moment_comes_back_as_it_was_kept(database: Database) -> None:
    moment = dt.datetime(2026, 3, 29, 2, 30, 0, 123_000, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    async with database.read() as connection:
        assert await connection.scalar(sa.select(sa.cast(sa.literal(moment, Instant), Instant))) == moment


async def test_the_database_tells_the_time(database: Database) -> None:
    async with database.read() as connection:
        shown = await connection.scalar(sa.select(sa.type_coerce(database_now(), Instant)))
    assert shown is not None
    assert abs(shown - dt.datetime.now(dt.UTC)) < dt.timedelta(seconds=5)


async def test_writers_wait_for_each_other(database: Database) -> None:
    """Each reads what is there and then writes: on SQLite that fails unless the lock is taken at the beginning."""

    async def one(number: int) -> None:
        async with database.write() as connection:
            await connection.execute(sa.select(sa.func.count()).select_from(flows.storage.editions.collection))
            await connection.execute(
                sa.insert(flows.storage.editions.collection).values(
                    source=f"s{number}",
                    day=dt.date(2026, 1, 1),
                    papers=0,
                    skipped="[]",
                    silence="",
                    problem="",
                    collected_at=dt.datetime.now(dt.UTC),
                )
            )

    await asyncio.gather(*(one(number) for number in range(20)))
    async with database.read() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(flows.storage.editions.collection)) == 20


async def test_a_schema_that_is_up_to_date_is_looked_at_while_another_process_writes(database: Database) -> None:
    """Else each run that starts would hold up all others, and a few on a busy machine would give up."""
    other = connect(database.engine.url.render_as_string(hide_password=False))
    try:
        async with database.write() as writing:
            await writing.execute(sa.insert(flows.config.installation.fingerprint).values(name="a", value="b"))
            async with asyncio.timeout(5):
                await migrate(other)
    finally:
        await other.close()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_postgresql_compiles_none_of_our_statements(database: Database) -> None:
    """Not on this connection, and not on the next one of the pool."""
    async with database.read() as one, database.read() as other:
        assert [await connection.scalar(sa.text("SHOW jit")) for connection in (one, other)] == ["off", "off"]
