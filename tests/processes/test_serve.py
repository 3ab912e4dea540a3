"""What the web app is made of, and how it is served. That both processes stay, and what they do together, is tested in
`test_up.py` and `test_up_keeps_running.py`; the app itself in `tests/subscribers/web`."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from starlette.applications import Starlette

from flows.context import Context
from flows.editions.model import Kind, NoEdition
from flows.processes.crowd import BACKLOG
from flows.processes.serve import SHUTDOWN, how_to_serve, services, site
from flows.storage.database import connect
from subscribers.people.signups import SignUp
from subscribers.tables import outbox
from tests import factories
from tests.context import context_of
from tests.delivery.test_run import cards
from tests.factories import DAY
from tests.sending.smtp import MailServer, mail_server
from tests.subscribers.everyone import wish


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as made:
        yield made


@pytest.fixture
async def context(migrated_sqlite: Path, tmp_path: Path, server: MailServer) -> AsyncIterator[Context]:
    await asyncio.to_thread(shutil.copy, migrated_sqlite, tmp_path / "paperround.db")
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'paperround.db'}")
    made = context_of(database, tmp_path, mail_url=server.url)
    yield made
    await made.close()
    await database.close()


def browser(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8180")


@pytest.mark.parametrize("proxies", [[], ["10.0.0.1"]], ids=["no proxy", "a proxy"])
def test_nothing_about_readers_is_logged_and_only_a_proxy_of_ours_is_believed(
    tmp_path: Path, proxies: list[str]
) -> None:
    """Paths hold readers' tokens; with an empty list nobody's X-Forwarded-For counts."""
    made = context_of(None, tmp_path, trusted_proxies=",".join(proxies))  # type: ignore[arg-type] # nothing asks it
    how = how_to_serve(Starlette(), made.settings, "127.0.0.1", 8180, processes=3)
    assert (how.access_log, how.server_header, how.log_level) == (False, False, "warning")
    assert (how.proxy_headers, how.forwarded_allow_ips) == (True, made.settings.proxies)
    assert (how.workers, how.backlog, how.timeout_graceful_shutdown) == (3, BACKLOG, SHUTDOWN)


async def test_the_demos_mailbox_is_a_page_of_the_menu_and_nobody_elses_is(context: Context, tmp_path: Path) -> None:
    async with site(context) as app, browser(app) as visitor:
        assert "/inbox" not in (await visitor.get("/")).text
        assert (await visitor.get("/inbox")).status_code == 404
    async with site(context, tmp_path / "inbox") as app, browser(app) as visitor:
        assert "/inbox" in (await visitor.get("/")).text
        assert (await visitor.get("/inbox")).status_code == 200


async def test_a_letter_that_was_asked_for_leaves_before_the_site_has_ended(
    context: Context, server: MailServer
) -> None:
    async with site(context):
        made: SignUp = wish()
        await context.subscribers.sign_up(made, context.now())
        async with asyncio.timeout(30):
            await server.has_taken(1)
    assert [taken.recipient for taken in server.taken] == [made.email]
    async with context.database.read() as connection:
        assert (await connection.scalars(sa.select(outbox.c.state))).all() == ["sent"]


async def test_an_edition_is_shown_as_it_was_kept_and_a_day_without_one_has_its_reason(context: Context) -> None:
    made = services(context)
    frozen = await context.store.freeze(factories.edition(), cards(), context.now())
    shown = await made.page_of(frozen)
    assert all(entry.paper.id in shown for entry in frozen.edition.entries)
    nothing = await made.preview_of(context.newsletters["sample"], Kind.DAILY, DAY)
    assert isinstance(nothing, NoEdition)
    assert nothing.reason
