"""What is promised, held against two records that know nothing of each other: the ledger's and the mail server's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from flows.storage.database import Database
from subscribers.model import FINAL, DeliveryState
from subscribers.tables import delivery, subscriber, subscription
from tests.sending.smtp import Taken

States = Collection[DeliveryState]
"""How a delivery may end."""
SENT: States = frozenset({DeliveryState.SENT})
REJECTED: States = frozenset({DeliveryState.REJECTED})
SKIPPED: States = frozenset({DeliveryState.SKIPPED})
DEAD: States = frozenset({DeliveryState.REJECTED, DeliveryState.SKIPPED})
"""A dead address is suppressed before its refusal is recorded: after a crash between the two it is skipped for that."""


@dataclass(frozen=True, slots=True)
class Row:
    """A delivery, as the ledger has it."""

    state: DeliveryState
    attempts: int
    lease: str | None
    suppressed: bool = False
    """Whether the reader is never mailed again."""


async def ledger(database: Database) -> dict[str, Row]:
    """The ledger's record, by address."""
    query = (
        sa.select(subscriber.c.email, delivery.c.state, delivery.c.attempts, delivery.c.lease, subscriber.c.suppressed)
        .join(subscription, subscription.c.subscriber_id == subscriber.c.id)
        .join(delivery, delivery.c.subscription_id == subscription.c.id)
    )
    async with database.read() as connection:
        return {
            row.email: Row(DeliveryState(row.state), row.attempts, row.lease, row.suppressed is not None)
            for row in await connection.execute(query)
        }


@dataclass(kw_only=True)
class Audit:
    """One delivery and the crashes that it outlived."""

    connections: int
    unanswered: Collection[str] = ()
    """The readers whose message the server takes once without a reply: they may get it twice without any crash."""
    refused: Collection[str] = ()
    """The readers whose message the server refuses: their rows stay marked until it is known whose refusal that is."""
    dead: Collection[str] = ()
    """The readers whose address the server says is no good."""
    crashes: int = 0
    doubts: Counter[str] = field(default_factory=Counter)
    """In how many crashes a reader's message was under way."""
    most: int = 0
    """How many were under way in one crash, at most."""
    broken: list[str] = field(default_factory=list)
    """The promises that were not kept, in words."""
    lost: int = 0
    doubles: int = 0
    """Messages that a reader got beyond the first one, under the same Message-ID."""
    repeats: int = 0
    """The same, of the unanswered."""
    strange: int = 0
    """Messages that a reader got beyond the first one under a Message-ID of their own."""
    disagreeing: int = 0
    """Rows that say something else than the mail server."""
    _seen: set[tuple[str, Row]] = field(default_factory=set)

    def crashed(self, rows: Mapping[str, Row], taken: Sequence[Taken]) -> None:
        """What a process left behind when it died."""
        self.crashes += 1
        readers = Counter(message.recipient for message in taken)
        under_way = {(address, row) for address, row in rows.items() if row.state is DeliveryState.SENDING}
        fresh = under_way - self._seen
        self._seen |= fresh
        self.doubts.update(address for address, _ in fresh)
        at_once = sum(address not in self.refused for address, _ in fresh)
        self.most = max(self.most, at_once)
        if at_once > self.connections:
            self.broken.append(f"{at_once} were under way on {self.connections} connections")
        self._buried(rows)
        for address, row in rows.items():
            known = self.doubts[address] + (address in self.unanswered)
            match row.state:
                case DeliveryState.SENT if not readers[address]:
                    self._disagrees(f"{address} is sent, and the server has not taken it")
                case DeliveryState.PENDING | DeliveryState.DEFERRED if readers[address] > known:
                    self._disagrees(f"{address} is {row.state}, and the server has taken it")
                case DeliveryState.REJECTED | DeliveryState.SKIPPED if readers[address]:
                    self._disagrees(f"{address} is {row.state}, and the server has taken it")

    def ended(self, rows: Mapping[str, Row], taken: Sequence[Taken], expected: Mapping[str, States]) -> None:
        """How it stands when nothing is left to do; `expected` has all subscriptions, and how each may end."""
        messages = Counter(message.recipient for message in taken)
        self._buried(rows)
        for address, states in expected.items():
            row = rows.get(address)
            if row is None or row.state not in FINAL:
                self.lost += 1
                self.broken.append(f"{address} is lost: {row.state if row else 'it has no row'}")
            elif row.state not in states:
                self.broken.append(f"{address} is {row.state}, which should be {' or '.join(states)}")
            if row is not None and (row.state is DeliveryState.SENT) != bool(messages[address]):
                self._disagrees(f"{address} is {row.state}, and the server took {messages[address]}")
        for address in (rows.keys() | messages.keys()) - expected.keys():
            self._disagrees(f"{address} is nobody")
        for address, number in messages.items():
            identities = {message.message_id for message in taken if message.recipient == address} if number > 1 else ()
            self.strange += max(len(identities) - 1, 0)
            if len(identities) > 1:
                self.broken.append(f"{address} got {len(identities)} different messages")
            if address in self.unanswered:
                self.repeats += number - max(len(identities), 1)
            else:
                self.doubles += number - max(len(identities), 1)
            known = self.doubts[address] + (address in self.unanswered)
            if number > 1 + known:
                self.broken.append(f"{address} got {number}, and only {known} of them were in doubt")

    def _buried(self, rows: Mapping[str, Row]) -> None:
        for address in self.dead:
            row = rows.get(address)
            if row is not None and row.state in FINAL and not row.suppressed:
                self.broken.append(f"{address} is {row.state} and would be mailed again")

    def _disagrees(self, words: str) -> None:
        self.disagreeing += 1
        self.broken.append(words)
