"""A mail that is watched follows its templates and its newsletter's file, and says what is wrong with them."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import pytest

from flows.commands.preview import WatchedMail
from flows.commands.without_prefect import Onlooker
from flows.editions.model import Interests
from flows.storage.database import Database
from tests.commands.watching import NEWSLETTER, style, watched_of

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


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


async def test_a_version_is_followed_by_the_next_one_and_by_itself_where_there_is_none(
    watched: WatchedMail, own: Path
) -> None:
    (own / "newsletters/robots.toml").unlink()  # a mail that can't be made is soon told
    first = (await watched.look()).version
    assert await watched.after("another") == first
    assert await watched.after(first) == first
    following = asyncio.create_task(watched.follow())
    waiting = asyncio.create_task(watched.after(first))
    style(own, "#abcdef")
    assert await waiting == watched.shown.version != first
    following.cancel()
    assert (watched.shown.html_size, watched.shown.text_size) == (0, 0)
