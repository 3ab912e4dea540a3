"""What a list of a million readers costs on PostgreSQL: how long each thing takes, in how much memory, and how large
the database grows with the list, with an edition and with history.

    python -m tests.benchmarks.a_million [--readers N] [--due N] [--history N] [--postgresql URL] [--postfix DIR]

Readers are made straight by SQL; `--due` of them want an edition at once, the others hours later. `--history` is the
number of earlier editions that ten thousand readers got each. Commands are the real ones, in processes of their own;
mail goes into postfix's `smtp-sink`. Without `--postgresql` a server of our own is started, which does not sync to the
disk. It prints seconds, megabytes that were resident at most, how often a statement took longer than `SLOW`, and which,
and the size of each table.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from flows.config.settings import Settings
from flows.context import Context, open_context
from flows.delivery.run import deliver_due, open_rows
from flows.mail.cards import pack
from flows.pipeline import cards_of
from flows.storage.database import milliseconds
from flows.storage.editions import Frozen
from subscribers.ledger.figures import Figures
from subscribers.ledger.report import DeliveryReport
from tests import factories
from tests.benchmarks.delivery import Postfix
from tests.benchmarks.import_million import measured
from tests.benchmarks.manage_page import KEY, page_times
from tests.conftest import PostgresqlServer, free_port, own_postgresql
from tests.many_readers import many_readers

SLOW = 50
"""Milliseconds after which a statement is shown."""
OF_AN_EDITION = 10_000
"""Readers of each earlier edition."""

_HISTORY = """
INSERT INTO delivery (edition_id, subscription_id, state, attempts, first_at, changed_at, code, words)
SELECT 1000000 + e, 1 + (CAST(e AS bigint) * 7919 + i * 97) % CAST(:count AS bigint), 'sent', 1, :now, :now, 250,
  '2.0.0 Ok: queued as 4Rk' || i || 'Zq'
FROM generate_series(1, :editions) e, generate_series(1, :each) i ON CONFLICT DO NOTHING
"""


class Million:
    """A home, and the database that stands behind it."""

    def __init__(self, folder: Path, url: str, port: int, server: PostgresqlServer | None) -> None:
        self.folder, self.port, self._server = folder, port, server
        self.given: dict[str, Any] = {
            "home_dir": folder / "home",
            "database_url": url,
            "mail_url": f"smtp://127.0.0.1:{port}",
            "secret_key": KEY,
            "suppression_key": "another key of sixteen letters",
            "sender": "Paperround <digest@example.org>",
            "public_url": "https://papers.example.org",
            "postal_address": "1 Example Street, Sampletown",
        }

    def settings(self) -> Settings:
        return Settings(_env_file=None, **self.given)

    async def does(self, name: str, work: Callable[[Context], Awaitable[Any]]) -> Any:
        """Times work in this process."""
        async with open_context(self.settings()) as context:
            before, began = self._logged(), time.monotonic()
            made = await work(context)
            self._tell(name, time.monotonic() - began, None, before)
        return made

    def calls(self, *call: str) -> None:
        """Times a command."""
        environment = {f"PAPERROUND_{name.upper()}": str(value) for name, value in self.given.items()}
        before, began = self._logged(), time.monotonic()
        memory = measured(self.folder, *call, quiet=True, environment=environment)
        self._tell(f"paperround {' '.join(call)}", time.monotonic() - began, memory, before)

    def _logged(self) -> int:
        return (self._server.folder / "log").stat().st_size if self._server else 0

    def _tell(self, name: str, seconds: float, memory: float | None, before: int) -> None:
        resident = f"{memory:7.0f} MB" if memory is not None else " " * 10
        print(f"{name:<48} {seconds:8.2f} s {resident}", flush=True)
        if self._server is None:
            return
        with (self._server.folder / "log").open(encoding="utf-8", errors="replace") as log:
            log.seek(before)
            said = log.read()
        found = re.findall(r"duration: ([\d.]+) ms  (?:statement|execute [^:]*): (.*(?:\n\t.*)*)", said)
        often, longest = Counter[str](), dict[str, float]()
        for took, statement in found:
            kind = " ".join(statement.split())
            often[kind] += 1
            longest[kind] = max(longest.get(kind, 0), float(took))
        for kind, count in often.most_common(6):
            print(f"    {count} x, at most {longest[kind]:,.0f} ms: {_short(kind)}", flush=True)


def _short(statement: str) -> str:
    """Its beginning, and what it reads."""
    what, _, where = statement.partition(" FROM ")
    return f"{what[:60]} FROM {where[:120]}" if where else what[:180]


async def _filled(context: Context, readers: int, due: int, history: int) -> None:
    now = context.now()
    later = (now + dt.timedelta(hours=5)).hour
    async with context.database.write() as connection:
        every = max(1, readers // due)
        at = milliseconds(now)
        await many_readers(
            connection,
            readers,
            now,
            domains=5000,
            topics="""CASE id % 3 WHEN 0 THEN '["agents", "video"]' ELSE '[]' END""",
            keywords="""CASE id % 5 WHEN 0 THEN '["tensor ' || id || '", "slow telescope"]' ELSE '[]' END""",
            hour=f"CASE WHEN id % {every} = 0 THEN NULL ELSE {later} END",
        )
        each = min(OF_AN_EDITION, readers)
        given = {"count": readers, "editions": history, "each": each, "now": at}
        await connection.execute(sa.text(_HISTORY), given)
    async with context.database.engine.connect() as connection:
        raw = await connection.execution_options(isolation_level="AUTOCOMMIT")
        for table in ("subscriber", "subscription", "delivery"):
            await raw.execute(sa.text(f"VACUUM ANALYZE {table}"))
        for setting in (f"log_min_duration_statement = {SLOW}", "log_parameter_max_length = 0"):
            await raw.execute(sa.text(f"ALTER SYSTEM SET {setting}"))
        await raw.execute(sa.text("SELECT pg_reload_conf()"))


async def _frozen(context: Context) -> Frozen:
    edition = factories.edition(listed=factories.papers(23), topics=context.topics[:10])
    cards = await cards_of(context, edition, context.newsletters["daily"])
    return await context.store.freeze(edition, pack(cards), context.now())


async def _sizes(context: Context) -> None:
    query = (
        "SELECT relname, pg_total_relation_size(oid), reltuples FROM pg_class WHERE relkind = 'r' AND"
        " pg_total_relation_size(oid) > 1000000 AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC"
    )
    async with context.database.read() as connection:
        await connection.execute(sa.text("ANALYZE"))
        for name, size, rows in await connection.execute(sa.text(query)):
            print(f"    {name:<24} {size / 1e6:8.0f} MB {max(rows, 0):12,.0f} rows", flush=True)


async def _in_process(million: Million, readers: int) -> Frozen:
    frozen: Frozen = await million.does("the edition is frozen", _frozen)
    quiet: list[str] = []
    await million.does("rows for all its readers", lambda context: open_rows(context, frozen, quiet.append))
    await million.does("its rows again: none is missing", lambda context: open_rows(context, frozen, quiet.append))
    print("    after the edition's rows:")
    async with open_context(million.settings()) as context:
        await _sizes(context)
    return frozen


async def _asked(part: Callable[[DeliveryReport], Awaitable[Any]], context: Context) -> Any:
    return await part(DeliveryReport(context.database))


async def _afterwards(million: Million, frozen: Frozen, readers: int) -> None:
    quiet: list[str] = []
    await million.does("deliver-due, where nothing is", lambda context: deliver_due(context, "daily", quiet.append))
    parts: dict[str, Callable[[DeliveryReport], Awaitable[Any]]] = {
        "summary": lambda report: report.summary(frozen.id),
        "first page": lambda report: report.page(frozen.id),
        "last page": lambda report: report.page(frozen.id, after=readers - 100),
        "one reader": lambda report: report.find(frozen.id, f"reader{readers}@mail{readers % 5000}.example.org"),
    }
    for name, part in parts.items():
        await million.does(f"the delivery report: {name}", partial(_asked, part))
    await million.does("one reader is erased", lambda context: context.subscribers.erase(readers, context.now()))
    await million.does(
        "one reader is found by address",
        lambda context: context.subscribers.by_address("reader77@mail77.example.org", "daily"),
    )
    await million.does("readers are counted", lambda context: Figures(context.database).now(context.now()))


def _web(million: Million, readers: int) -> None:
    plain, full = asyncio.run(page_times(million.given, readers, 100))
    print(f"{'the manage page':<48} {full:8.1f} ms, an empty page {plain:.1f} ms", flush=True)


def main(given: argparse.Namespace) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="paperround-million-")))
        server = None if given.postgresql else stack.enter_context(own_postgresql())
        if not given.postgresql and server is None:
            sys.exit("PostgreSQL's programs are not found: install them, or name a server with --postgresql.")
        sink = Postfix(given.postfix)
        million = Million(folder, given.postgresql or (server.url if server else ""), free_port(), server)
        asyncio.run(
            million.does("filled by SQL", lambda context: _filled(context, given.readers, given.due, given.history))
        )
        frozen = asyncio.run(_in_process(million, given.readers))
        receiving: subprocess.Popen[bytes] = sink.sink(million.port)
        try:
            million.calls("deliver", "--date", str(factories.DAY))
        finally:
            receiving.terminate()
            receiving.wait()
        asyncio.run(_afterwards(million, frozen, given.readers))
        _web(million, given.readers)
        million.calls("deliveries", "--edition", f"daily/{factories.DAY}", "--csv")
        million.calls("subscribers", "export", "out.csv")
        million.calls("subscribers", "import", "out.csv")
        million.calls("upkeep")
        print("at the end:")
        asyncio.run(_told(million))


async def _told(million: Million) -> None:
    async with open_context(million.settings()) as context:
        await _sizes(context)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--readers", type=int, default=1_000_000)
    options.add_argument("--due", type=int, default=100_000)
    options.add_argument("--history", type=int, default=400)
    options.add_argument("--postgresql", default="", metavar="URL")
    options.add_argument("--postfix", default="", metavar="DIR")
    main(options.parse_args())
