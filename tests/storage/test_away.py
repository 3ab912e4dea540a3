"""A database that is away is waited for, and told from a mistake of ours."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa

from flows.storage.away import in_words, is_away, until_back
from flows.storage.database import Database


def locked(folder: Path) -> sqlite3.OperationalError:
    """What SQLite says while another has the file."""
    file = folder / "locked.db"
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    other = sqlite3.connect(file, timeout=0, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError) as error:
        other.execute("BEGIN IMMEDIATE")
    holder.close()
    other.close()
    return error.value


def test_a_lock_a_lost_connection_and_a_restart_pass_by(tmp_path: Path) -> None:
    assert is_away(locked(tmp_path))
    assert is_away(ConnectionRefusedError())
    assert is_away(asyncpg.CannotConnectNowError("the database system is starting up"))
    assert is_away(asyncpg.InterfaceError("connection is closed"))


def test_what_is_beneath_another_error_counts_and_a_circle_ends(tmp_path: Path) -> None:
    assert is_away(sa.exc.OperationalError("UPDATE batch", None, locked(tmp_path)))
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert not is_away(one)


def test_a_mistake_of_ours_does_not_pass_by() -> None:
    with pytest.raises(sqlite3.OperationalError) as error:
        sqlite3.connect(":memory:").execute("SELECT * FROM nowhere")
    assert not is_away(error.value)
    assert not is_away(asyncpg.UndefinedTableError("relation nowhere does not exist"))
    assert not is_away(ValueError())


async def test_words_of_an_error_are_one_line_without_values(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError) as error:
        async with database.read() as connection:
            await connection.execute(sa.text("SELECT :secret FROM nowhere"), {"secret": "ada@example.org"})
    words = in_words(error.value)
    assert "nowhere" in words
    assert "ada@" not in words
    assert "\n" not in words
    assert in_words(TimeoutError()) == "TimeoutError"


async def test_it_is_tried_again_until_it_is_back_and_said_once(tmp_path: Path) -> None:
    said: list[str] = []
    fails = [ConnectionRefusedError("refused"), locked(tmp_path)]

    async def call() -> int:
        if fails:
            raise fails.pop()
        return 7

    assert await until_back(call, said.append, asyncio.Event()) == 7
    assert said == [
        "The database is away (database is locked): it is waited for.",
        "The database is there again.",
    ]


async def test_what_fails_otherwise_and_what_is_over_is_raised_at_once() -> None:
    over, said = asyncio.Event(), []  # type: ignore[var-annotated]

    async def wrong() -> int:
        raise KeyError("wrong")

    async def away() -> int:
        raise ConnectionRefusedError("refused")

    with pytest.raises(KeyError):
        await until_back(wrong, said.append, over)
    over.set()
    with pytest.raises(ConnectionRefusedError):
        await until_back(away, said.append, over)
    assert said == []
