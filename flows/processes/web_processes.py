"""The web app in several processes behind one port, which uvicorn starts, looks after and replaces.

They share the listening socket and the database, and nothing else: limits, logins and the outbox stand there. SIGHUP to
the first process replaces the others one after another, each by one that serves already; SIGTERM ends all.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import threading
from dataclasses import dataclass, field
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.supervisors import Multiprocess

from flows.config import logs
from flows.config.settings import Settings, load_settings
from flows.context import open_context
from flows.outcomes import Problem
from flows.process import collect_less, die_with_the_parent, run
from flows.processes.serve import how_to_serve, site

PAUSE = 2.0
"""Seconds until a process that could not begin ends, and another one tries."""

log = logging.getLogger(__name__)


@dataclass
class WebApp:
    """The web app, which opens what it needs in the process that serves it, and closes it there."""

    mailbox: Path | None
    _app: ASGIApp | None = field(default=None, init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        assert self._app is not None  # noqa: S101 - uvicorn serves what has begun
        await self._app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        _belong_to_the_parent()
        try:
            # read anew by each process: a reload takes over what has changed
            settings = load_settings()
            logs.set_up(settings.log_level, settings.log_format)
            async with open_context(settings) as context, site(context, self.mailbox) as self._app:
                collect_less()
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Problem as problem:
            log.error("%s", problem)
            await asyncio.sleep(PAUSE)
            # uvicorn's own status for a start that failed would end them all, with those that serve
            os._exit(1)
        await send({"type": "lifespan.shutdown.complete"})


def _belong_to_the_parent() -> None:
    """Ends with the process that started this one, also where it was killed before it could say so."""
    die_with_the_parent()
    parent = multiprocessing.parent_process()
    if parent is not None and os.getppid() != parent.pid:
        os._exit(1)


class _Wish(threading.Event):
    """uvicorn's wish to end, which is there as well while the signal for it waits for a reload to be done."""

    def __init__(self, waiting: list[int]) -> None:
        super().__init__()
        self._waiting = waiting

    def is_set(self) -> bool:
        return super().is_set() or not {signal.SIGINT, signal.SIGTERM}.isdisjoint(self._waiting)


def serve_in_several(processes: int, host: str, port: int, mailbox: Path | None = None) -> None:
    """The web app in so many processes until it is stopped; with a `mailbox`, pages that show it. Raises Problem where
    none of them could begin."""
    settings = load_settings()
    logs.set_up(settings.log_level, settings.log_format)
    run(_prepare(settings))
    config = how_to_serve(WebApp(mailbox), settings, host, port, processes)
    config.lifespan = "on"
    started = Multiprocess(config, [config.bind_socket()])
    started.should_exit = _Wish(started.signal_queue)
    # that a process has died, or was replaced, is told here; the processes themselves tell of what is wrong alone
    logging.getLogger("uvicorn.error").setLevel(logging.INFO)
    started.run()


async def _prepare(settings: Settings) -> None:
    """Brings the database up to date once, before all begin at a time."""
    async with open_context(settings):
        pass
