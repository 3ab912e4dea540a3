"""What Prefect shows of what came back, as a real run of its flow leaves it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from flows.returns import returns
from flows.storage.database import connect
from tests.incoming.scene import FULL, KEY, complaint, report, scene_of
from tests.prefect_server import Installation

READERS = ("ada@one.example", "ben@one.example", "cleo@two.example", "dov@two.example")


async def prepare(installation: Installation) -> None:
    database = connect(f"sqlite+aiosqlite:///{installation.home / 'paperround.db'}")
    try:
        scene = scene_of(database, installation.home)
        scene.now = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
        await scene.subscribe(*READERS)
        number = await scene.send()
        scene.put(report(scene.token_of(number, READERS[0]), READERS[0]))
        scene.put(report(scene.token_of(number, READERS[2]), READERS[2], **FULL))
        scene.put(complaint(headers=f"Return-Path: <{scene.token_of(number, READERS[3])}>\n"))
    finally:
        await database.close()
    installation.sets(secret_key=KEY, return_path="bounces@example.org", returns_url=f"maildir://{scene.folder}")


async def test_a_run_shows_the_rates_by_edition_thirty_days_and_domain_and_nobodys_name(
    installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    await prepare(installation)
    ended: Any = await returns(return_state=True)
    assert ended.message.startswith("Returned mail: 1 hard bounce, 1 soft bounce, 1 complaint, 0 left unread")
    shown = installation.prefect.shown("returned-daily")
    assert shown["description"] == "What came back, by domain"
    rows = json.loads(shown["data"])
    assert [row["of"] for row in rows] == ["all of 30 days", "the latest edition", "two.example", "one.example"]
    whole = {
        "sent": "4",
        "rejected at once": "0 (0.00%)",
        "delivered": "2 (50.00%)",
        "hard bounces": "1 (25.00%)",
        "soft bounces": "1 (25.00%)",
        "our mail refused": "0 (0.00%)",
        "complaints": "1 (25.00%)",
        "unsubscribed": "1",
    }
    assert [{name: row[name] for name in whole} for row in rows[:2]] == [whole, whole]
    kept = [file for file in installation.prefect.home.rglob("*") if file.is_file()]
    assert "prefect.db" in {file.name for file in kept}
    assert "Returned mail: 1 hard bounce" in caplog.text
    for reader in READERS:
        assert [file.name for file in kept if reader.encode() in file.read_bytes()] == []
        assert reader not in caplog.text
