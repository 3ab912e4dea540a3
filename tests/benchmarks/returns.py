"""How long 10,000 bounces take, and how much memory, when the reader of the mailbox is killed in the middle.

    python -m tests.benchmarks.returns [MESSAGES]

Every message is about another reader; a third is hard, a third soft, a third about our mail. The command is killed with
SIGKILL once half of them are marked, and started again: each bounce is in the ledger once.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from flows.storage.database import connect, migrate
from tests.incoming.scene import FULL, KEY, Scene, report, scene_of

ROOT = Path(__file__).resolve().parents[2]
KINDS: tuple[dict[str, str], ...] = ({}, FULL, {"diagnostic": "smtp; 550 5.7.1 blocked", "status": "5.7.1"})


@dataclass(frozen=True)
class Measured:
    seconds: float
    megabytes: float
    marked_before_the_kill: int
    rows: int
    words: str


async def prepare(folder: Path, messages: int) -> Scene:
    """Readers who were sent an edition, and a mailbox with a bounce of each."""
    database = connect(f"sqlite+aiosqlite:///{folder / 'paperround.db'}")
    await migrate(database)
    scene = scene_of(database, folder)
    names = [f"reader{n}@domain{n % 997}.example" for n in range(messages)]
    await scene.context.subscribers.keep([], scene.now)
    for start in range(0, messages, 500):
        await scene.subscribe(*names[start : start + 500])
    scene.now = scene.now.now(tz=scene.now.tzinfo)
    number = await scene.send()
    filling = "Received: from somewhere by somewhere else; Tue, 9 Jun 2026 08:00:00 +0000\n" * 40
    for n, name in enumerate(names):
        scene.put(report(scene.token_of(number, name), name, headers=filling, **KINDS[n % 3]))
    await database.close()
    return scene


def read(folder: Path, kill_after: int = 0) -> tuple[str, float]:
    """Runs the command; its words and its largest size in MB. It is killed once so many messages are marked."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PAPERROUND_HOME_DIR": str(folder),
        "PAPERROUND_SECRET_KEY": KEY,
        "PAPERROUND_SUPPRESSION_KEY": KEY,
        "PAPERROUND_RETURNS_URL": f"maildir://{folder / 'returns'}",
        "PAPERROUND_RETURN_PATH": "bounces@example.org",
    }
    command = [sys.executable, "-m", "flows", "returns"]
    with subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        marked = folder / "returns" / "cur"
        while kill_after and process.poll() is None and len(os.listdir(marked)) < kill_after:
            time.sleep(0.02)
        if kill_after:
            process.send_signal(signal.SIGKILL)
        words, _ = process.communicate()
    return words.strip(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


async def measure(messages: int) -> Measured:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        await prepare(folder, messages)
        begun = time.perf_counter()
        read(folder, kill_after=messages // 2)
        marked = len(os.listdir(folder / "returns" / "cur"))
        words, megabytes = read(folder)
        seconds = time.perf_counter() - begun
        database = connect(f"sqlite+aiosqlite:///{folder / 'paperround.db'}")
        scene = scene_of(database, folder / "again")
        rows = len(await scene.rows())
        await database.close()
        assert not os.listdir(folder / "returns" / "new")
        assert not scene.left()
    return Measured(seconds, megabytes, marked, rows, words)


def main() -> None:
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    found = asyncio.run(measure(messages))
    print(f"{messages:,} bounces: {found.seconds:.1f} s, {found.megabytes:.0f} MB at most")
    print(f"killed with {found.marked_before_the_kill:,} marked; then: {found.words}")
    print(f"rows in the ledger: {found.rows:,}")


if __name__ == "__main__":
    main()
