"""Single papers asked of arXiv by their numbers, for people who wait for a page.

All that is wanted goes into one request after the other, behind whatever else of this machine keeps arXiv's pace; what
came is remembered for a while. Nothing is kept beyond the process, and nobody waits longer than they said.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from flows.outcomes import Problem
from flows.papers.failures import Unreachable
from flows.papers.gather import Fetches, Source, reader
from flows.papers.model import Addresses, Paper, PaperId, Window
from flows.papers.sources import arxiv

BATCH = 100
"""Papers that one request asks for."""
WAITING = 300
"""Papers that wait to be asked for, at most: who comes when there are so many asks later."""
REMEMBERED = 600
KEPT = 6 * 3600.0
"""Seconds for which an answer is remembered."""
RETRY = 60.0
"""Seconds for which a failure is: nobody makes a service that stumbles stumble again."""
DEADLINE = 90.0
"""Seconds for a request with all its attempts."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NumbersAnswer:
    """What became of the numbers that were asked for."""

    papers: Mapping[PaperId, Paper]
    unknown: tuple[PaperId, ...] = ()
    """arXiv has none of this number."""
    waiting: tuple[PaperId, ...] = ()
    """Asked for, and not answered yet."""
    unasked: tuple[PaperId, ...] = ()
    """Neither known nor asked for."""
    failed: tuple[PaperId, ...] = ()
    """arXiv could not be asked."""


@dataclass(frozen=True, slots=True)
class _Answer:
    until: float
    paper: Paper | None
    failed: bool = False


class ByNumber:
    """Asks `fetch` for papers, which gives those that there are; raises Unreachable, Problem or TimeoutError where it
    can't."""

    def __init__(
        self,
        fetch: Callable[[Sequence[PaperId]], Awaitable[Iterable[Paper]]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch, self._clock = fetch, clock
        self._answers: dict[PaperId, _Answer] = {}
        self._wanted: dict[PaperId, None] = {}
        self._asking: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    def known(self, ids: Iterable[PaperId]) -> NumbersAnswer:
        """What there is to say about these without asking."""
        papers: dict[PaperId, Paper] = {}
        unknown, waiting, unasked, failed = list[PaperId](), list[PaperId](), list[PaperId](), list[PaperId]()
        for one in ids:
            answer = self._answers.get(one)
            if not arxiv.is_number(one):
                unknown.append(one)
            elif one in self._wanted:
                waiting.append(one)
            elif answer is None or answer.until < self._clock():
                unasked.append(one)
            elif answer.failed:
                failed.append(one)
            elif answer.paper is None:
                unknown.append(one)
            else:
                papers[one] = answer.paper
        return NumbersAnswer(papers, tuple(unknown), tuple(waiting), tuple(unasked), tuple(failed))

    async def ask(self, ids: Sequence[PaperId], patience: float) -> NumbersAnswer:
        """What there is to say about these after `patience` seconds at most; the rest is asked for meanwhile."""
        room = WAITING - len(self._wanted)
        fresh = self.known(ids).unasked[: max(0, room)]
        self._wanted.update(dict.fromkeys(fresh))
        if self._wanted and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._work())
        try:
            async with asyncio.timeout(patience):
                while self.known(ids).waiting:
                    await self._news.wait()
        except TimeoutError:
            pass
        return self.known(ids)

    async def _work(self) -> None:
        while batch := list(self._wanted)[:BATCH]:
            try:
                async with asyncio.timeout(DEADLINE):
                    found = {paper.id: paper for paper in await self._fetch(batch)}
            except (Unreachable, Problem, TimeoutError):
                self._fail(batch)
            except Exception:  # such as a full disk: those who wait are told that it failed, the operator why
                log.exception("arXiv could not be asked for single papers.")
                self._fail(batch)
            else:
                until = self._clock() + KEPT
                self._remember({one: _Answer(until, found.get(one)) for one in batch})
            finally:
                for one in batch:
                    del self._wanted[one]
                self._news.set()
                self._news = asyncio.Event()

    def _fail(self, batch: Iterable[PaperId]) -> None:
        self._remember({one: _Answer(self._clock() + RETRY, None, failed=True) for one in batch})

    def _remember(self, answers: Mapping[PaperId, _Answer]) -> None:
        for one, answer in answers.items():
            self._answers.pop(one, None)
            self._answers[one] = answer
        for oldest in list(self._answers)[:-REMEMBERED]:
            del self._answers[oldest]


async def fetch(ids: Sequence[PaperId], window: Window, addresses: Addresses, fetcher: Fetches) -> list[Paper]:
    """What arXiv's query API knows of these numbers. Raises Unreachable."""
    found: list[Paper] = []
    for request in arxiv.details(ids, addresses):
        found += (await fetcher.get(request, reader(cast(Source, arxiv), request, window, addresses))).papers
    return found
