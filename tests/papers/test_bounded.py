"""Servers that mean harm: what they send becomes no more than was allowed."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.papers import bounded
from flows.papers.fetch import Fetcher, Unreachable
from flows.papers.summary_service import Summariser
from tests import factories
from tests.papers.server import Reply, Server
from tests.papers.shapes import asking

HUGE = 200_000_000
BOMB = gzip.compress(b" " * HUGE)


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "deflate", "br", "zstd"])
async def test_a_bomb_takes_no_more_memory_than_a_list_may_have(
    server: Server, fetcher: Fetcher, encoding: str
) -> None:
    body = {"deflate": zlib.compress(b" " * HUGE), "gzip, gzip": gzip.compress(BOMB)}.get(encoding, BOMB)
    server.says("/list", Reply(body, headers={"Content-Encoding": encoding}))
    tracemalloc.start()
    try:
        with pytest.raises(Unreachable):
            await fetcher.get(asking(f"{server.url}/list"), json.loads)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 60_000_000


async def test_a_service_for_summaries_takes_none_either(server: Server) -> None:
    tracemalloc.start()
    try:
        async with httpx.AsyncClient() as client, client.stream("GET", server.url) as plain:
            assert await bounded.read(plain, 100) == b"no such thing"
        server.says("/v1/chat/completions", Reply(BOMB, headers={"Content-Encoding": "gzip, gzip"}))
        written = await Summariser(f"{server.url}/v1", "", "m", lambda _: [], lambda text, _: text).write(
            [factories.paper(1)]
        )
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert written.texts == {}
    assert most < 20_000_000


FORMS = ("gzip", "x-gzip", "deflate", "raw", "identity", "two")


@given(st.binary(max_size=300), st.sampled_from(FORMS), st.integers(1, 9))
async def test_what_is_packed_as_we_asked_is_unpacked(body: bytes, form: str, size: int) -> None:
    packing: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress,
        "x-gzip": gzip.compress,
        "deflate": zlib.compress,
        "raw": raw_deflate,
        "identity": bytes,
        "two": lambda whole: gzip.compress(whole[:50]) + gzip.compress(whole[50:]),
    }
    packed = packing[form](body)
    name = {"raw": "deflate", "two": "gzip"}.get(form, form)

    async def parts() -> AsyncIterator[bytes]:
        for at in range(0, len(packed), size):
            yield packed[at : at + size]

    response = httpx.Response(200, headers={"Content-Encoding": name}, content=parts())
    assert await bounded.read(response, 1000) == body


async def test_what_breaks_off_is_told() -> None:
    response = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(BOMB[:-1000]))
    with pytest.raises(httpx.DecodingError):
        await bounded.read(response, 10 * HUGE)
