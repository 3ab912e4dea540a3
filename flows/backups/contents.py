"""All that a database holds, as of one moment, out of it and into an empty one of the same kind. Whoever writes
meanwhile is not kept waiting.

SQLite's is a file, made by its online backup (https://www.sqlite.org/backup.html), in one step so that it is one
snapshot. PostgreSQL's is a file for each table, as COPY writes it, out of one transaction (REPEATABLE READ).
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.storage.database import Database, migrate
from flows.storage.private_files import BESIDE

WHOLE = "paperround.db"


async def dump(database: Database, folder: Path) -> list[str]:
    """Writes what the database holds into files of the folder; their names, in the order in which they go in again."""
    if database.engine.dialect.name == "sqlite":
        await asyncio.to_thread(_copy, Path(database.engine.url.database or ""), folder / WHOLE)
        return [WHOLE]
    names = []
    async with database.engine.execution_options(isolation_level="REPEATABLE READ").connect() as connection:
        tables = await connection.run_sync(_tables)  # the transaction begins with the first statement
        driver: Any = (await connection.get_raw_connection()).driver_connection
        for table in tables:
            await driver.copy_from_table(table, output=str(folder / table), format="binary")
            names.append(table)
    return names


async def load(database: Database, folder: Path, names: list[str], revision: str) -> None:
    """Brings back what was dumped of a schema, and then that up to date. The database holds nothing."""
    if database.engine.dialect.name == "sqlite":
        await asyncio.to_thread(_copy, folder / WHOLE, Path(database.engine.url.database or ""))
    else:
        await migrate(database, revision)
        async with database.engine.begin() as connection:
            known = await connection.run_sync(_tables)
            await connection.exec_driver_sql(f"TRUNCATE {', '.join(_quoted(name) for name in known)} CASCADE")
            driver: Any = (await connection.get_raw_connection()).driver_connection
            for name in names:
                await driver.copy_to_table(name, source=str(folder / name), format="binary")
            for table, column, sequence in await _sequences(connection, names):
                highest = sa.func.max(sa.column(column, sa.BigInteger))
                after = sa.select(sa.func.coalesce(highest, 0) + 1).select_from(sa.table(table)).scalar_subquery()
                await connection.execute(sa.select(sa.func.setval(sequence, after, False)))
    await migrate(database)


async def empty(database: Database) -> None:
    """Takes away all that the database holds, its tables as well."""
    if database.engine.dialect.name == "sqlite":
        for ending in BESIDE:
            Path(f"{database.engine.url.database}{ending}").unlink(missing_ok=True)  # noqa: ASYNC240
        return
    async with database.engine.begin() as connection:
        for table in await connection.run_sync(_tables):
            await connection.exec_driver_sql(f"DROP TABLE {_quoted(table)} CASCADE")


async def holds_anything(database: Database) -> bool:
    """Whether there is a database of Paperround's, or of anybody's, that bringing one back would replace."""
    if database.engine.dialect.name == "sqlite" and not os.path.exists(database.engine.url.database or ""):  # noqa: ASYNC240
        return False
    async with database.engine.connect() as connection:
        return bool(await connection.run_sync(_tables))


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source, timeout=30)) as here, closing(sqlite3.connect(target)) as there:
        here.backup(there)


def _tables(connection: sa.Connection) -> list[str]:
    """Those that others refer to before the ones that do."""
    found = sa.inspect(connection).get_sorted_table_and_fkc_names()
    return [name for name, _ in found if name is not None]


async def _sequences(connection: AsyncConnection, tables: list[str]) -> list[tuple[str, str, str]]:
    found = await connection.execute(
        sa.text(
            "SELECT table_name, column_name, pg_get_serial_sequence(quote_ident(table_name), column_name) AS sequence "
            "FROM information_schema.columns WHERE table_schema = current_schema()"
        )
    )
    return [
        (one.table_name, one.column_name, one.sequence) for one in found if one.sequence and one.table_name in tables
    ]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
