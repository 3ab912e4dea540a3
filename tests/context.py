"""A context to test with: a database that is given, everything else in a folder of the test's own."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from flows.config import catalogue
from flows.config.settings import Settings
from flows.context import Context
from flows.storage.database import Database

NOON = dt.datetime(2026, 6, 9, 12, 0, tzinfo=dt.UTC)


def context_of(database: Database, folder: Path, *, now: dt.datetime = NOON, **given: Any) -> Context:
    """A context whose clock stands still at `now`; `given` are settings."""
    made: dict[str, Any] = {
        "home_dir": folder,
        "cache_dir": folder / "cache",
        "mail_url": f"maildir://{folder / 'outbox'}",
        "sender": "Paperround <paperround@example.org>",
        "arxiv_interval": 0,
    }
    topics = catalogue.topics()
    return Context(
        settings=Settings(_env_file=None, **(made | given)),
        database=database,
        topics=topics,
        newsletters=catalogue.newsletters(known_topics=topics),
        now=lambda: now,
    )
