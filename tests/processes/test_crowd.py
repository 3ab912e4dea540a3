from __future__ import annotations

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from flows.processes.crowd import OF_A_NETWORK, Crowd, room
from tests.conftest import free_port
from tests.running_processes import FILES, web_process

MANY = 1100
HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: papers.example.org\r\nX-Slow: "
HALF_A_FORM = (
    b"POST /subscribe HTTP/1.1\r\nHost: papers.example.org\r\nContent-Length: 300\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\naddress="
)
NOTHING_TAKEN = b"GET /search HTTP/1.1\r\nHost: papers.example.org\r\n\r\n"


@pytest.fixture(autouse=True)
def _files() -> Iterator[None]:
    """This process holds the other ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < MANY + 400:
        pytest.skip("this process may not open so many files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, MANY + 400), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def crowd(site: str, number: int, said: bytes, source: str = "127.0.0.1") -> Iterator[list[socket.socket]]:
    """So many connections, each of which says this and then no more."""
    port = int(site.rpartition(":")[2])
    with ExitStack() as held:
        opened = []
        for _ in range(number):
            one = held.enter_context(socket.create_connection(("127.0.0.1", port), 30, (source, 0)))
            one.sendall(said)
            opened.append(one)
        yield opened


def alive(connections: list[socket.socket]) -> int:
    """How many of them the server has not closed."""
    found = 0
    for one in connections:
        one.setblocking(False)
        try:
            found += one.recv(1) != b""
        except BlockingIOError:
            found += 1
        except ConnectionError:
            pass
    return found


@pytest.mark.parametrize("said", [b"", HALF_A_HEAD, HALF_A_FORM, NOTHING_TAKEN], ids=["silent", "head", "form", "deaf"])
def test_a_crowd_of_slow_clients_stops_neither_pages_nor_letters(tmp_path: Path, said: bytes) -> None:
    """1,100 connections to a process that may open 1,024 files, all by a proxy: no network is too many."""
    with web_process(tmp_path) as site, crowd(site, MANY, said):
        for _ in range(3):
            assert httpx.get(f"{site}/healthz", trust_env=False, timeout=30).status_code == 200
        form = {"address": "ada@example.org", "newsletter": "daily"}
        answer = httpx.post(f"{site}/subscribe", data=form, trust_env=False, timeout=30)
        assert answer.status_code == 303
        until = time.monotonic() + 60
        while not (letters := [*(tmp_path / "outbox").glob("new/*")]):
            assert time.monotonic() < until
            time.sleep(0.1)
        assert b"ada@example.org" in letters[0].read_bytes()
    assert len((tmp_path / "web.log").read_bytes()) < 20_000


def test_one_network_has_its_share_of_connections_and_no_more(tmp_path: Path) -> None:
    with web_process(tmp_path, trusted_proxies="none") as site, crowd(site, 300, HALF_A_HEAD, "127.0.0.2") as slow:
        assert httpx.get(f"{site}/healthz", trust_env=False, timeout=30).status_code == 200
        with crowd(site, 40, HALF_A_HEAD, "127.0.0.3") as others:
            # the next one of the crowded network is served too: one of its own makes room
            by = httpx.HTTPTransport(local_address="127.0.0.2")
            with httpx.Client(transport=by) as client:
                assert client.get(f"{site}/healthz", timeout=30).status_code == 200
            assert alive(others) == 40
            assert alive(slow) <= OF_A_NETWORK


@asynccontextmanager
async def serving(crowd: Crowd) -> AsyncIterator[int]:
    async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9000000")]})
        await send({"type": "http.response.body", "body": b"x" * 9_000_000})

    port = free_port()
    config = uvicorn.Config(
        app,
        http=crowd.connection,  # type: ignore[arg-type]
        port=port,
        log_level="error",
        lifespan="off",
        timeout_keep_alive=60,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0.01)
    try:
        yield port
    finally:
        server.should_exit = True
        await running


async def ends(reader: asyncio.StreamReader) -> None:
    """Returns when the server has closed, and fails where it does not."""
    async with asyncio.timeout(30):
        try:
            while await reader.read(100_000):
                pass
        except ConnectionError:
            pass


@pytest.mark.parametrize("begun", [HALF_A_HEAD, HALF_A_FORM])
async def test_a_client_that_sends_a_little_now_and_then_is_cut_off(begun: bytes) -> None:
    async with serving(Crowd(head=0.5, body=0.5)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)

        async def drip() -> None:
            while not writer.is_closing():
                writer.write(b"a")
                await asyncio.sleep(0.05)

        dripping = asyncio.create_task(drip())
        await ends(reader)
        dripping.cancel()
        writer.close()


async def test_a_client_that_does_not_take_its_answer_is_cut_off_and_one_that_does_stays() -> None:
    async with serving(Crowd(answer=0.5)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert len(await reader.readexactly(9_000_000)) == 9_000_000
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(1.5)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(9_000_000)
        writer.close()


async def test_where_there_is_no_room_whoever_has_dawdled_longest_makes_it() -> None:
    async with serving(Crowd(in_all=2)) as port:
        waiting = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        # neither has sent anything: the first of them makes room
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await reader.read(100)).startswith(b"HTTP/1.1 200")
        assert await waiting[0][0].read() == b""
        for _, one in [*waiting, (reader, writer)]:
            one.close()


def test_the_room_leaves_files_for_everything_else() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))
    assert 500 < room() < FILES - 200
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(("asked", "begun"), [(0, b""), (1, b""), (0, REQUEST[:20])], ids=["new", "kept", "half"])
async def test_a_server_that_ends_answers_what_is_on_its_way_for_the_last_time(asked: int, begun: bytes) -> None:
    crowd = Crowd(linger=30)
    async with AsyncExitStack() as stack:
        reader, writer = await asyncio.open_connection("127.0.0.1", await stack.enter_async_context(serving(crowd)))
        for _ in range(asked):
            writer.write(REQUEST)
            assert b"connection: close" not in await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(9_000_000)
        writer.write(begun)
        await asyncio.sleep(0.1)
        ending = asyncio.create_task(stack.aclose())
        while not crowd.ending:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        writer.write(REQUEST[len(begun) :])
        async with asyncio.timeout(20):
            assert b"connection: close" in await reader.readuntil(b"\r\n\r\n")
            assert len(await reader.read(-1)) == 9_000_000
            await ending
        writer.close()


async def test_a_server_that_ends_does_not_wait_for_who_asks_nothing() -> None:
    async with serving(Crowd(linger=0.2)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.1)
        began = time.monotonic()
    assert time.monotonic() - began < 20  # the keep-alive of this server is 60 s
    assert await reader.read(-1) == b""
    writer.close()


async def test_each_of_several_processes_takes_its_part_of_a_network() -> None:
    async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        """Nobody asks it anything."""

    def taken(processes: int) -> int:
        crowd, config = Crowd(processes=processes), uvicorn.Config(app, log_level="error", lifespan="off")
        config.load()
        made = [
            crowd.connection(config=config, server_state=uvicorn.server.ServerState(), app_state={}) for _ in range(100)
        ]
        return sum(crowd.enter(one, "192.0.2.1") for one in made)

    assert [taken(number) for number in (1, 2, 4, 50)] == [OF_A_NETWORK, OF_A_NETWORK // 2, 16, 16]
