"""The Prefect Variable `paperround_pause_all`: while it is true no edition is sent, of any newsletter. It counts when a
delivery starts and while it goes on; what was not sent is due, and `deliver-due` goes on when it is false or gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prefect.variables import Variable

from flows.context import Say

PAUSE_ALL = "paperround_pause_all"
EVERY = 5.0
"""Seconds between two looks, one small request each."""
LOOK = 10.0
"""Seconds that one may take: Prefect's client asks a server that hangs for minutes."""
WORDS = f"Nothing is sent while the Variable {PAUSE_ALL} is true: what is due waits."


async def pauses_all(patience: float = LOOK) -> bool:
    """Whether an operator wants nothing to be sent. A server that does not answer has said nothing."""
    try:
        async with asyncio.timeout(patience):
            value = await Variable.aget(PAUSE_ALL, default=False)
    except Exception:  # whatever keeps Prefect from answering, mail does not depend on it
        return False
    return value is True or str(value).strip().lower() in ("true", "yes", "on", "1")


@asynccontextmanager
async def heeding_pause_all(stop: asyncio.Event, say: Say) -> AsyncIterator[None]:
    """Sets `stop` as soon as the Variable is true, and says so."""

    async def look() -> None:
        if await pauses_all():
            say(WORDS)
            stop.set()

    async def go_on_looking() -> None:
        while not stop.is_set():
            await asyncio.sleep(EVERY)
            await look()

    await look()
    looking = asyncio.create_task(go_on_looking())
    try:
        yield
    finally:
        looking.cancel()
