"""Fixtures of the web app's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from flows.database import Database
from tests.subscribers.readers import Visited, visiting


@pytest.fixture
async def visited(database: Database, tmp_path: Path) -> AsyncIterator[Visited]:
    """The site, with nothing published yet."""
    async with visiting(database, tmp_path) as site:
        yield site
