"""What a mail server puts off for a day is given up, and counts as a soft bounce of that day."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from flows.causes import Cause
from flows.delivery.refused import RefusedAddresses
from flows.delivery.run import deliver, deliver_due
from flows.outcomes import Outcome, Stage, Verdict
from flows.storage.database import Database
from subscribers.bounces import AT_ONCE, SOFT_LIMIT, BounceKind, BounceState
from subscribers.ledger.bounce_rates import BounceRates
from subscribers.ledger.came_back import CameBack, Refused
from subscribers.ledger.ledger import Ledger
from subscribers.ledger.model import Claim, Delivery
from subscribers.model import DeliveryState, Suppressed
from subscribers.tables import bounce
from tests import factories
from tests.delivery.test_refusals import over_domains, suppressed
from tests.delivery.test_run import Quick, Scene, cards
from tests.factories import HASHING_KEY
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


class Watched(CameBack):
    """Keeps how many were written down together; may fail, or take its time."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, HASHING_KEY)
        self.lots: list[list[Refused]] = []
        self.fails: Exception | None = None
        self.begun, self.goes_on = asyncio.Event(), asyncio.Event()

    async def refused(self, refusals: Sequence[Refused], now: dt.datetime) -> int:
        self.lots.append(list(refusals))
        self.begun.set()
        await self.goes_on.wait()
        if self.fails is not None:
            raise self.fails
        return await super().refused(refusals, now)


@dataclass(frozen=True, kw_only=True)
class Watching(Quick):
    """A context whose refusals are written down in sight."""

    @cached_property
    def came_back(self) -> Watched:
        return Watched(self.database)


NO_SUCH_USER = Outcome(Verdict.REJECTED, Stage.RCPT, 550, "5.1.1", "5.1.1 no such user")


async def scene_of(scene: Scene, *addresses: str) -> tuple[RefusedAddresses, Watched, dict[str, Delivery], list[str]]:
    """What writes down refusals, what it writes with, the deliveries of these readers, and what is said."""
    await scene.subscribe(*addresses)
    frozen = await scene.context.store.freeze(factories.edition(), cards(), scene.clock())
    claim = Claim(id=1, edition_id=frozen.id, lo=1, hi=1000, lease="")
    deliveries = {}
    for address in addresses:
        found = await scene.context.subscribers.by_address(address, "daily")
        assert found is not None
        deliveries[address] = Delivery(
            claim=claim, subscription_id=found.id, attempts=0, first_at=None, doubtful=False, subscription=found
        )
    said = list[str]()
    watching = Watching(**{one.name: getattr(scene.context, one.name) for one in fields(scene.context)})
    return RefusedAddresses(watching, said.append), watching.came_back, deliveries, said


async def test_what_comes_while_a_lot_is_written_down_goes_into_the_next_one_together(scene: Scene) -> None:
    names = [f"reader-{n}@d{n}.example" for n in range(6)]
    refused, watched, deliveries, said = await scene_of(scene, *names)
    first = asyncio.create_task(refused.add(deliveries[names[0]], NO_SUCH_USER, dead=True))
    await watched.begun.wait()
    others = [asyncio.create_task(refused.add(deliveries[name], NO_SUCH_USER, dead=True)) for name in names[1:]]
    await asyncio.sleep(0.05)
    assert [len(lot) for lot in watched.lots] == [1]
    assert not first.done()
    watched.goes_on.set()
    await asyncio.gather(first, *others)
    assert [len(lot) for lot in watched.lots] == [1, 5]
    assert set((await suppressed(scene)).values()) == {Suppressed.HARD_BOUNCE}
    assert said == []


async def test_what_can_not_be_written_down_is_told_to_whom_it_is_about_and_the_next_is_tried(scene: Scene) -> None:
    refused, watched, deliveries, _ = await scene_of(scene, "a@one.example", "b@two.example")
    watched.goes_on.set()
    watched.fails = ValueError("a bug")
    with pytest.raises(ValueError, match="a bug"):
        await refused.add(deliveries["a@one.example"], NO_SUCH_USER, dead=True)
    watched.fails = None
    await refused.add(deliveries["b@two.example"], NO_SUCH_USER, dead=True)
    assert set(await suppressed(scene)) == {"b@two.example"}


async def test_a_cause_is_dead_where_the_server_said_so_and_else_its_words(scene: Scene) -> None:
    refused, watched, deliveries, _ = await scene_of(scene, "a@one.example", "b@two.example")
    watched.goes_on.set()
    unwanted = Outcome(Verdict.REJECTED, Stage.RCPT, 550, "5.2.2", "5.2.2 mailbox full")
    await refused.add(deliveries["a@one.example"], unwanted, dead=True)
    await refused.add(deliveries["b@two.example"], unwanted)
    ((first,), (second,)) = watched.lots
    assert (first.cause, second.cause) == (Cause.DEAD, Cause.FULL)
    assert (second.code, second.status, second.words) == (550, "5.2.2", "5.2.2 mailbox full")
