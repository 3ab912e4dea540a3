"""What a mail server puts off for a day is given up, and counts as a soft bounce of that day."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from flows.delivery.run import deliver, deliver_due
from flows.storage.database import Database
from subscribers.bounces import AT_ONCE, SOFT_LIMIT, BounceKind, BounceState
from subscribers.ledger.bounce_rates import BounceRates
from subscribers.ledger.ledger import Ledger
from subscribers.model import DeliveryState, Suppressed
from subscribers.tables import bounce
from tests import factories
from tests.delivery.test_refusals import over_domains, suppressed
from tests.delivery.test_run import Scene, cards
from tests.sending.smtp import mail_server

SENT, REJECTED = DeliveryState.SENT, DeliveryState.REJECTED
BUSY = "450 4.2.1 the mailbox is busy"


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    async with mail_server() as server:
        made = Scene(database, tmp_path, server)
        made.context = replace(made.context, kind=Twice)
        yield made


class Twice(Ledger):
    """Tries twice within the 24 hours, so that the test does not wait for ten attempts of each."""

    def __init__(self, database: Database, **given: Any) -> None:
        super().__init__(database, back_off=[dt.timedelta(hours=13)], **given)


async def through_a_day(scene: Scene, day: int) -> int:
    """An edition, and all that is due of it until nothing is; its number. Editions are two days apart."""
    edition = factories.edition(day=factories.DAY + dt.timedelta(days=2 * day))
    frozen = await scene.context.store.freeze(edition, cards(), scene.clock())
    await deliver(scene.context, frozen, lambda _: None, wait=dt.timedelta(0))
    scene.clock.forward(hours=14)
    await deliver_due(scene.context, "daily", lambda _: None)
    scene.clock.forward(hours=34)
    assert await scene.context.ledger.next_due(frozen.id, scene.clock()) is None
    return frozen.id


async def bounces(scene: Scene) -> list[tuple[int, BounceKind, BounceState]]:
    query = sa.select(bounce.c.edition_id, bounce.c.kind, bounce.c.state, bounce.c.source).order_by(bounce.c.edition_id)
    async with scene.database.read() as connection:
        rows = (await connection.execute(query)).all()
    assert {row.source for row in rows} <= {AT_ONCE}
    return [(row.edition_id, BounceKind(row.kind), BounceState(row.state)) for row in rows]


async def test_a_mailbox_that_is_put_off_for_a_day_five_times_is_mailed_no_more(scene: Scene) -> None:
    scene.server.refuses = lambda address: BUSY if address.startswith("busy") else ""
    await scene.subscribe("busy@odd.example", *over_domains(4))
    editions = [await through_a_day(scene, day) for day in range(SOFT_LIMIT - 1)]
    assert await bounces(scene) == [(one, BounceKind.SOFT, BounceState.COUNTED) for one in editions]
    assert await suppressed(scene) == {}
    last = await through_a_day(scene, SOFT_LIMIT - 1)
    assert (await bounces(scene))[-1] == (last, BounceKind.SOFT, BounceState.SUPPRESSED)
    assert await suppressed(scene) == {"busy@odd.example": Suppressed.SOFT_BOUNCES}
    # nothing was sent that could have come back
    rates = await BounceRates(scene.database).of_edition(last, scene.clock())
    assert (rates.sent, rates.soft, rates.delivered) == (4, 0, 4)


async def test_a_mail_that_was_taken_between_begins_the_count_anew(scene: Scene) -> None:
    busy = True
    scene.server.refuses = lambda address: BUSY if busy and address.startswith("busy") else ""
    await scene.subscribe("busy@odd.example", *over_domains(4))
    for day in range(2 * SOFT_LIMIT - 1):
        busy = day != SOFT_LIMIT - 1
        await through_a_day(scene, day)
    assert len(await bounces(scene)) == 2 * (SOFT_LIMIT - 1)
    assert await suppressed(scene) == {}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("answer", ["450 4.7.1 greylisted for ever", "452 4.3.4 message too big for today"])
async def test_a_policy_of_the_servers_is_not_the_readers_fault(scene: Scene, answer: str) -> None:
    scene.server.refuses = lambda address: answer if address.startswith("busy") else ""
    await scene.subscribe("busy@odd.example", *over_domains(4))
    await through_a_day(scene, 0)
    assert {kind for _, kind, _ in await bounces(scene)} == {BounceKind.REFUSED}


async def test_a_server_that_puts_everybody_off_is_ill_itself(scene: Scene) -> None:
    scene.server.refuses = lambda _: "451 4.3.0 out of disk"
    await scene.subscribe(*over_domains(6))
    await through_a_day(scene, 0)
    assert set((await scene.states()).values()) == {REJECTED}
    assert await bounces(scene) == []
