"""What Prefect shows of what came back, as a real run of its flow leaves it."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from pathlib import Path

from flows.storage.database import connect, migrate
from tests.incoming.scene import FULL, KEY, complaint, report, scene_of
from tests.running_processes import by_itself

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
    done = by_itself(
        tmp_path,
        "-c",
        RUN,
        home_dir=str(tmp_path / "home"),
        database_url=f"sqlite:///{tmp_path / 'scene.db'}",
        secret_key=KEY,
        return_path="bounces@example.org",
        returns_url=f"maildir://{mailbox}",
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
