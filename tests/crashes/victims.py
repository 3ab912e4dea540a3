"""What runs in the processes that die."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sqlite3
import threading
from contextlib import suppress
from enum import StrEnum
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

import sqlalchemy as sa

from flows import loops
from tests.crashes.points import Point, met
from tests.crashes.scene import Hasty, Place, go_on, opened
from tests.crashes.stepping import SteppingLoop, stack

STILL = 0.05
"""Seconds in which everything is done that can be done without the database."""


class How(StrEnum):
    """What becomes of the changes that the ledger's thread has been asked for and has not confirmed."""

    CUT = "cut"
    """Some are written, as it happens: the process ends at once."""
    WRITTEN = "written"
    """All are, and nobody hears of it."""
    STUCK = "stuck"
    """None is, although the process goes on as long as it can: the disk has stopped."""


Told = tuple[int, set[Point]]
"""How many steps were made, and at which points in our code tasks waited: the one whose step was next where the process
died, else all of them."""


def processes() -> ForkServerContext:
    """What starts processes that have imported everything: most of a process's life would go into that."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.crashes.victims"])
    return context


async def ended(process: ForkServerProcess) -> None:
    """Waits for a process. No thread does: two that ask for its status at a time would take it from one another."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(process.sentinel, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(process.sentinel)
    process.join()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(place: Place, at: int | Point | None, how: How, tell: Connection) -> None:
    """Delivers, and dies before a step, or before the first one of a task that waits at a point; None: it lives."""
    context: Hasty | None = None
    points: set[Point] = set()

    def before(number: int, task: asyncio.Task[Any]) -> None:
        if isinstance(at, int) and number != at:
            return
        here = met(stack(task))
        points.update(here)
        if number == at or at in here:
            tell.send((number, here))
            _end(place, how, context)

    async def work() -> None:
        nonlocal context
        async with opened(place) as context:
            await go_on(context)

    loop = SteppingLoop(before)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(work())
    tell.send((loop.steps, points))


def _end(place: Place, how: How, context: Hasty | None) -> None:
    match how:
        case How.WRITTEN if context is not None:
            # as at the end of a process: the thread writes what it was asked for, unless a transaction of ours keeps
            # it waiting
            threading.Timer(1, die).start()
            context.database.engine.sync_engine.dispose(close=False)
        case How.STUCK if _stops(place):
            threading.Timer(STILL, die).start()
            return
    die()


_held: list[sqlite3.Connection] = []


def _stops(place: Place) -> bool:
    """Nobody writes into the database any more. False: a transaction of ours is open, and waits for us."""
    held = sqlite3.connect(sa.make_url(place.database).database or "", timeout=0.02, isolation_level=None)
    with suppress(sqlite3.OperationalError):
        held.execute("BEGIN IMMEDIATE")
        _held.append(held)
        return True
    return False


def deliver(place: Place) -> None:
    """Delivers to the end, unless it is killed from outside."""

    async def work() -> None:
        async with opened(place) as context:
            await go_on(context)

    loops.run(work())
