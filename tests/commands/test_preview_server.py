"""`paperround preview --watch`: the mail follows its templates and its newsletter's file."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.commands.preview import WatchedMail
from flows.commands.preview_server import app, in_scheme
from flows.commands.without_prefect import Onlooker
from flows.editions.model import Interests, Kind
from flows.storage.database import Database
from subscribers.web.pages import Pages
from tests.context import context_of

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

NEWSLETTER = 'title = "Robots"\ndescription = "What moves."\nsources = ["huggingface"]\n'


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The operator's folders, with a look of the newsletter `robots`."""
    (tmp_path / "newsletters").mkdir()
    (tmp_path / "newsletters/robots.toml").write_text(NEWSLETTER + 'look = "own"\n')
    (tmp_path / "templates/email/digest/own").mkdir(parents=True)
    style(tmp_path, "#123456")
    return tmp_path


def style(own: Path, colour: str) -> None:
    (own / "templates/email/digest/own/style.css").write_text(
        '{% include "shipped/email/digest/classic/style.css" %}\nh1 { color: ' + colour + "; }\n"
    )


def watched_of(database: Database, own: Path, **given: Any) -> WatchedMail:
    folders: dict[str, Any] = {"templates_dir": own / "templates", "newsletters_dir": own / "newsletters"}
    made: dict[str, Any] = {"newsletter": "robots", "kind": Kind.DAILY, "day": None, "to": Onlooker()}
    return WatchedMail(context_of(database, own, **folders), say=lambda _: None, **(made | given))


@pytest.fixture
def watched(database: Database, own: Path) -> WatchedMail:
    return watched_of(database, own)


@pytest.fixture
async def browser(watched: WatchedMail) -> AsyncIterator[httpx.AsyncClient]:
    await watched.look()
    transport = httpx.ASGITransport(app(watched, Pages(watched.context.template_folders, watched.context.phrases)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def test_without_a_day_the_papers_are_the_samples_in_the_newsletters_look(watched: WatchedMail) -> None:
    shown = await watched.look()
    assert shown.message is not None
    assert shown.message.subject.endswith("and 23 more · 9 June")
    assert shown.papers == 25
    assert "#123456" in shown.message.html
    assert await watched.context.store.papers(dt.date(2026, 6, 9), dt.date(2026, 6, 9), ["sample"]) == ()


async def test_a_change_is_seen(watched: WatchedMail, own: Path) -> None:
    before = await watched.look()
    assert await watched.look() is before
    style(own, "#abcdef")
    after = await watched.look()
    assert after.version != before.version
    assert after.message is not None
    assert "#abcdef" in after.message.html
    (own / "newsletters/robots.toml").write_text(NEWSLETTER + 'look = "compact"\naccent = "#7a3b00"\n')
    other = await watched.look()
    assert other.message is not None
    assert "#7a3b00" in other.message.html
    assert "#abcdef" not in other.message.html


MISTAKES = {
    '{% extends "shipped/email/digest/classic/digest.html" %}\n\n{% block more %}{{ sloth.more }}{% endblock %}': (
        3,
        "'sloth' is undefined",
    ),
    '{% extends "shipped/email/digest/classic/digest.html" %}\n{% block alone %}{{ 1 / 0 }}{% endblock %}': (
        2,
        "division by zero",
    ),
    "{% block x %}\n{% endblok %}": (2, "unknown tag 'endblok'"),
    '{% extends "email/digest/own/digest.html" %}': (1, "extends or includes itself without end"),
    '{% extends "baroque.html" %}': (1, "baroque.html"),
    "<p>Nothing is marked</p>": (0, "marks no fragment"),
}


@pytest.mark.parametrize("template", MISTAKES)
async def test_a_mistake_is_told_in_words(watched: WatchedMail, own: Path, template: str) -> None:
    file = own / "templates/email/digest/own/digest.html"
    file.write_text(template)
    line, words = MISTAKES[template]
    shown = await watched.look()
    assert shown.message is None
    assert words in shown.problem
    assert shown.problem.endswith(".")
    assert shown.line == line
    if line:
        assert (line, template.splitlines()[line - 1]) in shown.source


@pytest.mark.parametrize("sheet", ["h1 { color: ", "}}} @media { @import url(x);", "h1 { : 1px;; }", "\x00", "\udcff"])
async def test_a_style_sheet_that_is_wrong_ends_nothing(watched: WatchedMail, own: Path, sheet: str) -> None:
    (own / "templates/email/digest/own/style.css").write_bytes(sheet.encode("utf-8", "surrogateescape"))
    shown = await watched.look()
    assert shown.message or shown.problem
    style(own, "#abcdef")
    assert (await watched.look()).message is not None


async def test_a_mistake_in_the_newsletters_file_is_told(watched: WatchedMail, own: Path) -> None:
    file = own / "newsletters/robots.toml"
    file.write_text(NEWSLETTER + 'accent = "teal"\n')
    assert "accent 'teal' must be a colour" in (await watched.look()).problem
    file.unlink()
    assert "There is no newsletter 'robots'" in (await watched.look()).problem


async def test_a_reader_who_gets_nothing_is_told(database: Database, own: Path) -> None:
    nobody = Onlooker(interests=Interests(muted=frozenset({"*"}), keywords=("zeppelin",)), address="a@example.org")
    shown = await watched_of(database, own, to=nobody).look()
    assert shown.problem == "No mail for a@example.org: nothing that the reader follows."


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
