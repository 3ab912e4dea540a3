"""Two processes share an edition, and one of them dies half-way."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from flows.storage.database import connect
from subscribers.model import DeliveryState
from tests.crashes.audit import SENT, Audit, Row, ledger
from tests.crashes.scene import Place, opened, prepare
from tests.crashes.victims import deliver, ended, processes
from tests.sending.smtp import MailServer, mail_server


@dataclass(frozen=True, slots=True)
class Shared:
    """How it went, and how much was done when one died."""

    audit: Audit
    half: int
    seconds: float


async def share(url: str, number: int, *, lease: float = 5) -> Shared:
    """Brings an edition to so many readers by two processes with ten connections each, on an empty database. The lease
    has to be longer than the living one needs for any message."""
    addresses = [f"reader-{n}@example.org" for n in range(number)]
    database = connect(url)
    try:
        await prepare(database, addresses)
    finally:
        await database.close()
    clock = asyncio.get_running_loop().time
    async with mail_server(MailServer(waits_for=11, keeps_content=False)) as server:  # both take part
        place = Place(
            database=url, port=server.port, connections=10, size=100, lease=lease, final_reply=lease, limit=1800
        )
        audit, began = Audit(connections=place.connections), clock()
        senders = [processes().Process(target=deliver, args=(place,)) for _ in range(2)]
        for sender in senders:
            sender.start()
        dying, living = senders
        await server.has_taken(number // 2)
        dying.kill()
        await ended(dying)
        half = len(server.taken)
        async with opened(place) as context:
            audit.crashed(await _left(place), list(server.taken))
            await ended(living)
            assert (dying.exitcode, living.exitcode) == (-9, 0)
            expected = dict.fromkeys(addresses, SENT)
            audit.ended(await ledger(context.database), server.taken, expected)
        audit.broken += server.breaches
    return Shared(audit, half, clock() - began)


async def _left(place: Place) -> Mapping[str, Row]:
    """The rows that the dead one has under way: those that the living one does not bring to their end meanwhile."""
    async with opened(place) as context:
        first = await ledger(context.database)
        await asyncio.sleep(place.lease / 5)
        second = await ledger(context.database)
    return {
        address: row
        for address, row in second.items()
        if row.state is DeliveryState.SENDING and first.get(address) == row
    }
