"""A server that stumbles on demand, and a client that does not wait long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from flows.papers.fetch import Fetcher
from flows.papers.model import Addresses
from tests.papers.server import Server, running


@pytest.fixture
def server() -> Iterator[Server]:
    """A local server without any replies yet."""
    with running() as found:
        yield found


@pytest.fixture
def addresses(server: Server) -> Addresses:
    """All services at that server."""
    return Addresses(huggingface=server.url, arxiv=f"{server.url}/api/query", arxiv_rss=f"{server.url}/rss")


@pytest.fixture
def said() -> list[str]:
    """What the fetcher said to its operator."""
    return []


@pytest.fixture
async def fetcher(tmp_path: Path, said: list[str]) -> AsyncIterator[Fetcher]:
    """A client with short waits and a cache of its own."""
    async with Fetcher(
        contact="mailto:desk@paperround.example",
        cache=tmp_path / "cache",
        arxiv_interval=0,
        backoff=0.01,
        timeout=0.5,
        max_bytes=200_000,
        say=said.append,
    ) as found:
        yield found
