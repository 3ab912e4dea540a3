"""Operators who are logged in."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
import sqlalchemy as sa

from subscribers.tables import operator_session
from subscribers.web.operators import COOKIE
from subscribers.web.sessions import LIFE
from tests.context import NOON
from tests.subscribers.site import READER, Site, served
from tests.subscribers.web.routes.test_delivery_report import delivered
from tests.subscribers.web.routes.test_login import PAGES


@pytest.fixture(autouse=True)
def redirects_are_seen(site: Site) -> None:
    site.browser.follow_redirects = False


async def test_a_session_ends_after_a_week_and_with_another_login(site: Site) -> None:
    await site.log_in()
    token = site.browser.cookies[COOKIE]
    sessions = site.services.sessions
    assert await sessions.is_open(token, NOON + LIFE - dt.timedelta(seconds=1))
    assert not await sessions.is_open(token, NOON + LIFE)
    assert not await type(sessions)(site.context.database, "another login of many letters").is_open(token, NOON)


async def test_a_session_is_kept_as_a_hash_and_forgotten_when_it_is_over(site: Site) -> None:
    await site.log_in()
    token = site.browser.cookies[COOKIE]
    assert token not in str(await site.everything())
    await site.services.sessions.open(NOON + LIFE + dt.timedelta(days=1))
    async with site.context.database.read() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(operator_session)) == 1


async def test_the_pages_of_another_installation_take_no_session_of_this_one(site: Site) -> None:
    await site.log_in()
    others = replace(site.services, sessions=type(site.services.sessions)(site.context.database, "of another machine"))
    _, browser = served(others)
    async with browser:
        cookie = {"Cookie": f"{COOKIE}={site.browser.cookies[COOKIE]}"}
        answer = await browser.get(PAGES[0], headers=cookie, follow_redirects=False)
        assert answer.status_code == 303


async def test_logging_out_ends_the_session_for_whoever_has_copied_its_cookie(site: Site) -> None:
    await delivered(site, READER)
    copied = dict(site.browser.cookies)
    answer = await site.browser.post("/logout")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert COOKIE not in site.browser.cookies
    site.browser.cookies.update(copied)
    assert (await site.browser.get(PAGES[0])).status_code == 303
