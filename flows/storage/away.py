"""A database that is away for a while: restarted, locked by another, out of disk. What has happened meanwhile is not
undone by that, and is written down when it is back."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import asyncpg
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

T = TypeVar("T")

PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds between attempts; the last one repeats."""
_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
    }
)
_POSTGRESQL = ("08", "40", "53", "55", "57", "58")
"""Classes of PostgreSQL's errors that pass by (its manual, appendix A): connection, rollback, resources, state,
intervention, system."""


def is_away(error: BaseException) -> bool:
    """Whether a database may take later what it did not take now."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        if isinstance(one, sqlite3.OperationalError):
            return (getattr(one, "sqlite_errorcode", 0) & 0xFF) in _SQLITE
        state = getattr(one, "sqlstate", None)
        if isinstance(state, str):
            return state[:2] in _POSTGRESQL
        if isinstance(one, asyncpg.InterfaceError | OSError | TimeoutError | PoolTimeoutError):
            return True
        one = getattr(one, "orig", None) or one.__cause__
    return False


def in_words(error: BaseException) -> str:
    """What failed in a line; the database's own words have no values in them."""
    driver = getattr(error, "orig", None) or error
    words = str(driver.__cause__ or driver).splitlines()
    return words[0][:200] if words else type(error).__name__


async def until_back(call: Callable[[], Awaitable[T]], say: Callable[[str], None], over: asyncio.Event) -> T:
    """What `call` gives, tried again while the database is away, which is said once; what fails otherwise is raised,
    and also this once it is `over`."""
    tries = 0
    while True:
        try:
            found = await call()
        except Exception as error:
            if not is_away(error) or over.is_set():
                raise
            if not tries:
                say(f"The database is away ({in_words(error)}): it is waited for.")
        else:
            if tries:
                say("The database is there again.")
            return found
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), PAUSES[min(tries, len(PAUSES) - 1)])
        tries += 1
