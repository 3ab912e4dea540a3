"""`paperround preview --watch`: the mail follows its templates and its newsletter's file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from flows.commands.preview import WatchedMail
from flows.commands.preview_server import app, in_scheme
from flows.storage.database import Database
from subscribers.web.pages import Pages
from tests.commands.watching import style

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
async def browser(watched: WatchedMail) -> AsyncIterator[httpx.AsyncClient]:
    await watched.look()
    transport = httpx.ASGITransport(app(watched, Pages(watched.context.template_folders, watched.context.phrases)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def test_the_views(browser: httpx.AsyncClient, watched: WatchedMail) -> None:
    page = await browser.get("/?width=narrow&scheme=dark")
    assert '<iframe class="narrow" src="/mail?scheme=dark"' in page.text
    assert "HTML" in page.text
    assert 'aria-current="true">375 px</a>' in page.text
    assert "<h1" in (await browser.get("/mail")).text
    assert "ROBOTS" in (await browser.get("/text")).text
    source = (await browser.get("/source")).text
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in source
    assert "follow();" in (await browser.get("/watch.js")).text
    assert (await browser.get("/?width=1&scheme=<script>")).status_code == 200


async def test_nothing_in_a_mail_can_act(browser: httpx.AsyncClient) -> None:
    page, mail = await browser.get("/"), await browser.get("/mail")
    assert "allow-scripts" not in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in mail.headers["Content-Security-Policy"]
    assert "script-src" not in mail.headers["Content-Security-Policy"]
    assert "https:" not in mail.headers["Content-Security-Policy"]
    assert '<a target="_blank"' in mail.text


async def test_no_other_name_reads_it(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/mail", headers={"Host": "example.org"})).status_code == 400


async def test_a_mistake_has_a_page(browser: httpx.AsyncClient, watched: WatchedMail, own: Path) -> None:
    file = own / "templates/email/digest/own/digest.html"
    file.write_text("{% block x %}\n{% endblok %}<script>")
    await watched.look()
    for view in ("/", "/text", "/source"):
        page = (await browser.get(view)).text
        assert "The mail can’t be made" in page
        assert "<mark><b>2</b>{% endblok %}&lt;script&gt;</mark>" in page
    assert (await browser.get("/mail")).status_code == 200
    file.unlink()
    await watched.look()
    assert "Ask Before You Book" in (await browser.get("/")).text


async def test_who_waits_hears_of_a_change_at_once(browser: httpx.AsyncClient, watched: WatchedMail, own: Path) -> None:
    version = watched.shown.version
    assert (await browser.get(f"/changed?since={version}")).text == version
    waiting = asyncio.create_task(browser.get(f"/changed?since={version}"))
    await asyncio.sleep(0.05)
    style(own, "#abcdef")
    await watched.look()
    assert (await waiting).text == watched.shown.version != version


def test_a_scheme_that_is_wished_for_is_what_the_mail_thinks(database: Database) -> None:
    mail = "<style>:root { color-scheme: light dark; } @media (prefers-color-scheme: dark) { a { b: c } }</style>"
    assert "@media (min-width: 0) {" in in_scheme(mail, "dark")
    assert "@media (max-width: 0) {" in in_scheme(mail, "light")
    assert ":root { color-scheme: dark; }" in in_scheme(mail, "dark")
