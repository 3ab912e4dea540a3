"""An edition's batches as the sender fetches and gives them back, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from flows.delivery.batches import EditionBatches
from flows.delivery.run import open_rows
from flows.storage.database import Database
from tests.delivery.test_run import Scene, readers
from tests.sending.smtp import mail_server


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    async with mail_server() as server:
        yield Scene(database, tmp_path, server)


async def standing() -> str:
    return ""


async def test_a_batch_whose_lease_ran_out_may_be_claimed_anew_while_the_old_one_is_open(scene: Scene) -> None:
    """A database that was away, or a machine that was asleep: what is settled of the old claim is not of the new."""
    await scene.begin(*readers(3))
    frozen = await scene.frozen()
    await open_rows(scene.context, frozen, lambda _: None)
    batches = EditionBatches(scene.context, frozen, {}, scene.clock() + dt.timedelta(days=1), standing, lambda _: None)
    over = asyncio.Event()
    old = await batches.fetch(over)
    await asyncio.sleep(scene.context.ledger.lease.total_seconds() + 0.2)
    new = await batches.fetch(over)
    assert [one.subscription_id for one in new] == [one.subscription_id for one in old]
    batches.give_back(old[0])
    assert not await batches.mark(old[1])
    batches.give_back(new[0])
    batches.give_back(new[1])
    batches.give_back(old[2])
    # the old claim is closed, the new one is still worked: its last delivery can be marked
    await asyncio.sleep(0.1)
    assert await batches.mark(new[2])
    over.set()
    await batches.end()
