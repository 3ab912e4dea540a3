"""What a source's answer leads to: the internet alone, and the address that was looked at, whatever DNS says next."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import dns.resolver
import httpx
import pytest

from flows.papers.fetch import Fetcher, Unreachable
from flows.papers.outward import Outward
from tests.certificates import self_signed
from tests.names import name_server
from tests.papers.server import Reply, Server
from tests.papers.shapes import asking

OUT, IN = "127.0.0.1", "127.0.0.2"
"""This machine stands for the internet, and another address of it for a network of one's own."""


class Turning(dict[tuple[str, str], Sequence[str]]):
    """Records that say the next thing each time they are asked for; the last one for ever."""

    def __init__(self, name: str, *said: str) -> None:
        super().__init__({(name, "A"): said[-1:]})
        self.left, self.asked = list(said), 0

    def get(self, key: Any, default: Any = None) -> Any:
        self.asked += 1
        return [self.left.pop(0)] if len(self.left) > 1 else super().get(key, default)


@asynccontextmanager
async def outward(records: Turning, verify: ssl.SSLContext | bool = True) -> AsyncIterator[Outward]:
    """As in life, but that DNS is ours, and so is what counts as inside."""
    async with name_server(records) as resolver:

        async def resolve(host: str) -> Sequence[str]:
            try:
                return [record.address for record in await resolver.resolve(host, "A")]
            except dns.resolver.NXDOMAIN:
                return []

        yield Outward(resolve, lambda address: address != OUT, verify)


async def fetched(way: Outward, server: Server, folder: Path, to: str) -> Any:
    server.says("/list", Reply(status=302, headers={"Location": to}))
    async with Fetcher(contact="", cache=folder / "cache", backoff=0.01, attempts=1, outward=way) as fetcher:
        return await fetcher.get(asking(f"{server.url}/list"), json.loads)


async def test_a_name_is_looked_up_once_and_what_it_stood_for_is_connected_to(server: Server, tmp_path: Path) -> None:
    port = server.url.rpartition(":")[2]
    server.says("/there", Reply(status=302, headers={"Location": "/further"}))
    server.says("/further", Reply(b'["moon"]'))
    records = Turning("turning.example", OUT, OUT, IN)
    async with outward(records) as way:
        assert await fetched(way, server, tmp_path, f"http://turning.example:{port}/there") == ["moon"]
    # once for each request, and not a third time to connect
    assert (records.asked, server.paths()) == (2, ["/list", "/there", "/further"])
    assert {one.headers["Host"] for one in server.asked[1:]} == {f"turning.example:{port}"}


async def test_a_name_that_leads_inside_by_the_second_look_is_refused(server: Server, tmp_path: Path) -> None:
    port = server.url.rpartition(":")[2]
    server.says("/there", Reply(status=302, headers={"Location": "/secret"}))
    server.says("/secret", Reply(b'["key"]'))
    async with outward(Turning("turning.example", OUT, IN)) as way:
        with pytest.raises(Unreachable, match=r"leads to turning\.example, inside of this network"):
            await fetched(way, server, tmp_path, f"http://turning.example:{port}/there")
    assert "/secret" not in server.paths()


async def test_a_name_that_nobody_knows_is_told(server: Server, tmp_path: Path) -> None:
    async with outward(Turning("turning.example", OUT)) as way:
        with pytest.raises(Unreachable, match=r"nobody\.example is not known to DNS"):
            await fetched(way, server, tmp_path, "http://nobody.example/there")


@pytest.mark.parametrize(("name", "taken"), [("turning.example", True), ("other.example", False)])
async def test_the_certificate_is_looked_at_for_the_name(tmp_path: Path, name: str, taken: bool) -> None:
    (tmp_path / "pem").write_bytes(self_signed("turning.example"))
    ours, theirs = ssl.create_default_context(cafile=tmp_path / "pem"), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(tmp_path / "pem")
    asked: list[str | None] = []
    theirs.sni_callback = lambda _, given, __: asked.append(given)
    with HTTPServer((OUT, 0), BaseHTTPRequestHandler) as real:
        real.socket = theirs.wrap_socket(real.socket, server_side=True)
        thread = Thread(target=real.handle_request)
        thread.start()
        async with outward(Turning(name, OUT), ours) as way, way, httpx.AsyncClient() as by_name:
            request = httpx.Request("GET", f"https://{name}:{real.server_address[1]}/")
            if taken:
                # it knows no GET: whoever gets as far as its answer has taken the certificate
                assert (await way.send(request, by_name)).status_code == 501
            else:
                with pytest.raises(httpx.ConnectError, match=r"other\.example"):
                    await way.send(request, by_name)
        thread.join()
    assert asked == [name]


INSIDE = (
    *("127.0.0.1", "localhost", "10.1.2.3", "192.168.0.1", "169.254.169.254"),
    *("[::1]", "[fd00::1]", "[::ffff:10.0.0.1]", "0.0.0.0"),
    *("[64:ff9b::7f00:1]", "[2002:7f00:1::1]"),
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
