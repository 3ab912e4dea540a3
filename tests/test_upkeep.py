from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

from flows.pipeline import tidy
from flows.storage.database import Database
from subscribers.people.store import Change
from tests.context import NOON, context_of


async def test_the_nightly_upkeep_lets_go_of_what_the_settings_give_a_time_to(
    database: Database, tmp_path: Path
) -> None:
    context = context_of(database, tmp_path, now=NOON + dt.timedelta(days=40))
    change = Change(email="ada@example.org", newsletter="daily", columns={"state": "unsubscribed"})
    await context.subscribers.keep([change], NOON)
    logs = tmp_path / "logs"
    logs.mkdir()
    for name in ("web.log", "web.log.1", "web.log.2"):
        (logs / name).write_text("said")
    os.utime(logs / "web.log.2", (0, 0))
    os.utime(logs / "web.log", (0, 0))
    said = await tidy(context)
    assert said.startswith("Forgotten: 0 unconfirmed sign-ups, 1 reader who had left, 1 log; ")
    assert sorted(os.listdir(logs)) == ["web.log", "web.log.1"]
    assert await context.subscribers.by_address("ada@example.org", "daily") is None
