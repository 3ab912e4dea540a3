"""Whether what should answer does: a part that answers nothing any more is started again; what is not ours to start,
the database or somebody else's Prefect server, is told of when it goes and when it is back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from flows.context import Say
from flows.processes.supervisor import Supervisor
from flows.storage.away import in_words
from flows.storage.database import Database

EVERY = 10.0
"""Seconds between two looks."""
PATIENCE = 120.0
"""Seconds without any answer after which a part is started again: a busy machine takes its time to start one."""


async def keep_answering(
    supervisor: Supervisor, name: str, url: str, *, every: float = EVERY, patience: float = PATIENCE
) -> None:
    """Ends a part of ours that hangs, so that it is started again; an answer of whatever status will do. One that has
    not answered at all since then is given twice the time: on a machine that is too slow for `patience` it would be
    ended in the middle of every start."""
    silent, allowed = 0.0, patience
    async with httpx.AsyncClient(timeout=every) as client:
        while not supervisor.stopping.is_set():
            before = asyncio.get_running_loop().time()
            try:
                await client.get(url)
                silent, allowed = 0.0, patience
            except httpx.HTTPError:
                await supervisor.pause(every)
                silent += asyncio.get_running_loop().time() - before
            else:
                await supervisor.pause(every)
            if silent > allowed and supervisor.age(name) > allowed:
                supervisor.kill(name, f"The {name} has answered nothing for {silent:.0f} s.")
                silent, allowed = 0.0, allowed * 2


async def keep_current(supervisor: Supervisor, name: str, file: Path, *, every: float = EVERY) -> None:
    """Starts a part of ours anew when a file has changed that it reads at its start."""

    def stamp() -> tuple[int, int]:
        try:
            found = file.stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_ino

    before = stamp()
    while not supervisor.stopping.is_set():
        await supervisor.pause(every)
        if (now := stamp()) != before:
            before = now
            supervisor.renew(name, f"What is set in Prefect has changed: the {name} takes it over.")


async def tell_of(
    supervisor: Supervisor, say: Say, trouble: Callable[[], Awaitable[str]], back: str, every: float = EVERY
) -> None:
    """Says what is wrong, as `trouble` words it, when it begins, and `back` when it is over."""
    known = False
    while not supervisor.stopping.is_set():
        words = await trouble()
        if words and not known:
            say(words)
        elif known and not words:
            say(back)
        known = bool(words)
        await supervisor.pause(every)


async def database_trouble(database: Database) -> str:
    """What keeps the database from answering, in a sentence; empty: it answers."""
    try:
        async with asyncio.timeout(EVERY), database.read() as connection:
            await connection.exec_driver_sql("SELECT 1")
    except Exception as error:  # whatever it is, it is told, and what keeps the others running goes on
        words = in_words(error.__cause__ or error).rstrip(". ")
        return f"The database is away ({words}): mail waits until it is back, and nobody is lost."
    return ""


async def server_trouble(url: str) -> str:
    """The same for a Prefect server that is not ours to start."""
    with contextlib.suppress(httpx.HTTPError):
        async with httpx.AsyncClient(timeout=EVERY) as client:
            if (await client.get(url)).status_code == 200:
                return ""
    return f"The Prefect server at {url.removesuffix('/health')} does not answer: no run starts until it does."
