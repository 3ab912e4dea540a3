"""How fast an edition is delivered beside the fastest sender there is.

    python -m tests.benchmarks.delivery [--readers N] [--rounds N] [--dkim] [--postgresql URL] [--peers] [--port P]

`paperround deliver --all-hours` brings an edition to readers who all have topics and keywords of their own, over ten
connections into postfix's `smtp-sink`; before and after it `smtp-source` sends one reader's message as often. Both
programs come with postfix; `--postfix DIR` names the folder they lie in, if they are not on the PATH. `--port` is that
of a server that runs already: then smtp-source is left away.

It prints, for each round and at the median, messages a second, their ratio to smtp-source's, and the processor time of
all our processes for each reader. What the same command takes for a single reader, its start-up, is taken off; a second
ratio takes off the five seconds that a start may take instead. With `--peers`, a loop of smtplib and nodemailer's pool
(where node finds it) send some of the messages as well.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from flows.commands.dkim_new import new as new_key
from flows.config.settings import Settings
from flows.context import Context, open_context
from flows.delivery.messages import reader_of
from flows.editions.choose import choose
from flows.mail.assemble import assemble
from flows.mail.cards import pack
from flows.pipeline import cards_of
from flows.storage.database import milliseconds
from tests import factories
from tests.benchmarks.peers import nodemailer, smtplib_loop
from tests.conftest import free_port

CONNECTIONS = 10
PAPERS = 23
"""Of which a reader gets about two thirds: 60 kB."""
GRANTED = 5.0
"""Seconds that a command may take to start, Prefect among what it imports, before it is asked to be fast."""
SAMPLE = 200
"""Readers whose messages are looked at before the run."""

_WORDS = "chart lamp island shore pilot telescope compiler hedge map swift bridge microphone postcard gardener".split()  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Spent:
    """What one command took: seconds on the clock, and of processors."""

    wall: float
    cpu: float


class Bench:
    """A home with readers and a frozen edition, copied for every run."""

    def __init__(self, folder: Path, port: int, database: str, *, dkim: bool) -> None:
        self.folder = folder
        self.port = port
        self.database = database
        self._dkim = dkim
        self._runs = 0

    def given(self, home: Path) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "home_dir": home,
            "database_url": self.database or f"sqlite:///{home / 'paperround.db'}",
            "mail_url": f"smtp://127.0.0.1:{self.port}",
            "mail_connections": CONNECTIONS,
            "secret_key": "a key of sixteen letters or more",
            "suppression_key": "another key of sixteen letters",
            "sender": "Paperround <digest@example.org>",
            "public_url": "https://papers.example.org",
            "postal_address": "1 Example Street, Sampletown",
        }
        if self._dkim:
            key = self.folder / "dkim.pem"
            if not key.exists():
                new_key(Settings(_env_file=None, **settings), "bench", "example.org", "rsa", key)
            settings |= {"dkim_key": str(key), "dkim_selector": "bench", "dkim_domain": "example.org"}
        return settings

    async def prepare(self, readers: int) -> tuple[Path, list[bytes]]:
        """A home with so many readers; and the messages of some of them."""
        home = self.folder / f"home-{readers}"
        home.mkdir()
        async with open_context(Settings(_env_file=None, **self.given(home))) as context:
            await _fill(context, readers)
            edition = factories.edition(listed=factories.papers(PAPERS), topics=context.topics[:10])
            cards = await cards_of(context, edition, context.newsletters["daily"])
            await context.store.freeze(edition, pack(cards), context.now())
            messages = []
            for number in range(1, min(readers, SAMPLE) + 1):
                email = f"reader{number}@example.org"
                found = await context.subscribers.by_address(email, "daily")
                assert found is not None
                reader = reader_of(context, edition, found.id, email)
                messages.append(assemble(cards, choose(edition, found.interests), reader).content)
        return home, messages

    def deliver(self, home: Path, *, again: bool = False) -> Spent:
        """One run, from a fresh copy of a home; `again`: there is nothing left to deliver."""
        self._runs += 1
        if not self.database:
            fresh = self.folder / f"run-{self._runs}"
            shutil.copytree(home, fresh)
        else:
            fresh = home
            if not again:
                asyncio.run(self._forget(home))
        environment = os.environ | {f"PAPERROUND_{name.upper()}": str(v) for name, v in self.given(fresh).items()}
        command = [sys.executable, "-m", "flows", "deliver", "--date", str(factories.DAY), "--all-hours"]
        spent, said = timed(command, environment)
        assert " sent." in said or again, said
        if not self.database:
            shutil.rmtree(fresh)
        return spent

    async def _forget(self, home: Path) -> None:
        async with open_context(Settings(_env_file=None, **self.given(home))) as context, context.database.write() as c:
            for statement in ("DELETE FROM delivery", "DELETE FROM batch"):
                await c.execute(sa.text(statement))


async def _fill(context: Context, count: int) -> None:
    chosen, now = random.Random(7), milliseconds(context.now())
    topics = [topic.slug for topic in context.topics[:10]]
    people, subscriptions = [], []
    for number in range(1, count + 1):
        email = f"reader{number}@example.org"
        people.append({"id": number, "email": email, "now": now})
        muted = ", ".join(f'"-{slug}"' for slug in chosen.sample(topics, chosen.randint(1, 4)))
        keywords = ", ".join(f'"{chosen.choice(_WORDS)} {chosen.choice(_WORDS)}"' for _ in range(3))
        own = f'"{chosen.choice(_WORDS)}{number}", "part {chosen.randint(1, PAPERS)}"'
        subscriptions.append({"id": number, "topics": f"[{muted}]", "keywords": f"[{keywords}, {own}]", "now": now})
    async with context.database.write() as connection:
        await connection.execute(
            sa.text("INSERT INTO subscriber (id, email, email_key, created_at) VALUES (:id, :email, :email, :now)"),
            people,
        )
        await connection.execute(
            sa.text(
                "INSERT INTO subscription (id, subscriber_id, newsletter, state, topics, keywords, authors, frequency,"
                " zone, tags, consent_source, changed_at) VALUES (:id, :id, 'daily', 'confirmed', :topics, :keywords,"
                " '[]', 'daily', 'UTC', '[]', '', :now)"
            ),
            subscriptions,
        )


def timed(command: Sequence[str | Path], environment: dict[str, str] | None = None) -> tuple[Spent, str]:
    """Runs a command; raises if it fails."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(wall, cpu), done.stdout


class Postfix:
    """The fastest receiver and sender there are."""

    def __init__(self, folder: str) -> None:
        path = os.pathsep.join(filter(None, (folder, os.environ.get("PATH", ""), "/usr/sbin")))
        self._programs = {name: shutil.which(name, path=path) for name in ("smtp-sink", "smtp-source")}
        missing = [name for name, found in self._programs.items() if not found]
        if missing:
            sys.exit(f"{' and '.join(missing)} not found: install postfix, or name their folder with --postfix.")
        libraries = [folder, str(Path(folder).parent / "lib" / "postfix")] if folder else []
        self._environment = os.environ | {"LD_LIBRARY_PATH": os.pathsep.join(libraries)}

    def sink(self, port: int) -> subprocess.Popen[bytes]:
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        return subprocess.Popen(
            [str(self._programs["smtp-sink"]), *user, f"127.0.0.1:{port}", "256"], env=self._environment
        )

    def source(self, port: int, message: Path, count: int) -> float:
        """Messages a second."""
        command = [str(self._programs["smtp-source"]), "-d", "-s", "20", "-m", str(count), "-F", str(message)]
        spent, _ = timed([*command, "-f", "a@x.test", "-t", "b@y.test", f"127.0.0.1:{port}"], self._environment)
        return count / spent.wall


def main(given: argparse.Namespace) -> None:
    postfix = None if given.port else Postfix(given.postfix)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        bench = Bench(folder, given.port or free_port(), given.postgresql, dkim=given.dkim)
        one = None if given.postgresql else asyncio.run(bench.prepare(1))[0]
        many, messages = asyncio.run(bench.prepare(given.readers))
        typical = sorted(messages, key=len)[len(messages) // 2]
        (folder / "digest.eml").write_bytes(typical.replace(b"\r\n", b"\n"))
        print(f"{given.readers:,} readers, messages of {statistics.mean(map(len, messages)) / 1000:.1f} kB", flush=True)
        sink = postfix.sink(bench.port) if postfix else None
        try:
            _rounds(given, bench, postfix, one, many)
            if given.peers:
                for peer in (smtplib_loop, nodemailer):
                    print(peer(bench.port, messages))
        finally:
            if sink:
                sink.terminate()
                sink.wait()


def _start_up(bench: Bench, one: Path | None, many: Path) -> Spent:
    """What the command takes for a single reader; in a database that has them all, once they have got theirs."""
    if one is None:
        bench.deliver(many)
    runs = [bench.deliver(one or many, again=one is None) for _ in range(3)]
    return Spent(min(run.wall for run in runs), min(run.cpu for run in runs))


def _rounds(given: argparse.Namespace, bench: Bench, postfix: Postfix | None, one: Path | None, many: Path) -> None:
    idle = _start_up(bench, one, many)
    print(f"start-up: {idle.wall:.2f} s, {idle.cpu:.2f} s of processors", flush=True)
    ratios, granted, rates, costs, limit = [], [], [], [], 0.0
    message = bench.folder / "digest.eml"
    before = postfix.source(bench.port, message, given.readers) if postfix else 0.0
    for number in range(1, given.rounds + 1):
        spent = bench.deliver(many)
        after = postfix.source(bench.port, message, given.readers) if postfix else 0.0
        rates.append(given.readers / (spent.wall - idle.wall))
        costs.append((spent.cpu - idle.cpu) / given.readers * 1e6)
        limit = (before + after) / 2
        ratios.append(rates[-1] / limit if limit else 0.0)
        granted.append(given.readers / max(spent.wall - GRANTED, 0.1) / limit if limit else 0.0)
        beside = f", smtp-source {limit:,.0f}: ratio {ratios[-1]:.2f} ({granted[-1]:.2f})" if limit else ""
        print(f"round {number}: {rates[-1]:,.0f} a second, {costs[-1]:.0f} µs a reader{beside}", flush=True)
        before = after
    ratio = (
        f", ratio {statistics.median(ratios):.2f}, {statistics.median(granted):.2f} with 5 s taken off" if limit else ""
    )
    print(f"median: {statistics.median(rates):,.0f} a second, {statistics.median(costs):.0f} µs a reader{ratio}")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--readers", type=int, default=20_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--dkim", action="store_true")
    options.add_argument("--peers", action="store_true")
    options.add_argument("--postgresql", default="", metavar="URL")
    options.add_argument("--postfix", default="", metavar="DIR")
    options.add_argument("--port", type=int, default=0)
    main(options.parse_args())
