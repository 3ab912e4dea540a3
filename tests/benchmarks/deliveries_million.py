"""How long it takes to tell who got an edition that went to a million readers, on SQLite, and in how much memory.

    python -m tests.benchmarks.deliveries_million [--readers N]

The rows are made straight by SQL: most are sent, 3 % rejected and 2 % deferred, every server's words its own. It prints
seconds and the most memory that was resident for the real command in a process of its own, and seconds for the parts
of the page.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from flows.config.settings import Settings
from flows.context import open_context
from flows.storage.editions import Frozen
from subscribers.ledger.report import DeliveryReport
from subscribers.model import DeliveryState
from tests import factories
from tests.benchmarks.import_million import measured
from tests.factories import DAY

EDITION = f"daily/{DAY}"
COMMAND = ("deliveries", "--edition", EDITION)


async def made(folder: Path, readers: int) -> Frozen:
    """A home with an edition that was delivered to so many readers."""
    async with open_context(Settings(_env_file=None, home_dir=folder / "home")) as context:
        frozen = await context.store.freeze(factories.edition(), b"", context.now())
        await context.store.opened(frozen.id, context.now())
    with closing(sqlite3.connect(folder / "home/paperround.db")) as connection:
        numbers = range(1, readers + 1)
        connection.executemany(
            "INSERT INTO subscriber (id, email, email_key, created_at) VALUES (?, ?, ?, 0)",
            ((n, f"reader.{n}@example.org", f"reader.{n}@example.org") for n in numbers),
        )
        connection.execute(
            "INSERT INTO subscription (id, subscriber_id, newsletter, state, topics, keywords, authors, frequency,"
            " zone, tags, consent_source, changed_at)"
            " SELECT id, id, 'daily', 'confirmed', '[]', '[]', '[]', 'daily', 'UTC', '[]', '', 0 FROM subscriber"
        )
        connection.executemany(
            "INSERT INTO delivery (edition_id, subscription_id, state, attempts, due_at, first_at, changed_at, code,"
            " words) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((frozen.id, n, *_became(n)) for n in numbers),
        )
        connection.commit()
    return frozen


def _became(n: int) -> tuple[object, ...]:
    at = 1_781_000_000_000 + n
    match n % 100:
        case 0 | 1 | 2:
            return "rejected", 1, None, at, at + 9, 550, f"5.1.1 <reader.{n}@example.org> unknown d9443c01a7{n} - smtp"
        case 3 | 4:
            return "deferred", 2, at + 10**6, at, at + 9, 451, f"4.7.1 greylisted, session 7c01a7{n:06}"
        case _:
            return "sent", 1, None, at, at + 9, 250, f"2.0.0 Ok: queued as 4Rk{n:07}Zq"


async def _page(folder: Path, frozen: Frozen, readers: int) -> None:
    async with open_context(Settings(_env_file=None, home_dir=folder / "home")) as context:
        report = DeliveryReport(context.database)
        parts: dict[str, Callable[[], Awaitable[Any]]] = {
            "summary": lambda: report.summary(frozen.id),
            "first page": lambda: report.page(frozen.id),
            "last page": lambda: report.page(frozen.id, after=readers - 100),
            "state of nobody": lambda: report.page(frozen.id, state=DeliveryState.SKIPPED),
            "search": lambda: report.find(frozen.id, f"reader.{readers}@example.org"),
        }
        for name, part in parts.items():
            took = []
            for _ in range(3):
                began = time.perf_counter()
                await part()
                took.append(time.perf_counter() - began)
            print(f"{name:<36} {min(took):8.3f} s")


def main(readers: int) -> None:
    with tempfile.TemporaryDirectory(prefix="paperround-deliveries-") as folder:
        frozen = asyncio.run(made(Path(folder), readers))
        for options in (("--csv",), (), ("--csv", "--state", "rejected")):
            began = time.monotonic()
            memory = measured(Path(folder), *COMMAND, *options, quiet=True)
            took = time.monotonic() - began
            print(f"{' '.join(('deliveries', *options)):<36} {took:8.1f} s  {memory:5.0f} MB resident")
        asyncio.run(_page(Path(folder), frozen, readers))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--readers", type=int, default=1_000_000)
    main(arguments.parse_args().readers)
