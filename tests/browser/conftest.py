"""A real browser before the real web app, with a real mail server behind it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.config.settings import Settings
from flows.context import Context, open_context
from flows.mail.cards import pack
from flows.papers.model import Collected
from flows.pipeline import cards_of
from flows.storage.editions import Frozen
from tests import factories
from tests.conftest import free_port
from tests.sending.smtp import MailServer, mail_server

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True, kw_only=True)
class Site:
    """The web app in a process of its own, and what stands around it."""

    url: str
    mail: MailServer
    context: Context
    """Of the same database."""

    async def publish(self, **given: Any) -> Frozen:
        edition = factories.edition(**given)
        papers = tuple(entry.paper for section in edition.sections for entry in section.entries)
        listed = Collected(source="huggingface", day=edition.day, papers=papers)
        await self.context.store.keep(listed, self.context.now())
        cards = await cards_of(self.context, edition, self.context.newsletters["daily"])
        return await self.context.store.freeze(edition, pack(cards), self.context.now())


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    port = free_port()
    async with mail_server() as mail:
        given: dict[str, Any] = {
            "home_dir": tmp_path / "home",
            "mail_url": mail.url,
            "sender": "Paperround <digest@example.org>",
            "public_url": f"http://127.0.0.1:{port}",
            "secret_key": "a key of sixteen letters or more",
            "arxiv_url": "http://127.0.0.1:9/api/query",  # where nobody answers
        }
        async with open_context(Settings(_env_file=None, **given)) as context, _serving(port, given):
            yield Site(url=given["public_url"], mail=mail, context=context)


@asynccontextmanager
async def _serving(port: int, given: dict[str, Any]) -> AsyncIterator[None]:
    environment = os.environ | {f"PAPERROUND_{name.upper()}": str(value) for name, value in given.items()}
    command = (sys.executable, "-m", "flows", "web", "--port", str(port))
    process = await asyncio.create_subprocess_exec(*command, env=environment)
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            while not await _is_up(client, port):
                assert process.returncode is None
                await asyncio.sleep(0.1)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def _is_up(client: httpx.AsyncClient, port: int) -> bool:
    try:
        return (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
async def chromium() -> AsyncIterator[Any]:
    """The browser on this machine; the test is skipped where there is none."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium on this machine")
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=OPTIONS)
        yield browser
        await browser.close()
