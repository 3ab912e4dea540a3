"""The only HTTP client of the sources: it brings a body that its reader accepts, or says in one sentence why not."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import httpx

from flows.outcomes import Problem
from flows.papers import bodies, bounded, failures
from flows.papers.answers import Answers, KeptAnswer
from flows.papers.failures import Failure, Unreachable
from flows.papers.model import Request, Unreadable
from flows.papers.outward import Outward
from flows.papers.request_interval import RequestInterval

__all__ = ["Fetcher", "Unreachable"]

T = TypeVar("T")

_REDIRECTS = 5
_PATIENCE = 120.0  # seconds: the longest Retry-After that is waited for, and the longest answer
_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, TimeoutError, Unreadable)


class Fetcher:
    """Brings bodies: patient with services that stumble, slow with those that ask for it, and never endless.

    `cache` is the user's own folder, shared by all of this machine's processes: it holds the lock for arXiv's pace,
    and answers for conditional requests. Every wait that lasts a second or longer is said through `say`.
    """

    def __init__(
        self,
        *,
        contact: str,
        cache: Path,
        arxiv_interval: float = 3.0,
        attempts: int = 5,
        backoff: float = 1.0,
        timeout: float = 30.0,
        max_bytes: int = 20_000_000,
        say: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.time,
        outward: Outward | None = None,
    ) -> None:
        self._agent = _agent(contact)
        self._cache = cache
        self._attempts = attempts
        self._backoff = backoff
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._say, self._sleep, self._chance, self._clock = say, sleep, chance, clock
        self._pace = RequestInterval(cache / "arxiv.lock", arxiv_interval, clock=clock, sleep=sleep, say=say)
        self._answers = Answers(cache / "answers")
        self._outward = outward or Outward()
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Fetcher:
        try:
            await asyncio.to_thread(self._cache.mkdir, parents=True, exist_ok=True)
            await asyncio.to_thread((self._cache / "arxiv.lock").touch)
        except OSError as error:
            raise Problem(
                f"PAPERROUND_CACHE_DIR: {self._cache} cannot be written ({error.strerror}): name a folder that can"
            ) from error
        await asyncio.to_thread(self._answers.prune, self._clock())
        timeout = httpx.Timeout(self._timeout, connect=min(self._timeout, 5.0))
        self._client = httpx.AsyncClient(
            headers={"User-Agent": self._agent, "Accept-Encoding": bounded.ACCEPTED}, timeout=timeout
        )
        await self._outward.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client:
            await self._client.aclose()
            await self._outward.__aexit__(kind, error, trace)
        self._client = None

    async def get(self, request: Request, read: Callable[[bytes], T]) -> T:
        """What `read` makes of the answer. Where it raises `Unreadable`, that attempt has failed like any other.

        Raises `Unreachable` when no attempt gave a readable answer.
        """
        if request.service == "package":
            return _shipped(request, read)
        failed: list[Failure] = []
        while True:
            outcome = await self._attempt(request, read)
            if not isinstance(outcome, Failure):
                return outcome[0]
            failed.append(outcome)
            wait = self._wait(failed)
            if wait is None:
                raise Unreachable(failures.sentence(request, failed))
            if wait >= 1:
                self._say(f"{failures.name(request)} {outcome.what}: next attempt in {wait:.0f} s")
            await self._sleep(wait)

    async def _attempt(self, request: Request, read: Callable[[bytes], T]) -> tuple[T] | Failure:
        kept = await asyncio.to_thread(self._answers.find, request.url)
        try:
            response, body = await self._follow(request, kept)
            if response.status_code == 304 and kept:
                body = kept.body
            elif response.status_code != 200:
                return failures.of_status(response, body)
            elif len(body) > self._max_bytes:
                size = f"more than {self._max_bytes / 1e6:g} MB"
                return Failure(f"sent {size}", "check its address: no list of papers is that long", passing=False)
            if not bodies.resembles(body, request.format):
                raise Unreadable(f"{bodies.instead(body)} instead of {request.format.upper()}")
            found = read(body)
        except _ERRORS as error:
            if isinstance(error, Unreadable) and kept:
                await asyncio.to_thread(self._answers.drop, request.url)
            return failures.of_error(error, request)
        if response.status_code == 200:
            await asyncio.to_thread(self._answers.keep, request.url, body, response.headers)
        return (found,)

    async def _follow(self, request: Request, kept: KeptAnswer | None) -> tuple[httpx.Response, bytes]:
        """The answer behind any redirects, each of which is a request that keeps the pace as well."""
        client = self._client
        if client is None:
            raise RuntimeError("a Fetcher fetches inside `async with` alone")
        headers = kept.conditions() if kept else {}
        if request.service == "arxiv":
            headers["Connection"] = "close"  # one connection, over all processes too
        asked, led = client.build_request("GET", request.url, headers=headers), False
        for _ in range(_REDIRECTS + 1):
            async with self._turn(request), asyncio.timeout(_PATIENCE):
                sent = self._outward.send(asked, client) if led else client.send(asked, stream=True)
                response, body = await self._exchange(sent)
            if response.next_request is None:
                return response, body
            asked = response.next_request
            # what the operator has named may be inside; then so may what it leads to
            led = led or not await self._outward.leads_inside(httpx.URL(request.url))
        raise httpx.TooManyRedirects(f"more than {_REDIRECTS} redirects", request=asked)

    async def _exchange(self, sent: Awaitable[httpx.Response]) -> tuple[httpx.Response, bytes]:
        response = await sent
        try:
            return response, await bounded.read(response, self._max_bytes)
        finally:
            await response.aclose()

    def _turn(self, request: Request) -> AbstractAsyncContextManager[None]:
        return self._pace.turn() if request.service == "arxiv" else nullcontext()

    def _wait(self, failed: list[Failure]) -> float | None:
        """Seconds until the next attempt: exponential with full jitter, at least what the service asks for.

        None where there is no next attempt: they are used up, or it would not help, or nobody waits that long.
        """
        asked = self._asked(failed[-1].after)
        if not failed[-1].passing or len(failed) >= self._attempts or asked > _PATIENCE:
            return None
        return max(asked, self._chance() * min(self._backoff * 2.0 ** (len(failed) - 1), _PATIENCE / 4))

    def _asked(self, after: str) -> float:
        """The seconds of a Retry-After header, which may also be a date (RFC 9110 section 10.2.3)."""
        if re.fullmatch(r"[0-9]{1,9}", after):
            return float(after)
        try:
            until = parsedate_to_datetime(after)
        except (ValueError, TypeError, OverflowError, IndexError):
            return 0.0
        return max(0.0, (until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp() - self._clock())


def _shipped(request: Request, read: Callable[[bytes], T]) -> T:
    """What `read` makes of a file that is shipped in this package."""
    name = request.url.removeprefix("package:")
    try:
        return read(files("flows.papers").joinpath(name).read_bytes())
    except (OSError, Unreadable) as error:
        raise Unreachable(f"The bundled file {name} cannot be read ({error}): install Paperround again") from error


def _agent(contact: str) -> str:
    """RFC 9110 section 10.1.5; what could not stand in a header is left out of the contact."""
    try:
        number = version("paperround")
    except PackageNotFoundError:
        number = "0"
    known = re.sub(r"[^\x21-\x27\x2a-\x5b\x5d-\x7e]", "", contact)
    return f"Paperround/{number} (+{known})" if known else f"Paperround/{number}"
