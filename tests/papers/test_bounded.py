"""Servers that mean harm: what they send becomes no more than was allowed, and leads nowhere that we did not mean."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

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


INSIDE = (
    *("127.0.0.1", "localhost", "10.1.2.3", "192.168.0.1", "169.254.169.254"),
    *("[::1]", "[fd00::1]", "[::ffff:10.0.0.1]", "0.0.0.0"),
)


@pytest.fixture
async def fetcher_by_proxy(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fetcher]:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    async with Fetcher(contact="", cache=tmp_path / "cache", backoff=0.01) as found:
        yield found


@pytest.mark.parametrize("host", INSIDE)
async def test_nobody_outside_leads_us_inside(server: Server, fetcher_by_proxy: Fetcher, host: str) -> None:
    """The services are reached by a proxy that stands for the whole of the internet."""
    server.says("http://93.184.215.14/list", Reply(status=302, headers={"Location": f"http://{host}:9/secret"}))
    with pytest.raises(Unreachable, match="inside of this network"):
        await fetcher_by_proxy.get(asking("http://93.184.215.14/list"), json.loads)
    assert {one.path for one in server.asked} == {"http://93.184.215.14/list"}


async def test_a_service_of_ones_own_may_lead_to_another(server: Server, fetcher: Fetcher) -> None:
    server.says("/list", Reply(status=302, headers={"Location": f"{server.url}/there"}))
    server.says("/there", Reply(b'["moon"]'))
    assert await fetcher.get(asking(f"{server.url}/list"), json.loads) == ["moon"]
