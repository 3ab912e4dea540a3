"""A large list is delivered by several processes of one machine."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.commands.dkim_new import new as new_key
from flows.config.settings import Settings
from flows.context import open_context
from flows.delivery.extra_processes import BATCHES, ExtraProcesses
from flows.mail.cards import pack
from flows.pipeline import cards_of
from flows.storage.database import Database
from subscribers.model import DeliveryState
from subscribers.people.store import Change
from tests import factories
from tests.processes.hostile_folder import environment_of, hostile_folder, unchanged
from tests.running_processes import processes_of
from tests.sending.smtp import MailServer, mail_server

READERS = 1200
ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""It takes a process two seconds to start; what they do with the ledger is tested elsewhere."""


@dataclass
class List:
    """A list whose edition is frozen, and the command that delivers it."""

    given: dict[str, Any]
    server: MailServer
    folder: Path
    """Where the command is started: other things of the same names lie there."""

    async def deliver(self, **more: object) -> asyncio.subprocess.Process:
        environment = environment_of(self.folder)
        environment |= {f"PAPERROUND_{name.upper()}": str(value) for name, value in (self.given | more).items()}
        command = (sys.executable, "-P", "-m", "flows", "deliver", "--date", str(factories.DAY), "--wait", "90")
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            *command, cwd=self.folder, env=environment, stdout=pipe, stderr=pipe
        )

    async def states(self) -> dict[DeliveryState, int]:
        async with open_context(Settings(_env_file=None, **self.given)) as context:
            return dict(await context.ledger.counts(1))


@pytest.fixture
async def people(database: Database, tmp_path: Path) -> AsyncIterator[List]:
    async with mail_server() as server:
        given: dict[str, Any] = {
            "home_dir": tmp_path,
            "database_url": database.engine.url.render_as_string(hide_password=False),
            "mail_url": f"smtp://127.0.0.1:{server.port}",
            "secret_key": "a key of sixteen letters or more",
            "suppression_key": "another key of sixteen letters",
            "mail_connections": 6,
            "mail_processes": 3,
        }
        async with open_context(Settings(_env_file=None, **given)) as context:
            addresses = [f"reader-{n}@example.org" for n in range(READERS)]
            changes = [Change(email=address, newsletter="daily", columns={}) for address in addresses]
            await context.subscribers.keep(changes, context.now())
            edition = factories.edition(topics=context.topics[:5])
            cards = await cards_of(context, edition, context.newsletters["daily"])
            await context.store.freeze(edition, pack(cards), context.now())
        yield List(given, server, hostile_folder(tmp_path / "elsewhere"))


@ONE_DATABASE
async def test_processes_share_the_readers_and_say_what_they_brought_together(people: List, tmp_path: Path) -> None:
    """And sign: with all the processes that takes, whatever lies in the folder that the command is started in."""
    key = tmp_path / "key.pem"
    new_key(Settings(_env_file=None, home_dir=tmp_path), "june", "example.org", "rsa", key)
    delivering = await people.deliver(dkim_key=key, dkim_selector="june", dkim_domain="example.org")
    said, log = await delivering.communicate()
    assert said.decode() == f"Deliveries: {READERS} sent.\n"
    assert "3 processes share the readers." in log.decode()
    assert people.server.readers == Counter(f"reader-{n}@example.org" for n in range(READERS))
    assert unchanged(people.folder)


@ONE_DATABASE
async def test_when_one_dies_the_others_take_over(people: List, tmp_path: Path) -> None:
    delivering = await people.deliver(mail_rate=400)
    others: list[int] = []
    while len(others) < 2:
        await asyncio.sleep(0.05)
        others = [pid for pid in processes_of(tmp_path) if pid != delivering.pid]
    os.kill(others[0], signal.SIGKILL)
    said, log = await delivering.communicate()
    assert delivering.returncode == 0, log
    assert said.decode().startswith(f"Deliveries: {READERS} sent")
    assert "status -9: the others take over" in log.decode()
    assert people.server.readers == Counter(f"reader-{n}@example.org" for n in range(READERS))


@ONE_DATABASE
async def test_all_of_them_stop_between_two_messages(people: List, tmp_path: Path) -> None:
    delivering = await people.deliver(mail_rate=300)
    await people.server.has_taken(100)
    delivering.terminate()
    _, log = await delivering.communicate()
    assert delivering.returncode == 2
    assert "Stopped before the end." in log.decode()
    assert not processes_of(tmp_path)
    sent = people.server.readers.total()
    assert await people.states() == {DeliveryState.SENT: sent, DeliveryState.PENDING: READERS - sent}


@ONE_DATABASE
async def test_a_server_that_refuses_us_stops_all_of_them(people: List) -> None:
    people.server.refuses_sender = "paperround@localhost"
    delivering = await people.deliver()
    _, log = await delivering.communicate()
    assert delivering.returncode == 2
    assert "refuses the sender" in log.decode()
    assert await people.states() == {DeliveryState.PENDING: READERS}


@pytest.mark.parametrize(
    ("url", "asked", "size"),
    [
        ("sqlite:///some.db", 0, 1),
        ("sqlite:///some.db", 3, 3),
        ("postgresql://localhost/some", 0, min(os.cpu_count() or 1, 4)),
    ],
)
async def test_as_many_processes_as_are_worth_it(url: str, asked: int, size: int, tmp_path: Path) -> None:
    """SQLite has one writer at a time: more of them have to be asked for."""
    settings = Settings(_env_file=None, home_dir=tmp_path, database_url=url, mail_processes=asked)
    others = ExtraProcesses(settings, 1, 4 * BATCHES, dt.datetime.now(dt.UTC), asyncio.Event(), print)
    assert others.size == size
