"""What Prefect shows of what came back, as a real run of its flow leaves it."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

from flows.storage.database import connect, migrate
from tests.incoming.scene import FULL, KEY, complaint, report, scene_of

RUN = """
import asyncio, json
from prefect.artifacts import Artifact
from flows.returns import returns

async def work():
    ended = await returns(return_state=True)
    shown = await Artifact.aget("returned-daily")
    print(json.dumps([ended.message, shown.description, json.loads(shown.data)]))

asyncio.run(work())
"""
READERS = ("ada@one.example", "ben@one.example", "cleo@two.example", "dov@two.example")


async def prepare(folder: Path) -> str:
    database = connect(f"sqlite+aiosqlite:///{folder / 'scene.db'}")
    await migrate(database)
    try:
        scene = scene_of(database, folder)
        scene.now = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
        await scene.subscribe(*READERS)
        number = await scene.send()
        scene.put(report(scene.token_of(number, READERS[0]), READERS[0]))
        scene.put(report(scene.token_of(number, READERS[2]), READERS[2], **FULL))
        scene.put(complaint(headers=f"Return-Path: <{scene.token_of(number, READERS[3])}>\n"))
    finally:
        await database.close()
    return str(scene.folder)


def test_a_run_shows_the_rates_by_edition_thirty_days_and_domain_and_nobodys_name(tmp_path: Path) -> None:
    mailbox = asyncio.run(prepare(tmp_path))
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PAPERROUND_", "PREFECT_"))
    }
    environment |= {
        "PAPERROUND_HOME_DIR": str(tmp_path / "home"),
        "PAPERROUND_DATABASE_URL": f"sqlite:///{tmp_path / 'scene.db'}",
        "PAPERROUND_SECRET_KEY": KEY,
        "PAPERROUND_RETURN_PATH": "bounces@example.org",
        "PAPERROUND_RETURNS_URL": f"maildir://{mailbox}",
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    done = subprocess.run(
        [sys.executable, "-P", "-c", RUN],
        check=False,
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert done.returncode == 0, done.stderr
    message, description, rows = json.loads(done.stdout.splitlines()[-1])
    assert message.startswith("Returned mail: 1 hard bounce, 1 soft bounce, 1 complaint, 0 left unread")
    assert description == "What came back, by domain"
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
    kept = [file for file in (tmp_path / "prefect").rglob("*") if file.is_file()]
    assert "prefect.db" in {file.name for file in kept}
    for reader in READERS:
        assert [file.name for file in kept if reader.encode() in file.read_bytes()] == []
        assert reader not in done.stdout + done.stderr
