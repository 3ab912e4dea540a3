"""Who got an edition: what the ledger says of its deliveries, for the operator. It only reads."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.outcomes import anonymous
from flows.storage.database import Database
from subscribers.bounces import AT_ONCE, BounceKind, BounceState
from subscribers.model import DeliveryState
from subscribers.tables import bounce, delivery, subscriber, subscription

STATES = (
    DeliveryState.SENT,
    DeliveryState.PENDING,
    DeliveryState.SENDING,
    DeliveryState.DEFERRED,
    DeliveryState.UNCERTAIN,
    DeliveryState.REJECTED,
    DeliveryState.SKIPPED,
)
"""In the order in which they are told: what went well, what goes on, what did not."""
EXPLAINED = (DeliveryState.DEFERRED, DeliveryState.UNCERTAIN, DeliveryState.REJECTED, DeliveryState.SKIPPED)
"""The states that want a reason. A server says something else about every message that it takes."""
WAITING = (DeliveryState.PENDING, DeliveryState.DEFERRED, DeliveryState.UNCERTAIN)
"""The states from which a delivery is attempted."""
HELD = sa.and_(delivery.c.state == DeliveryState.UNCERTAIN, delivery.c.due_at.is_(None))
"""An uncertain delivery that nothing is due for any more: it waits for the operator."""
COUNTED = 100_000
"""Deliveries up to which it is counted how they stand at each domain."""
SHARED = 5
"""A domain that fewer readers have is as good as their name."""
DISTINCT = 500
"""So many different answers are told apart in a state, whatever the servers say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryLine:
    """What became of an edition for one subscription."""

    subscription_id: int
    email: str
    """Empty where the person has been erased: their row stays, and belongs to nobody."""
    state: DeliveryState
    attempts: int
    code: int | None
    """The server's last reply, RFC 5321."""
    words: str
    """The server's last words, or why there was no mail: a stranger's."""
    first_at: dt.datetime | None
    changed_at: dt.datetime | None
    due_at: dt.datetime | None
    """When it is attempted next, where a time is set. Without one a pending delivery is due at once, and an uncertain
    one waits for the operator."""
    came_back: str = ""
    """What came back of it, and what that did: a bounce or a complaint, with the words of who said so."""

    @property
    def held(self) -> bool:
        return self.state is DeliveryState.UNCERTAIN and self.due_at is None

    @property
    def at_once(self) -> bool:
        return self.state in WAITING and self.due_at is None and not self.held


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAnswers:
    """What was said about the deliveries of a state: the answer without addresses, and how often it was given."""

    frequent: Sequence[tuple[str, int]]
    """The most frequent first."""
    others: int = 0
    """How many deliveries had answers that are not among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """An edition's deliveries by state, those states that there are."""

    counts: Mapping[DeliveryState, int]
    answers: Mapping[DeliveryState, ServerAnswers]
    held: int
    """How many of the uncertain wait for the operator."""

    @property
    def total(self) -> int:
        """The number of rows ever made for the edition: none is taken away, whatever becomes of its reader."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainStates:
    """How the deliveries to one domain's readers stand."""

    name: str
    counts: Mapping[DeliveryState, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


class DeliveryReport:
    """The deliveries of any edition, in bounded memory however many there are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def summary(self, edition_id: int, most: int = 10) -> Summary:
        """How the deliveries stand, with at most so many different answers a state."""
        # one pass and no sorting: 0.2 s for a million on SQLite
        columns = [sa.func.count().filter(delivery.c.state == state).label(state) for state in STATES]
        query = sa.select(*columns, sa.func.count().filter(HELD).label("held"))
        async with self._database.read() as connection:
            row = (await connection.execute(query.where(delivery.c.edition_id == edition_id))).one()
            counts = {state: row._mapping[state] for state in STATES if row._mapping[state]}
            explained = any(state in counts for state in EXPLAINED)
            answers = await _answers(connection, edition_id, most) if explained else {}
        return Summary(counts=counts, answers=answers, held=row.held)

    async def domains(self, edition_id: int, most: int = 10) -> Sequence[DomainStates]:
        """How the deliveries stand at the domains with the most readers, and at all others together, as `others`; none
        of a domain that fewer than `SHARED` readers have, which would name them. Empty where there are more deliveries
        than `COUNTED`: it takes a look at every reader."""
        async with self._database.read() as connection:
            few = sa.select(delivery.c.edition_id).where(delivery.c.edition_id == edition_id).limit(COUNTED + 1)
            if (await connection.scalar(sa.select(sa.func.count()).select_from(few.subquery())) or 0) > COUNTED:
                return []
            key = subscriber.c.email_key
            name = sa.func.split_part(key, "@", 2)
            if connection.dialect.name == "sqlite":
                name = sa.func.substr(key, sa.func.instr(key, "@") + 1)
            theirs = delivery.join(subscription, subscription.c.id == delivery.c.subscription_id).join(subscriber)
            query = sa.select(name, delivery.c.state, sa.func.count()).select_from(theirs)
            query = query.where(delivery.c.edition_id == edition_id).group_by(name, delivery.c.state)
            found: dict[str, dict[DeliveryState, int]] = defaultdict(dict)
            for domain, state, number in await connection.execute(query):
                found[domain][_STATES[state]] = number
        ordered = sorted(found, key=lambda domain: (-sum(found[domain].values()), domain))
        shown = [domain for domain in ordered[:most] if sum(found[domain].values()) >= SHARED]
        others: Counter[DeliveryState] = Counter()
        for domain in set(ordered).difference(shown):
            others.update(found[domain])
        told = [DomainStates(name=domain, counts=found[domain]) for domain in shown]
        return [*told, DomainStates(name="others", counts=others)] if others and told else told

    async def page(
        self, edition_id: int, *, state: DeliveryState | None = None, after: int = 0, size: int = 100
    ) -> Sequence[DeliveryLine]:
        """The next deliveries, in the order of their subscriptions, behind the subscription `after`."""
        query = _deliveries(edition_id).where(delivery.c.subscription_id > after)
        if state is not None:
            query = query.where(delivery.c.state == state)
        async with self._database.read() as connection:
            found = [_delivery(row) for row in await connection.execute(query.limit(size))]
            return await _with_what_came_back(connection, edition_id, found)

    async def walk(
        self, edition_id: int, *, state: DeliveryState | None = None, size: int = 2000
    ) -> AsyncIterator[Sequence[DeliveryLine]]:
        """All deliveries, in pages. Each is read in a transaction of its own: a slow reader of them holds up nobody."""
        after = 0
        while found := await self.page(edition_id, state=state, after=after, size=size):
            yield found
            after = found[-1].subscription_id

    async def find(self, edition_id: int, email: str) -> DeliveryLine | None:
        """The delivery to an address, however it is written; None: there is none."""
        theirs = sa.select(subscription.c.id).join(subscriber).where(subscriber.c.email_key == email.lower())
        query = _deliveries(edition_id).where(delivery.c.subscription_id.in_(theirs))
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
            found = [] if row is None else [_delivery(row)]
            return next(iter(await _with_what_came_back(connection, edition_id, found)), None)


async def _answers(connection: AsyncConnection, edition_id: int, most: int) -> Mapping[DeliveryState, ServerAnswers]:
    query = (
        sa.select(delivery.c.state, delivery.c.code, delivery.c.words, sa.func.count().label("number"))
        .where(delivery.c.edition_id == edition_id, delivery.c.state.in_(EXPLAINED))
        .group_by(delivery.c.state, delivery.c.code, delivery.c.words)
    )
    said: dict[DeliveryState, Counter[str]] = defaultdict(Counter)
    others: Counter[DeliveryState] = Counter()
    # streamed: there may be as many answers as deliveries
    async for rows in (await connection.stream(query)).partitions(1000):
        for row in rows:
            state, answer = DeliveryState(row.state), alike(row.code, row.words)
            if answer in said[state] or len(said[state]) < DISTINCT:
                said[state][answer] += row.number
            else:
                others[state] += row.number
    return {state: _most(answers, others[state], most) for state, answers in said.items()}


def _most(answers: Counter[str], others: int, most: int) -> ServerAnswers:
    ordered = sorted(answers.items(), key=lambda one: (-one[1], one[0]))
    return ServerAnswers(frequent=ordered[:most], others=others + sum(number for _, number in ordered[most:]))


_TOKEN = re.compile(r"(?<![\w./@-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z0-9_-]{8,}(?:\.\d+)?(?![\w/@-]|\.\w)")


def alike(code: int | None, words: str) -> str:
    """An answer in the form that it shares with others of its kind: without addresses, nor the identifier of a session
    or a message that many servers end it with."""
    return " ".join(f"{code or ''} {_TOKEN.sub('…', anonymous(words))}".split())


_whose = subscription.c.id == delivery.c.subscription_id
# not a join: PostgreSQL would read through all people for a page of a few thousand
_EMAIL = sa.select(subscriber.c.email).join(subscription).where(_whose).scalar_subquery()
_STATES = {str(state): state for state in DeliveryState}


def _deliveries(edition_id: int) -> sa.Select[Any]:
    """An edition's deliveries in the order of their subscriptions, for `_delivery`."""
    one = delivery.c
    columns = (one.subscription_id, _EMAIL, one.state, one.attempts, one.code, one.words)
    query = sa.select(*columns, one.first_at, one.changed_at, one.due_at)
    return query.where(one.edition_id == edition_id).order_by(one.subscription_id)


def _delivery(row: Any) -> DeliveryLine:
    # by their places: by their names it takes a quarter longer
    identity, email, state, attempts, code, words, first_at, changed_at, due_at = row
    return DeliveryLine(
        subscription_id=identity,
        email=email or "",
        state=_STATES[state],
        attempts=attempts,
        code=code,
        words=words,
        first_at=first_at,
        changed_at=changed_at,
        # a row that is being sent still bears the time that it was due at
        due_at=due_at if state in WAITING else None,
    )


async def _with_what_came_back(
    connection: AsyncConnection, edition_id: int, found: Sequence[DeliveryLine]
) -> Sequence[DeliveryLine]:
    """A page of deliveries, each with what came back of it."""
    if not found:
        return found
    span = bounce.c.subscription_id.between(found[0].subscription_id, found[-1].subscription_id)
    # a refusal at once stands in the row itself, but not that it waits for the operator
    told = sa.or_(bounce.c.source != AT_ONCE, bounce.c.state == BounceState.HELD)
    query = sa.select(bounce).where(bounce.c.edition_id == edition_id, span, told).order_by(bounce.c.at)
    said: dict[int, list[str]] = defaultdict(list)
    for row in await connection.execute(query):
        said[row.subscription_id].append(_told(row))
    if not said:
        return found
    return [replace(one, came_back="; ".join(said[one.subscription_id])) for one in found]


def _told(row: sa.Row[Any]) -> str:
    what = row.kind if row.kind == BounceKind.COMPLAINT else f"{row.kind}: {row.cause}"
    return f"{what} ({row.state}, by {row.source}) {row.words}".strip()
