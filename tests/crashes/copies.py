"""Copies of a database in which a delivery can begin: a file, or a database of the same server."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine


@asynccontextmanager
async def copied(url: str, name: str) -> AsyncIterator[str]:
    """The URL of a copy that is gone afterwards. Nobody may be connected to the original."""
    original = sa.make_url(url)
    if original.get_backend_name() == "sqlite":
        file = Path(original.database or "")
        copy = file.with_name(f"{name}.db")
        shutil.copyfile(file, copy)
        try:
            yield original.set(database=str(copy)).render_as_string(hide_password=False)
        finally:
            for left in copy.parent.glob(f"{copy.name}*"):
                left.unlink()
        return
    await _tell(original, f'CREATE DATABASE "{name}" TEMPLATE "{original.database}"')
    try:
        yield original.set(database=name).render_as_string(hide_password=False)
    finally:
        await _tell(original, f'DROP DATABASE "{name}" WITH (FORCE)')


async def database_of(url: str, name: str) -> str:
    """Makes an empty database on a PostgreSQL server; returns its URL."""
    await _tell(sa.make_url(url), f'CREATE DATABASE "{name}"')
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


async def _tell(url: sa.URL, statement: str) -> None:
    """Databases are made and dropped outside of transactions, from another one."""
    engine = create_async_engine(url.set(database="template1"), isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(sa.text(statement))
    finally:
        await engine.dispose()
