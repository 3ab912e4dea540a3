"""Deaths at random moments: processes that are killed from outside, one after another, until the delivery is over."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from random import Random

from flows.storage.database import connect
from tests.crashes.audit import DEAD, REJECTED, SENT, Audit, States, ledger
from tests.crashes.copies import copied
from tests.crashes.scene import Place, opened, prepare
from tests.crashes.victims import deliver, ended, processes
from tests.sending.smtp import MailServer, mail_server

KINDS = {"good": SENT, "grey": SENT, "later": SENT, "lost": SENT, "drop": SENT, "spam": REJECTED, "reject": DEAD}


def readers(number: int) -> Mapping[str, States]:
    """Of every ten, one of each kind that makes trouble, and four that make none."""
    kinds = [*KINDS, *["good"] * 3]
    return {f"{kind}-{n}@example.org": KINDS[kind] for n in range(number) for kind in [kinds[n % 10]]}


async def begin(url: str, number: int) -> None:
    """Makes a database in which a delivery to so many can begin."""
    database = connect(url)
    try:
        await prepare(database, readers(number))
    finally:
        await database.close()


async def kill_until_over(url: str, number: int, random: Random, *, lease: float = 1, at_most: int = 1000) -> Audit:
    """Delivers on a copy of the database, with ten connections, and kills whoever delivers, until the delivery comes to
    its end, or `at_most` so often."""
    expected = readers(number)
    async with copied(url, f"kills-{random.random()}") as copy, mail_server(MailServer(per_connection=50)) as server:
        place = Place(database=copy, port=server.port, connections=10, size=100, lease=lease, final_reply=lease)
        audit = Audit(
            connections=place.connections,
            unanswered=[address for address in expected if address.startswith("lost")],
            refused=[address for address in expected if address.startswith("spam")],
            dead=[address for address in expected if address.startswith("reject")],
        )
        while audit.crashes < at_most and await _killed(place, server, random):
            async with opened(place) as context:
                audit.crashed(await ledger(context.database), list(server.taken))
        for _ in range(2):
            assert not await _killed(place, server, None)
        async with opened(place) as context:
            audit.ended(await ledger(context.database), server.taken, expected)
        audit.broken += server.breaches
    return audit


async def _killed(place: Place, server: MailServer, random: Random | None) -> bool:
    """Starts a process and kills it at a random moment; False: it came to its end before, or nobody was to kill it."""
    process = processes().Process(target=deliver, args=(place,))
    process.start()
    living = asyncio.create_task(ended(process))
    if random is not None:
        killing = asyncio.create_task(_moment(server, random, 2 * place.lease))
        await asyncio.wait([living, killing], return_when=asyncio.FIRST_COMPLETED)
        killing.cancel()
        process.kill()
    await living
    assert process.exitcode in (0, -9), f"it ended with {process.exitcode}"
    return process.exitcode == -9


async def _moment(server: MailServer, random: Random, seconds: float) -> None:
    """Mostly while messages are under way, now and then at any time: while the dead one's lease is waited for, say."""
    if random.random() < 0.25:
        await asyncio.sleep(random.uniform(0, seconds))
        return
    await server.has_taken(len(server.taken) + random.randrange(1, 40))
    await asyncio.sleep(random.uniform(0, 0.01))
