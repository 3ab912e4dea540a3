from __future__ import annotations

import time
from pathlib import Path

import pytest

from flows.outcomes import Problem
from flows.papers.fetch import Fetcher
from tests.papers.server import Reply, Server
from tests.papers.shapes import asking, read


async def test_what_has_not_changed_is_not_sent_again(server: Server, fetcher: Fetcher) -> None:
    """The stored body is read again; a changed one takes its place."""
    server.says("/list", Reply(b'["old"]', etag=True), Reply(b'["old"]', etag=True), Reply(b'["new"]', etag=True))
    asked = asking(f"{server.url}/list")
    assert [await fetcher.get(asked, read) for _ in range(3)] == [["old"], ["old"], ["new"]]
    assert ["If-None-Match" in one.headers for one in server.asked] == [False, True, True]


async def test_a_body_that_nobody_could_read_is_not_kept(server: Server, fetcher: Fetcher) -> None:
    """Otherwise a service that stumbled once would be stuck with it."""
    server.says("/list", Reply(b'["ol', etag=True), Reply(b'["new"]', etag=True))
    assert await fetcher.get(asking(f"{server.url}/list"), read) == ["new"]
    assert "If-None-Match" not in server.asked[1].headers


async def test_a_damaged_cache_does_no_harm(server: Server, fetcher: Fetcher, tmp_path: Path) -> None:
    """Neither does one whose body the reader no longer accepts."""
    server.says("/list", Reply(b'["moon"]', etag=True))
    asked = asking(f"{server.url}/list")
    await fetcher.get(asked, read)
    (kept,) = (tmp_path / "cache/answers").iterdir()
    kept.write_bytes(kept.read_bytes().replace(b"moon", b"mo\xff\x00"))
    assert await fetcher.get(asked, read) == ["moon"]
    kept.write_bytes(kept.read_bytes()[:30])
    assert await fetcher.get(asked, read) == ["moon"]


async def test_the_cache_stays_small(server: Server, tmp_path: Path) -> None:
    """What is older than a week goes, and the oldest beyond two hundred."""
    folder = tmp_path / "answers"
    folder.mkdir()
    for number in range(210):
        (folder / f"{number}").write_text("x")
    async with Fetcher(contact="", cache=tmp_path):
        assert len(list(folder.iterdir())) == 200
    async with Fetcher(contact="", cache=tmp_path, clock=lambda: time.time() + 8 * 86_400):
        assert not list(folder.iterdir())


async def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """With the setting to change."""
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem, match=r"PAPERROUND_CACHE_DIR: .* cannot be written"):
        async with Fetcher(contact="", cache=tmp_path / "file" / "cache"):
            pass
