"""All that a database holds goes out, and into an empty one of the same kind, where life goes on."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from flows.backups.contents import dump, empty, holds_anything, load
from flows.storage.database import Database, connect, revision_of
from tests.subscribers.everyone import NOW, asked, everything_kept, reader

LATER = NOW + dt.timedelta(hours=1)


@pytest.fixture
async def elsewhere(database: Database, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database of the same kind, as on another machine."""
    if database.engine.dialect.name == "sqlite":
        there = connect(f"sqlite+aiosqlite:///{tmp_path / 'elsewhere.db'}")
    else:
        server = create_async_engine(database.engine.url, isolation_level="AUTOCOMMIT")
        async with server.connect() as connection:
            await connection.execute(sa.text("DROP DATABASE IF EXISTS contents"))
            await connection.execute(sa.text("CREATE DATABASE contents"))
        await server.dispose()
        there = connect(database.engine.url.set(database="contents").render_as_string(hide_password=False))
    yield there
    await there.close()


async def test_every_row_comes_back_and_the_next_gets_a_number_of_its_own(
    database: Database, elsewhere: Database, tmp_path: Path
) -> None:
    await reader(database)
    await asked(database, "ben@example.org")
    kept = await everything_kept(database)
    names = await dump(database, tmp_path)
    await asked(database, "cleo@example.org", now=LATER)
    revision = await revision_of(database)
    assert revision is not None
    await load(elsewhere, tmp_path, names, revision)
    assert await everything_kept(elsewhere) == kept
    assert (await asked(elsewhere, "cleo@example.org", now=LATER)).id == 3


async def test_what_is_emptied_holds_nothing(database: Database, elsewhere: Database) -> None:
    assert not await holds_anything(elsewhere)
    assert await holds_anything(database)
    await database.close()
    await empty(database)
    assert not await holds_anything(database)
