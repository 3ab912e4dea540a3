"""Who delivers beside others goes on until nobody has anything claimed, takes over what a dead one had, and has the
others stop when it stops. How others are asked is tested in `tests/shares`."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from flows.delivery.run import Delivered, deliver, take_part
from flows.outcomes import Verdict
from flows.storage.database import Database
from flows.storage.editions import Frozen
from subscribers.ledger.ledger import Ledger
from subscribers.model import DeliveryState
from tests.delivery.test_run import Scene, context_for, readers
from tests.sending.smtp import mail_server

SENT, PENDING = DeliveryState.SENT, DeliveryState.PENDING


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    """Batches of ten: there is something for everybody."""
    async with mail_server() as server:
        made = Scene(database, tmp_path, server)
        made.with_settings(size=10)
        yield made


class Other:
    """Another machine, with a home of its own, that works an edition as a share does."""

    def __init__(self, scene: Scene) -> None:
        home = scene.folder / "other"
        self.context = context_for(scene.database, home, scene.server.port, scene.clock, 10)
        self.sent = 0

    @asynccontextmanager
    async def beside(self, frozen: Frozen, ending: asyncio.Event) -> AsyncIterator[None]:
        working = asyncio.create_task(take_part(self.context, frozen, lambda _: None, stop=ending))
        try:
            yield
        finally:
            self.sent = (await working).verdicts[Verdict.SENT]
            await self.context.close()


async def delivered_beside(scene: Scene, beside: Any, **options: Any) -> Delivered:
    return await deliver(scene.context, await scene.frozen(), lambda _: None, beside=beside, **options)


async def test_two_machines_serve_every_reader_once_and_one_says_what_both_did(scene: Scene) -> None:
    await scene.begin(*readers(200))
    scene.server.delay = 0.02
    other = Other(scene)
    delivered = await delivered_beside(scene, other.beside)
    assert delivered.counts == {SENT: 200}
    assert delivered.sent_now == 200
    assert scene.server.readers == Counter(readers(200))
    assert 0 < other.sent < 200


@pytest.mark.parametrize("wait", [dt.timedelta(0), dt.timedelta(minutes=10)])
async def test_what_a_machine_that_died_had_claimed_is_taken_over(scene: Scene, wait: dt.timedelta) -> None:
    """Also by a delivery that waits for nothing that is due later, as `deliver-due`."""
    await scene.begin(*readers(30))

    @asynccontextmanager
    async def dies(frozen: Frozen, ending: asyncio.Event) -> AsyncIterator[None]:
        ledger = Ledger(scene.database, lease=dt.timedelta(seconds=3), size=10)
        claim = await ledger.claim(frozen.id, scene.clock())
        assert claim is not None
        assert await scene.context.ledger.is_worked(frozen.id)
        yield

    delivered = await delivered_beside(scene, dies, wait=wait)
    assert delivered.counts == {SENT: 30}
    assert scene.server.readers == Counter(readers(30))
    assert not await scene.context.ledger.is_worked((await scene.frozen()).id)


async def test_a_wish_to_stop_reaches_the_others(scene: Scene) -> None:
    await scene.begin(*readers(200))
    scene.server.delay = 0.05
    stop, other = asyncio.Event(), Other(scene)
    delivering = asyncio.create_task(delivered_beside(scene, other.beside, stop=stop))
    await scene.server.has_taken(40)
    stop.set()
    delivered = await delivering
    taken = scene.server.readers.total()
    assert delivered.counts == {SENT: taken, PENDING: 200 - taken}
    assert taken < 200


async def test_a_server_that_refuses_us_stops_the_others_too(scene: Scene) -> None:
    await scene.begin(*readers(30))
    scene.server.refuses_sender = "digest@example.org"
    told: list[bool] = []

    @asynccontextmanager
    async def idle(frozen: Frozen, ending: asyncio.Event) -> AsyncIterator[None]:
        yield
        told.append(ending.is_set())

    delivered = await delivered_beside(scene, idle)
    assert "refuses the sender" in delivered.halted
    assert told == [True]


async def test_nothing_of_an_edition_that_is_held_is_sent_by_another(scene: Scene) -> None:
    await scene.begin(*readers(30))
    frozen = await scene.frozen()
    await scene.context.store.opened(frozen.id, scene.clock())
    await scene.context.store.hold(frozen.id, scene.clock(), "its run was cancelled")
    said: list[str] = []
    report = await take_part(scene.context, frozen, said.append, stop=asyncio.Event())
    assert report.verdicts.total() == scene.server.readers.total() == 0
    assert "cancelled" in said[0]
