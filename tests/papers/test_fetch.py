"""The client against a server that stumbles."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest

from flows.papers.fetch import Fetcher, Unreachable
from tests.papers.server import Reply, Server
from tests.papers.shapes import HTML, asking, read

GOOD = Reply(b'["moon"]')


@pytest.mark.parametrize(
    "bad",
    [
        Reply(status=429, body=b""),
        Reply(status=503),
        Reply(status=500, body=HTML),
        Reply(status=408),
        Reply(status=304),
        Reply(status=204, body=b""),
        Reply(b'["mo', fault="truncate"),
        Reply(b'["mo'),
        Reply(b""),
        Reply(HTML),
        Reply(b"<?xml version='1.0'?><a/>"),
        Reply(b"not gzip", headers={"Content-Encoding": "gzip"}),
        Reply(fault="reset"),
        Reply(fault="stall"),
    ],
    ids=lambda reply: f"{reply.status}{reply.fault}{reply.body[:9]!r}",
)
async def test_whatever_may_pass_is_tried_again(server: Server, fetcher: Fetcher, bad: Reply) -> None:
    """Once or twice makes no difference to the result."""
    server.says("/list", bad, bad, GOOD)
    assert await fetcher.get(asking(f"{server.url}/list"), read) == ["moon"]
    assert len(server.asked) >= 3 - (bad.fault == "stall")


async def test_it_says_who_it_is(server: Server, fetcher: Fetcher) -> None:
    """With a contact, so that the service can write instead of blocking."""
    server.says("/list", GOOD)
    await fetcher.get(asking(f"{server.url}/list"), read)
    agent = server.asked[0].headers["User-Agent"]
    assert agent.startswith("Paperround/")
    assert agent.endswith("(+mailto:desk@paperround.example)")


async def test_a_contact_cannot_break_the_header(server: Server, tmp_path: Path) -> None:
    """Line breaks, parentheses and other scripts are left out."""
    server.says("/list", GOOD)
    async with Fetcher(contact="désk\r\nX-Evil: 1 (a)@x.example", cache=tmp_path) as fetcher:
        await fetcher.get(asking(f"{server.url}/list"), read)
    assert "X-Evil" not in server.asked[0].headers
    assert server.asked[0].headers["User-Agent"].endswith("(+dskX-Evil:1a@x.example)")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(status=503), "Hugging Face answered 503 five times at {url}/list?date=1: try again later"),
        (
            Reply(HTML),
            "Hugging Face sent an HTML page instead of JSON five times at {url}/list?date=1: try again later",
        ),
        (Reply(b"[1"), "Hugging Face sent half a list five times at {url}/list?date=1: try again later"),
        (Reply(fault="reset"), "Hugging Face broke off its answer five times at {url}/list?date=1: try again later"),
    ],
)
async def test_in_the_end_it_says_what_happened(server: Server, fetcher: Fetcher, reply: Reply, words: str) -> None:
    """Who, what, how often, where, and what to do, without the password of the address."""
    server.says("/list?date=1", reply)
    url = server.url.replace("http://", "http://user:secret@")
    with pytest.raises(Unreachable) as failed:
        await fetcher.get(asking(f"{url}/list?date=1"), read)
    assert str(failed.value) == words.format(url=server.url)
    assert len(server.asked) == 5


async def test_different_failures_are_summed_up(server: Server, fetcher: Fetcher) -> None:
    """The last of them is told."""
    server.says("/list", Reply(status=503), Reply(HTML), Reply(status=500, body=b'{"error":"we are sorry"}'))
    with pytest.raises(Unreachable, match=r"failed five times, at last it answered 500 \(we are sorry\) at"):
        await fetcher.get(asking(f"{server.url}/list"), read)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(b'{"error":"Invalid query"}', 400), r"answered 400 \(Invalid query\) at .*: it does not know what was"),
        (Reply(b"<feed><summary>incorrect id</summary></feed>", 400), r"answered 400 \(incorrect id\) at"),
        (Reply(b"", 404), "answered 404 at"),
        (Reply(b"", 403), "answered 403 at .*: it refuses this machine"),
        (Reply(b"[" + b" " * 300_000 + b"]"), "sent more than 0.2 MB at"),
        (Reply(b"[" + b" " * 300_000 + b"]", packed=True), "sent more than 0.2 MB at"),
        (Reply(status=503, headers={"Retry-After": "3600"}), "answered 503 at"),
        (Reply(status=302, headers={"Location": "ftp://x.example/"}), "has no usable address"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_will_not_pass_is_not_tried_again(
    server: Server, fetcher: Fetcher, reply: Reply, words: str
) -> None:
    """A refusal, an endless body (packed or not), and a service that wants to be left alone for an hour."""
    server.says("/list", reply)
    with pytest.raises(Unreachable, match=words):
        await fetcher.get(asking(f"{server.url}/list"), read)
    assert len(server.asked) == 1


@pytest.mark.parametrize("url", ["ftp://x.example/", "http://", "/list", "http://[::1/"])
async def test_an_address_that_is_none_is_told_with_its_setting(fetcher: Fetcher, url: str) -> None:
    """The operator reads which variable to look at."""
    with pytest.raises(Unreachable, match="PAPERROUND_HUGGINGFACE_URL"):
        await fetcher.get(asking(url), read)


async def test_a_service_that_is_not_there_is_told(fetcher: Fetcher) -> None:
    """Nobody listens on port 1."""
    with pytest.raises(
        Unreachable, match=r"arXiv could not be reached \(.+\) five times at http://127.0.0.1:1/x: check"
    ):
        await fetcher.get(asking("http://127.0.0.1:1/x", "arxiv", "xml"), read)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (lambda: "7", 7),
        (lambda: formatdate(time.time() + 60, usegmt=True), 60),
        (lambda: "Mon, 01 Jan 2001 00:00:00 GMT", 0),
        (lambda: "soon", 0),
        (lambda: "-5", 0),
    ],
)
async def test_retry_after_is_waited_for(
    server: Server, tmp_path: Path, header: Callable[[], str], seconds: float
) -> None:
    """As seconds or as a date; nonsense is passed over; a wait worth the word is told."""
    waits: list[float] = []
    said: list[str] = []

    async def sleep(wait: float) -> None:
        waits.append(wait)

    server.says("/list", Reply(status=429, headers={"Retry-After": header()}), GOOD)
    async with Fetcher(contact="", cache=tmp_path, sleep=sleep, chance=lambda: 0.5, say=said.append) as fetcher:
        await fetcher.get(asking(f"{server.url}/list"), read)
    assert waits == [pytest.approx(max(seconds, 0.5), abs=2)]
    assert len(said) == (1 if seconds else 0)


async def test_waits_double_with_full_jitter(server: Server, tmp_path: Path) -> None:
    """Chance decides between nothing and the double of last time."""
    waits: list[float] = []

    async def sleep(wait: float) -> None:
        waits.append(wait)

    server.says("/list", Reply(status=500))
    chances = iter([1.0, 1.0, 0.5, 0.0])
    async with Fetcher(contact="", cache=tmp_path, sleep=sleep, chance=lambda: next(chances)) as fetcher:
        with pytest.raises(Unreachable):
            await fetcher.get(asking(f"{server.url}/list"), read)
    assert waits == [1, 2, 2, 0]


async def test_redirects_are_followed_but_not_for_ever(server: Server, fetcher: Fetcher) -> None:
    """A moved service is found; a circle is told."""
    server.says("/old", Reply(status=301, headers={"Location": "/list"}))
    server.says("/list", GOOD)
    assert await fetcher.get(asking(f"{server.url}/old"), read) == ["moon"]
    server.says("/circle", Reply(status=302, headers={"Location": "/circle"}))
    with pytest.raises(Unreachable, match="more than 5 redirects"):
        await fetcher.get(asking(f"{server.url}/circle"), read)


async def test_the_bundled_file_needs_no_network(fetcher: Fetcher) -> None:
    """And a missing one is told."""
    found = await fetcher.get(asking("package:sample.json", "package"), read)
    assert isinstance(found, list)
    with pytest.raises(Unreachable, match=r"The bundled file nothing\.json cannot be read"):
        await fetcher.get(asking("package:nothing.json", "package"), read)


async def test_it_fetches_inside_its_context_alone(tmp_path: Path) -> None:
    """A mistake of ours, which must not look like the network's."""
    with pytest.raises(RuntimeError, match="async with"):
        await Fetcher(contact="", cache=tmp_path).get(asking("http://127.0.0.1:1/"), read)


async def test_a_cancelled_request_leaves_the_client_usable(server: Server, fetcher: Fetcher) -> None:
    """Ctrl-C in the middle of an answer frees arXiv's turn."""
    server.says("/slow", Reply(b"<a/>", fault="stall"))
    server.says("/list", Reply(b"<a/>"))
    task = asyncio.create_task(fetcher.get(asking(f"{server.url}/slow", "arxiv", "xml"), bytes))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await fetcher.get(asking(f"{server.url}/list", "arxiv", "xml"), bytes) == b"<a/>"
