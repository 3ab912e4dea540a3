"""Deaths at chosen moments: before each step that any task of a small delivery makes, on a server that misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

from flows.storage.database import connect
from tests.crashes.audit import DEAD, REJECTED, SENT, SKIPPED, Audit, ledger
from tests.crashes.copies import copied
from tests.crashes.points import Point
from tests.crashes.scene import Place, go_on, opened, prepare
from tests.crashes.victims import How, Told, die_at, ended, processes
from tests.sending.smtp import MailServer, mail_server

CHOOSY = "choosy@example.org"
READERS = {
    **{f"good-{n}@example.org": SENT for n in range(5)},
    "grey-1@example.org": SENT,
    "reject-1@example.org": DEAD,
    "lost-1@example.org": SENT,
    "drop-1@example.org": SENT,
    "later-1@example.org": SENT,
    "policy-1@example.org": REJECTED,
    CHOOSY: SKIPPED,
}
UNANSWERED = ("lost-1@example.org",)


class Manner(StrEnum):
    """How the delivery talks to the server."""

    GROUPED = "commands in groups"
    SINGLE = "one command at a time"
    PACED = "at a pace"


@dataclass(frozen=True, slots=True)
class Death:
    """Before which step, or first step of a task that waits at a point; None: nobody dies."""

    at: int | Point | None
    how: How = How.CUT
    manner: Manner = Manner.GROUPED


@dataclass(frozen=True, slots=True)
class Died:
    """What came of it. `over`: the delivery came to its end before that, after so many `steps`."""

    death: Death
    over: bool
    steps: int
    points: set[Point]
    audit: Audit


async def begin(url: str) -> None:
    """Makes a database in which the small delivery can begin."""
    database = connect(url)
    try:
        await prepare(database, [address for address in READERS if address != CHOOSY], [CHOOSY])
    finally:
        await database.close()


async def walk(url: str, deaths: Iterable[Death], at_a_time: int = 4) -> AsyncIterator[Died]:
    """Each death on a copy of the database, as they come to their end."""
    waiting = iter(deaths)
    working = {asyncio.create_task(die_and_go_on(url, death)) for death in islice(waiting, at_a_time)}
    while working:
        done, working = await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
        working |= {asyncio.create_task(die_and_go_on(url, death)) for death in islice(waiting, len(done))}
        for task in done:
            yield task.result()


async def die_and_go_on(url: str, death: Death) -> Died:
    """One death, and the delivery that follows."""
    behaviour = MailServer(per_connection=3, pipelining=death.manner is not Manner.SINGLE)
    name = f"{death.manner.name}-{death.how}-{death.at}"
    async with copied(url, name) as copy, mail_server(behaviour) as server:
        # what the dead one owned is free soon; what its heir owns is its own however busy the machine is
        place = Place(database=copy, port=server.port, lease=0.3, final_reply=60)
        if death.manner is Manner.PACED:
            place = replace(place, rate=200)
        over, (steps, points) = await _die(place, death)
        audit = Audit(connections=place.connections, unanswered=UNANSWERED, dead=["reject-1@example.org"])
        async with opened(replace(place, lease=60, final_reply=0.3)) as heir:
            if not over:
                audit.crashed(await ledger(heir.database), list(server.taken))
            await go_on(heir)
            await go_on(heir)
            audit.ended(await ledger(heir.database), server.taken, READERS)
        audit.broken += server.breaches
    return Died(death, over, steps, points, audit)


async def _die(place: Place, death: Death) -> tuple[bool, Told]:
    context = processes()
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=die_at, args=(place, death.at, death.how, there))
    process.start()
    there.close()
    await ended(process)
    told: Told = here.recv()
    here.close()
    assert process.exitcode in (0, -9), f"{death}: it ended with {process.exitcode}"
    return process.exitcode == 0, told
