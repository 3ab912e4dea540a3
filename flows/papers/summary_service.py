"""The client of a model that writes summaries: any service that speaks OpenAI's chat completions.

https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import httpx

from flows.papers import bounded
from flows.papers.model import Paper, PaperId

CONNECTIONS = 6
BUDGET = 60.0
"""Seconds for all summaries of an edition together: it does not wait for what comes later."""
TIMEOUT = 20.0
"""Seconds for one of them."""
PATIENCE = 3
"""After so many failures in a row the service is left alone: the next would fail as well."""
TOKENS = 200
"""That an answer may have: a sentence has a quarter of that."""
_BYTES = 200_000
_FINAL = {
    401: "check PAPERROUND_SUMMARY_KEY",
    404: "check PAPERROUND_SUMMARY_URL and PAPERROUND_SUMMARY_MODEL",
}
"""What would be refused for any other paper as well; a 400 or 403 may be for the text of this one."""


@dataclass(slots=True)
class Summaries:
    """What came of asking for summaries."""

    texts: dict[PaperId, str] = field(default_factory=dict)
    """By paper; empty where an answer came that could not be used."""
    free: set[PaperId] = field(default_factory=set)
    """The papers that nothing was done for: they were not asked for, or the service refused."""
    failures: Counter[str] = field(default_factory=Counter)
    """What went wrong, and how often."""
    left: int = 0
    """For how many nothing was tried."""

    @property
    def sentence(self) -> str:
        useful = sum(map(bool, self.texts.values()))
        said = [f"{useful} written", *(f"{count} failed ({what})" for what, count in sorted(self.failures.items()))]
        if useless := len(self.texts) - useful:
            said.append(f"{useless} of no use")
        if self.left:
            said.append(f"{self.left} left out")
        return f"Summaries: {', '.join(said)}."


Question = Callable[[Paper], list[dict[str, str]]]
"""The messages that ask for a paper's summary."""
Reading = Callable[[str, Paper], str]
"""What is taken of an answer; empty: nothing."""


class Summariser:
    """Asks a model for summaries, a few at a time and for a bounded time. Whatever the service does, it never raises.

    `url` is the service's address up to `/chat/completions`; an empty `key` is not sent.
    """

    def __init__(
        self,
        url: str,
        key: str,
        model: str,
        question: Question,
        read: Reading,
        *,
        budget: float = BUDGET,
        timeout: float = TIMEOUT,
    ) -> None:
        self._url = url if url.endswith("/chat/completions") else f"{url}/chat/completions"
        self._headers = {"Accept-Encoding": bounded.ACCEPTED} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._model, self._question, self._read = model, question, read
        self._budget, self._timeout = budget, timeout

    async def write(self, papers: Sequence[Paper]) -> Summaries:
        """The summaries of these papers, as far as they come in time."""
        async with httpx.AsyncClient(headers=self._headers, timeout=self._timeout) as client:
            work = _Work(client, self._url, self._model, self._question, self._read, papers)
            try:
                async with asyncio.timeout(self._budget):
                    await asyncio.gather(*(work.go_on() for _ in range(CONNECTIONS)))
            except TimeoutError:
                work.fail(f"not within {self._budget:g} s", len(work.asked))
        work.written.left = len(list(work.waiting))
        return work.written


class _Refused(Exception):  # noqa: N818
    """A request brought nothing, said in a few words."""

    def __init__(self, words: str, *, free: bool = True, final: bool = False) -> None:
        super().__init__(words)
        self.free, self.final = free, final


class _Work:
    """The papers that are waiting, and what came of the others."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        url: str,
        model: str,
        question: Question,
        read: Reading,
        papers: Sequence[Paper],
    ) -> None:
        self._client, self._url, self._model = client, url, model
        self._question, self._read = question, read
        self._bound = "max_tokens"
        self._row = 0
        self.waiting: Iterator[Paper] = iter(papers)
        self.asked: set[PaperId] = set()
        self.written = Summaries(free={paper.id for paper in papers})

    async def go_on(self) -> None:
        """Asks for one paper after another, until none is waiting or the service is to be left alone."""
        while self._row < PATIENCE and (paper := next(self.waiting, None)):
            self.asked.add(paper.id)
            self.written.free.discard(paper.id)
            try:
                answer = await self._ask(paper)
            except _Refused as error:
                self._row = PATIENCE if error.final else self._row + 1
                self.fail(str(error), 1)
                if error.free:
                    self.written.free.add(paper.id)
            else:
                self._row = 0
                self.written.texts[paper.id] = self._read(answer, paper)
            self.asked.discard(paper.id)

    def fail(self, words: str, times: int) -> None:
        self.written.failures[words] += times

    async def _ask(self, paper: Paper) -> str:
        try:
            async with asyncio.timeout(self._client.timeout.read):
                status, body = await self._post(paper)
                if status == 400 and b"max_completion_tokens" in body and self._bound == "max_tokens":
                    self._bound = "max_completion_tokens"  # the newer name, which some models insist on
                    status, body = await self._post(paper)
        except (httpx.TimeoutException, TimeoutError):
            raise _Refused("no answer in time", free=False) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise _Refused(f"{type(error).__name__}: check PAPERROUND_SUMMARY_URL") from None
        if status != 200:
            remedy = _FINAL.get(status, "")
            raise _Refused(f"the service answered {status}{remedy and f': {remedy}'}", final=bool(remedy))
        return _content(body)

    async def _post(self, paper: Paper) -> tuple[int, bytes]:
        question = {"model": self._model, "messages": self._question(paper), self._bound: TOKENS}
        async with self._client.stream("POST", self._url, json=question) as response:
            return response.status_code, await bounded.read(response, _BYTES)


def _content(body: bytes) -> str:
    """What the model says, in the shape that the service promises."""
    try:
        content = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise _Refused("an answer that is no chat completion: check PAPERROUND_SUMMARY_URL", free=False) from None
    return content if isinstance(content, str) else ""
