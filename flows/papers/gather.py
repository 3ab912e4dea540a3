"""A source's requests are followed until nothing more is named; a failure costs what it would have brought, no more."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar, cast

from flows.papers import fields, sources
from flows.papers.failures import Unreachable
from flows.papers.merge import refresh
from flows.papers.model import Addresses, Answer, Collected, Paper, PaperId, Request, Skipped, Window
from flows.papers.sources import arxiv
from flows.plugins.installed import SOURCES as PLUGGED_IN
from flows.plugins.installed import usable

T = TypeVar("T")

DEADLINE = 100.0
"""Seconds for all that a source is asked of a day."""
_REQUESTS = 100
_PATIENCE = 2  # requests that fail one after another: the next would fail as well, and cost as many attempts


class Source(Protocol):
    """One file of `flows.papers.sources`."""

    NAME: str
    TITLE: str
    WANTS_DETAILS: bool

    def requests(self, window: Window, addresses: Addresses) -> tuple[Request, ...]: ...
    def parse(self, body: bytes, request: Request, window: Window, addresses: Addresses) -> Answer: ...
    def silence(self, window: Window) -> str: ...


class Fetches(Protocol):
    """What is needed of a `Fetcher`."""

    async def get(self, request: Request, read: Callable[[bytes], T]) -> T: ...


def _found() -> dict[str, Source]:
    names = sorted(module.name for module in pkgutil.iter_modules(sources.__path__))
    modules = [cast(Source, importlib.import_module(f"{sources.__name__}.{name}")) for name in names]
    ours = {module.NAME: module for module in modules}
    return ours | {name: cast(Source, module) for name, module in usable(PLUGGED_IN, ours).items()}


SOURCES: Mapping[str, Source] = _found()
"""Every source there is a file of, and those of other packages, by name."""


async def gather(
    source: Source,
    window: Window,
    addresses: Addresses,
    fetcher: Fetches,
    say: Callable[[str], None],
    deadline: float = DEADLINE,
) -> Collected:
    """Everything that a source has for a day; where something failed, or was not done after so many seconds, what came
    nevertheless, and the problem."""
    papers: dict[PaperId, Paper] = {}
    first = source.requests(window, addresses)
    answers, problem = await _follow(source, first, window, addresses, fetcher, deadline)
    problem = problem or next((answer.doubt for answer in answers if answer.doubt), "")
    for paper in (paper for answer in answers for paper in answer.papers):
        papers[paper.id] = refresh(papers[paper.id], paper) if paper.id in papers else paper
    skipped = tuple(skip for answer in answers for skip in answer.skipped)
    silences = [answer.silence for answer in answers if answer.silence]
    if problem and papers:
        problem += f" ({_many(len(papers), 'paper')} came nevertheless)"
    if skipped and not papers and not problem:
        problem = _nothing_readable(source, window, skipped)
    silence = "" if papers or problem else (silences or [source.silence(window)])[-1]
    for sentence in _said(source, window, len(papers), skipped, silence or problem):
        say(sentence)
    return Collected(
        source=source.NAME,
        day=window.day,
        papers=tuple(papers.values()),
        skipped=skipped,
        silence=silence,
        problem=problem,
    )


async def complete(
    papers: Iterable[Paper],
    addresses: Addresses,
    fetcher: Fetches,
    say: Callable[[str], None],
    deadline: float = DEADLINE,
) -> tuple[tuple[Paper, ...], str]:
    """The papers, those without categories now with what arXiv knows of them; and what failed, or nothing.

    Nothing that was known changes, neither do the sources: arXiv did not list these papers, it only describes them.
    """
    every = tuple(papers)
    lacking = [paper for paper in every if not paper.categories and paper.on_arxiv]
    if not lacking:
        return every, ""
    say(f"asking arXiv for the categories of {_many(len(lacking), 'paper')}")
    window = Window(day=lacking[0].day)
    first = arxiv.details([paper.id for paper in lacking], addresses)
    answers, problem = await _follow(cast(Source, arxiv), first, window, addresses, fetcher, deadline)
    known = {paper.id: paper for answer in answers for paper in answer.papers}
    whole = tuple(_described(paper, known[paper.id]) if paper.id in known else paper for paper in every)
    missing = sum(not paper.categories for paper in whole)
    return whole, f"{problem} ({_many(missing, 'paper')} without categories)" if problem else ""


async def _follow(
    source: Source,
    first: Sequence[Request],
    window: Window,
    addresses: Addresses,
    fetcher: Fetches,
    deadline: float,
) -> tuple[list[Answer], str]:
    """The answers in the order in which they were asked for, and what failed."""
    queue, known = deque(first), {request.url for request in first}
    answers: list[Answer] = []
    seen: set[PaperId] = set()
    failed: list[str] = []
    row, until = 0, asyncio.get_running_loop().time() + deadline
    pages = _Pages(source.TITLE)
    while queue and row < _PATIENCE and len(answers) + len(failed) < _REQUESTS:
        request = queue.popleft()
        try:
            async with asyncio.timeout_at(until):
                answer = await fetcher.get(request, reader(source, request, window, addresses))
        except TimeoutError:
            failed.append(
                f"{source.TITLE} was not done after {deadline:g} s (PAPERROUND_SOURCE_DEADLINE): try again later"
            )
            break
        except Unreachable as error:
            failed.append(str(error))
            row += 1
            continue
        row = 0
        answers.append(answer)
        if not pages.new(request.kind, answer):
            break
        ids = {paper.id for paper in answer.papers}
        # A server that does not know about pages answers each with the first: that must end.
        further = answer.follow if ids - seen or not ids else ()
        queue.extend(item for item in further if item.url not in known)
        known |= {item.url for item in further}
        seen |= ids
    return answers, _missing(source, failed, len(answers), len(queue)) or pages.missing


class _Pages:
    """What pages list together, held beside what they say they do: a server that takes no notice of where a page should
    begin sends the first one again and again, and what stood on the others is lost without an error."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._listed: dict[str, set[str]] = {}
        self._total: dict[str, int] = {}

    def new(self, kind: str, answer: Answer) -> bool:
        """False for a page that lists nothing but what earlier ones did: another would do the same."""
        if not answer.total:
            return True
        listed = self._listed.setdefault(kind, set())
        fresh = answer.names - listed
        listed |= fresh
        self._total[kind] = answer.total
        return bool(fresh)

    @property
    def missing(self) -> str:
        for kind, total in self._total.items():
            if (came := len(self._listed[kind])) < total:
                return (
                    f"{self._title} says that it lists {total} papers, and its pages hold {came}: it sent some of them "
                    "twice instead of others, try again later"
                )
        return ""


def _missing(source: Source, failed: Sequence[str], came: int, left: int) -> str:
    """What failed, and how much of the whole is missing because of it."""
    missing = len(failed) + left
    if not missing:
        return ""
    reason = failed[0] if failed else f"{source.TITLE} leads to more than {_REQUESTS} requests: follow fewer categories"
    return reason + (f"; {missing} of {missing + came} answers are missing" if missing > 1 else "")


def reader(source: Source, request: Request, window: Window, addresses: Addresses) -> Callable[[bytes], Answer]:
    """How a source reads the answer to one of its requests."""
    return lambda body: source.parse(body, request, window, addresses)


def _described(paper: Paper, known: Paper) -> Paper:
    return replace(refresh(known, paper), sources=paper.sources, day=paper.day)


def _nothing_readable(source: Source, window: Window, skipped: Sequence[Skipped]) -> str:
    return (
        f"{source.TITLE} gave {_many(len(skipped), 'entry')} for {fields.written(window.day)} and none could be read "
        f"({skipped[0].entry}: {skipped[0].reason}): its format may have changed, look for a newer Paperround"
    )


def _said(source: Source, window: Window, number: int, skipped: Sequence[Skipped], reason: str) -> Iterable[str]:
    yield f"{source.TITLE}: {_many(number, 'paper')} for {fields.written(window.day)}" + (
        f": {reason}" if reason else ""
    )
    if skipped:
        first = skipped[0]
        left = f"{source.TITLE}: {_many(len(skipped), 'entry')} left out"
        yield f"{left}, the first of them {first.entry}: {first.reason}"


def _many(number: int, thing: str) -> str:
    if number == 1:
        return f"1 {thing}"
    return f"{number:,} {thing[:-1]}ies" if thing.endswith("y") else f"{number:,} {thing}s"
