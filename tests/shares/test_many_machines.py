"""One list, three machines: PostgreSQL, a Prefect server, a process work pool made by `prefect deploy --all`, and two
workers, each with a home of its own. The machine that asks has a third."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from flows.config.settings import Settings
from flows.context import open_context
from flows.mail.cards import pack
from flows.pipeline import cards_of
from flows.storage.database import Database, database_now
from flows.storage.editions import Frozen
from subscribers.model import DeliveryState
from subscribers.people.store import Change
from subscribers.tables import batch
from tests import factories
from tests.prefect_server import PATIENCE, ROOT, Prefect
from tests.running_processes import processes_of
from tests.sending.smtp import MailServer, mail_server
from tests.shares.homes import KEYS, Homes

READERS = 2000
SLOW = 0.1
"""Seconds that the mail server takes for each reply of a connection, as long as the shares need to begin."""
CONNECTIONS = 2
ON_POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
"""A file can't be shared by machines."""


@pytest.fixture(scope="module")
def prefect(prefect: Prefect) -> Prefect:
    """The server, with the work pool and what `prefect deploy --all` makes, and without the shares of other tests."""
    for run in prefect.runs("deliver-share"):
        prefect.ask("DELETE", f"/flow_runs/{run['id']}")
    prefect.command("work-pool", "create", "paperround", "--type", "process")
    prefect.command("deploy", "--all", "--prefect-file", str(ROOT / "prefect.yaml"))
    return prefect


@dataclass(kw_only=True)
class Machines(Homes):
    """A list whose edition is frozen, and the mail server that all send to."""

    server: MailServer
    database: Database
    frozen: Frozen

    def share(self, home: str, **other: str) -> subprocess.Popen[bytes]:
        """A run of the flow `deliver-share`, as a worker of that home would make it."""
        share = f"Share(edition={self.frozen.id}, settings='')"
        code = f"import asyncio; from flows.shares.deliver_share import *; print(asyncio.run(deliver_share({share})))"
        return self.start(home, "-c", code, **other)

    async def ended(self, process: subprocess.Popen[bytes], seconds: float = PATIENCE) -> int:
        return await asyncio.to_thread(process.wait, seconds)

    async def working(self, number: int) -> list[dict[str, Any]]:
        """Waits until so many shares are running, and have been for long enough to have claimed something."""
        async with asyncio.timeout(PATIENCE):
            while True:
                runs = await asyncio.to_thread(self.prefect.runs, "deliver-share")
                running = [run for run in runs if run["state"]["type"] == "RUNNING"]
                if len(running) >= number and await self._claimed() > number:
                    return running
                await asyncio.sleep(0.5)

    async def quiet(self) -> None:
        """Waits until nobody has anything claimed."""
        async with asyncio.timeout(60):
            while await self._claimed():  # noqa: ASYNC110 - it is the database that tells
                await asyncio.sleep(0.2)

    async def _claimed(self) -> int:
        query = sa.select(sa.func.count()).where(batch.c.lease_until >= database_now())
        async with self.database.read() as connection:
            return await connection.scalar(query) or 0


@asynccontextmanager
async def _machines(prefect: Prefect, database: Database, folder: Path) -> AsyncIterator[Machines]:
    async with mail_server() as server:
        server.delay, server.keeps_content = SLOW, False
        given: dict[str, Any] = {
            "database_url": database.engine.url.render_as_string(hide_password=False),
            "mail_url": server.url,
            "mail_connections": CONNECTIONS,
            "work_pool": "paperround",
            "mail_shares": 2,
            **KEYS,
        }
        async with open_context(Settings(_env_file=None, home_dir=folder / "test", **given)) as context:
            changes = [Change(email=f"reader-{n}@example.org", newsletter="daily", columns={}) for n in range(READERS)]
            await context.subscribers.keep(changes, context.now())
            edition = factories.edition(topics=context.topics[:5])
            cards = await cards_of(context, edition, context.newsletters["daily"])
            frozen = await context.store.freeze(edition, pack(cards), context.now())
        machines = Machines(
            prefect=prefect, folder=folder, server=server, database=database, given=given, frozen=frozen
        )
        try:
            yield machines
        finally:
            for pid in processes_of(folder):
                if pid != os.getpid():
                    os.kill(pid, signal.SIGTERM)
            await asyncio.to_thread(machines.started.close)


@ON_POSTGRESQL
async def test_a_machine_that_dies_in_the_middle_costs_nobody_a_mail(
    prefect: Prefect, database: Database, tmp_path: Path
) -> None:
    async with _machines(prefect, database, tmp_path) as machines:
        machines.worker("second"), machines.worker("third")
        delivering = machines.deliver(factories.DAY)
        running = await machines.working(2)
        assert sorted(run["name"] for run in running) == [
            f"share-{number}-of-daily-daily-{factories.DAY}" for number in (1, 2)
        ]
        for run in running:  # nothing in them opens anything, or names anybody
            assert set(run["parameters"]["share"]) == {"edition", "settings"}
            assert run["parameters"]["share"]["edition"] == machines.frozen.id
        for pid in processes_of(tmp_path / "third"):
            os.kill(pid, signal.SIGKILL)
        machines.server.delay = 0
        assert await machines.ended(delivering) == 0, machines.log("first")
        counts = await machines.states(machines.frozen)
        # what the machine was just sending waits ten minutes for a reply, and is uncertain then
        sending = counts.get(DeliveryState.SENDING, 0)
        assert sending <= CONNECTIONS
        assert counts.get(DeliveryState.SENT) == READERS - sending
        assert counts.keys() <= {DeliveryState.SENT, DeliveryState.SENDING}
        readers = machines.server.readers
        assert len(readers) >= READERS - sending
        assert set(readers.values()) == {1}
        states = [run["state"]["type"] for run in prefect.runs("deliver-share")]
        assert states.count("CRASHED") == 1
        assert set(states) <= {"COMPLETED", "CRASHED", "CANCELLED"}  # what nobody had begun was called off
        assert f"{READERS - sending} sent" in machines.log("first")
        assert "is set to Crashed" in machines.log("first")


@ON_POSTGRESQL
async def test_cancelled_all_of_them_stop_and_the_edition_is_held(
    prefect: Prefect, database: Database, tmp_path: Path
) -> None:
    """And a machine with other keys has sent nothing, and says why."""
    async with _machines(prefect, database, tmp_path) as machines:
        async with open_context(machines.settings) as context:
            await context.ledger.open(
                machines.frozen.id,
                "daily",
                machines.frozen.edition.kind,
                machines.frozen.edition.day,
                context.now(),
                at_once=True,
            )
        stranger = machines.share("stranger", secret_key="some other key of sixteen letters")
        machines.worker("second")
        delivering = machines.deliver(factories.DAY)
        await machines.working(1)
        parent = max(prefect.runs("deliver"), key=lambda run: str(run["created"]))
        prefect.ask("POST", f"/flow_runs/{parent['id']}/set_state", {"state": {"type": "CANCELLING"}})
        await machines.quiet()
        sent = machines.server.readers.total()
        assert sent < READERS
        assert await machines.states(machines.frozen) == {
            DeliveryState.SENT: sent,
            DeliveryState.PENDING: READERS - sent,
        }
        assert await machines.ended(stranger) != 0
        assert "another PAPERROUND_SECRET_KEY" in machines.log("stranger")
        async with open_context(machines.settings) as context, asyncio.timeout(PATIENCE):
            while "cancelled" not in await context.store.held(machines.frozen.id):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.2)
        delivering.terminate()
        runs = [run for run in prefect.runs("deliver-share") if run["created"] > parent["created"]]
        runs = [run for run in runs if run["name"].startswith("share-")]  # not the stranger's
        async with asyncio.timeout(PATIENCE):
            while {run["state"]["type"] for run in runs} - {"CANCELLED"}:
                await asyncio.sleep(0.5)
                runs = [prefect.ask("GET", f"/flow_runs/{run['id']}") for run in runs]
