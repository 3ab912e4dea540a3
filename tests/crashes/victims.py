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

from flows import process
from tests.crashes.points import Point, met
from tests.crashes.scene import Place, go_on, opened
from tests.crashes.stepping import SteppingLoop, stack

STILL = 0.05
"""Seconds in which everything is done that can be done without the database."""


class How(StrEnum):
    """What a process does from the step on before which it is to die."""

    CUT = "cut"
    """It ends at once."""
    STUCK = "stuck"
    """It goes on as long as it can, and nothing is written any more: the disk has stopped."""


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
    points: set[Point] = set()

    def before(number: int, task: asyncio.Task[Any]) -> None:
        if isinstance(at, int) and number != at:
            return
        here = met(stack(task))
        points.update(here)
        if number == at or at in here:
            tell.send((number, here))
            _end(place, how)

    async def work() -> None:
        async with opened(place) as context:
            await go_on(context)

    loop = SteppingLoop(before)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(work())
    tell.send((loop.steps, points))


def _end(place: Place, how: How) -> None:
    if how is How.STUCK and _stops(place):
        threading.Timer(STILL, die).start()
    else:
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

    process.run(work())
