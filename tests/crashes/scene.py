"""What is delivered when a process dies: an edition, its readers, and where it all lies."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from flows.config.settings import Settings
from flows.context import Context
from flows.delivery.run import deliver
from flows.editions.model import Kind
from flows.mail.cards import pack
from flows.storage.database import Database, connect, migrate
from flows.storage.editions import Frozen, Store
from subscribers.ledger.ledger import Ledger
from subscribers.people.store import Change, Subscribers
from tests import factories
from tests.mail import made

BACK_OFF = (dt.timedelta(milliseconds=50),)
"""What is put off is tried again at once, so that a delivery comes to its end within a test."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a delivery finds its ledger and its mail server: all that a process must know to go on with it."""

    database: str
    """The URL."""
    port: int
    connections: int = 3
    size: int = 5
    """Readers in a batch."""
    lease: float = 1.0
    """Seconds."""
    final_reply: float = 1.0
    """Seconds."""
    rate: float = 0
    """Messages a second; 0: as many as there are."""
    limit: float = 60
    """Seconds after which nobody waits any more for a delivery to come to its end."""


@dataclass(frozen=True, kw_only=True)
class Hasty(Context):
    """What a dead process left is taken over soon, by the terms of its place."""

    place: Place

    ledger_type: ClassVar[type[Ledger]] = Ledger

    @cached_property
    def ledger(self) -> Ledger:
        return self.ledger_type(
            self.database,
            lease=dt.timedelta(seconds=self.place.lease),
            final_reply=dt.timedelta(seconds=self.place.final_reply),
            size=self.place.size,
            back_off=BACK_OFF,
        )


@asynccontextmanager
async def opened(place: Place, kind: type[Hasty] = Hasty) -> AsyncIterator[Hasty]:
    """A new process's view of the place: nothing is known but what the database holds."""
    values: dict[str, Any] = {
        # nothing can be kept there, nor counted: two processes have their own connections, as two machines have
        "home_dir": Path("/dev/null/home"),
        "mail_url": f"smtp://127.0.0.1:{place.port}",
        "mail_connections": place.connections,
        "mail_rate": place.rate,
        "mail_processes": 1,  # others would have another ledger, with the times of a real one
        "sender": "Paperround <digest@example.org>",
        "secret_key": "a key of sixteen letters or more",
        "suppression_key": factories.HASHING_KEY.decode(),
    }
    database = connect(place.database)
    try:
        yield kind(
            settings=Settings(_env_file=None, **({"pause_above": "never"} | values)),
            database=database,
            topics=(),
            newsletters={"daily": factories.newsletter()},
            place=place,
        )
    finally:
        await database.close()


async def go_on(context: Hasty) -> None:
    """Delivers the edition, from wherever it stands. Whether it came to its end is for the audit to see."""
    frozen = await context.store.find("daily", Kind.DAILY, factories.DAY)
    assert isinstance(frozen, Frozen)
    with suppress(TimeoutError):
        async with asyncio.timeout(context.place.limit):
            await deliver(context, frozen, lambda _: None)


async def prepare(database: Database, addresses: Iterable[str], unwilling: Sequence[str] = ()) -> None:
    """Everything that stands before the first delivery begins; the `unwilling` want nothing of the edition."""
    await migrate(database)
    now = dt.datetime.now(dt.UTC)
    people = Subscribers(database, factories.HASHING_KEY)
    changes = [Change(email=address, newsletter="daily", columns={}) for address in addresses]
    for start in range(0, len(changes), 1000):
        await people.keep(changes[start : start + 1000], now)
    none = {"topics": ("no-such-topic",)}
    await people.keep([Change(email=address, newsletter="daily", columns=none) for address in unwilling], now)
    edition = factories.edition(listed=factories.papers(2))
    await Store(database).freeze(edition, pack(made.rendered(edition)), now)
