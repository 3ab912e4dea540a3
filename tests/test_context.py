"""What a process works with, as its settings and the day make it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows.config.settings import Settings
from flows.context import TEMPLATES, Context, open_context, preview_link, read_day, report_link
from flows.editions.model import Kind
from flows.outcomes import Problem
from flows.storage.database import Database, connect
from tests import factories
from tests.context import NOON, context_of
from tests.factories import DAY

Made = Callable[..., Context]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A context of settings, of which nothing asks the database."""
    database: Database = connect("sqlite+aiosqlite://")
    return lambda **given: context_of(database, tmp_path, **given)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("today", DAY),
        (" Today ", DAY),
        ("", DAY),
        ("yesterday", DAY - dt.timedelta(days=1)),
        ("2019-12-31", dt.date(2019, 12, 31)),
        ("2026-06-10", DAY + dt.timedelta(days=1)),
        ("2026-06-11", "2026-06-11 lies in the future: choose a day up to 2026-06-10."),
        ("9 June", "'9 June' is no date: write it as 2026-06-09, or today, or yesterday."),
        ("9" * 99, f"{'9' * 40!r} is no date: write it as 2026-06-09, or today, or yesterday."),
    ],
)
def test_a_day_is_read_as_a_person_writes_it(written: str, day: dt.date | str) -> None:
    if isinstance(day, dt.date):
        assert read_day(written, DAY) == day
        return
    with pytest.raises(Problem) as problem:
        read_day(written, DAY)
    assert str(problem.value) == day


@pytest.mark.parametrize(
    ("zone", "at", "day"),
    [
        ("Pacific/Kiritimati", None, DAY + dt.timedelta(days=1)),
        ("UTC", None, DAY),
        ("America/New_York", NOON - dt.timedelta(hours=11), DAY - dt.timedelta(days=1)),
    ],
)
def test_today_is_that_of_the_newsletters_zone(made: Made, zone: str, at: dt.datetime | None, day: dt.date) -> None:
    assert made().day(factories.newsletter(zone=zone), "today", at) == day


def test_a_newsletter_that_is_not_there_is_told_with_those_that_are(made: Made) -> None:
    context = replace(
        made(), newsletters={"daily": factories.newsletter(), "noon": factories.newsletter(slug="noon", weekly_cron="")}
    )
    assert made().newsletter("daily", Kind.WEEKLY).slug == "daily"
    with pytest.raises(Problem, match=r"There is no newsletter 'dialy': choose one of daily, noon\."):
        context.newsletter("dialy")
    with pytest.raises(Problem, match=r"Paperround has no weekly edition: give its file a weekly_cron"):
        context.newsletter("noon", Kind.WEEKLY)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({"returns_url": "", "verp": False}, "bounces@example.org"),
        ({"returns_url": "maildir:///var/returns", "verp": True}, ""),
    ],
    ids=["one for all", "each its own"],
)
def test_where_mail_comes_back_to(made: Made, given: dict[str, Any], address: str) -> None:
    """By mail readers unsubscribe only where somebody reads it."""
    context = made(return_path="bounces@example.org", **given)
    assert context.site.unsubscribe_mailbox == ("bounces@example.org" if given["returns_url"] else "")
    of_two = {context.return_address(1, reader) for reader in (7, 8)}
    assert of_two == {address} if address else (len(of_two) == 2 and all("bounces" in one for one in of_two))


def test_connections_are_counted_by_mail_server_whoever_logs_in(made: Made) -> None:
    assert made().slots() is None
    folders = [
        made(mail_url=f"smtp://{server}").slots()
        for server in ("a:1@mx.example.org", "b:2@mx.example.org", "mx.example.net")
    ]
    first, second, other = (str(vars(one)) for one in folders)
    assert first == second != other
    assert "a:1" not in first


def test_an_operators_templates_come_before_ours(made: Made, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    assert made().template_folders == (TEMPLATES,)
    assert made(templates_dir=own).template_folders == (own, TEMPLATES)


def test_links_of_operators_lead_to_the_web_app(made: Made) -> None:
    context = made(public_url="https://papers.example.org")
    assert report_link(context, "daily", Kind.DAILY, DAY) == "https://papers.example.org/report/daily/2026-06-09"
    weekly = preview_link(context, "daily", Kind.WEEKLY, DAY)
    assert weekly.startswith("https://papers.example.org/preview/daily/")
    assert weekly != preview_link(context, "daily", Kind.DAILY, DAY)


async def test_what_is_opened_is_up_to_date_kept_to_its_user_and_closed(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home_dir=tmp_path / "home", mail_url="maildir://out")
    async with open_context(settings) as context:
        assert await context.store.newest("daily", Kind.DAILY) is None
    assert [path for path in (tmp_path / "home").iterdir() if path.stat().st_mode & 0o077] == []


async def test_a_catalogue_that_is_wrong_opens_nothing(tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text("title = 3\n")
    settings = Settings(_env_file=None, home_dir=tmp_path / "home", newsletters_dir=tmp_path)
    with pytest.raises(Problem, match="wrong"):
        async with open_context(settings):
            pass
    assert not (tmp_path / "home" / "paperround.db").exists()
