"""Fixtures of the subscribers' tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from flows.processes.serve import services
from flows.storage.database import Database
from tests.context import context_of
from tests.subscribers.readers import Visited
from tests.subscribers.site import NEW, OLD, Site, served


@pytest.fixture
async def site(database: Database, tmp_path: Path) -> AsyncIterator[Site]:
    context = context_of(database, tmp_path, secret_key=f"{NEW},{OLD}", public_url="https://papers.example.org")
    made = services(context)
    app, browser = served(made)
    async with browser:
        yield Site(context, made, app, browser)


@pytest.fixture
def visited(site: Site) -> Visited:
    """The site as somebody sees it who has no link of their own."""
    return Visited(site.context, site.browser)
