"""Very many bounces at once that would suppress: they suppress nobody, and wait for the operator, who decides about
them all."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.storage.database import Database
from flows.storage.editions import edition
from subscribers.bounces import MASS_OF_DAY, MASS_OF_DOMAIN, MASS_WITHIN, BounceKind, BounceState, is_mass
from subscribers.ledger.whose_delivery import readers
from subscribers.model import DeliveryState, Suppressed
from subscribers.people.lifting import BY_SERVERS, free
from subscribers.people.rows import ALLOWED, address_key, domains_of
from subscribers.people.rows import suppressed as why_suppressed
from subscribers.people.suppressions import suppress
from subscribers.tables import bounce, delivery, domain, subscriber, subscription, suppression

PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The bounces of a domain that are held."""

    domain: str
    readers: int
    since: dt.datetime
    words: str
    """What one of them says: a stranger's."""


class HeldBounces:
    """What is held for the operator."""

    def __init__(self, database: Database, hashing_key: bytes) -> None:
        self._database = database
        self._key = hashing_key

    async def waiting(self) -> Sequence[Waiting]:
        """The most first."""
        number = sa.func.count(bounce.c.subscription_id.distinct())
        query = (
            sa.select(bounce.c.domain, number, sa.func.min(bounce.c.at), sa.func.max(bounce.c.words))
            .where(bounce.c.state == BounceState.HELD)
            .group_by(bounce.c.domain)
            .order_by(number.desc(), bounce.c.domain)
        )
        async with self._database.read() as connection:
            return [
                Waiting(domain=name, readers=count, since=since, words=words)
                for name, count, since, words in await connection.execute(query)
            ]

    async def of_edition(self, edition_id: int) -> int:
        """How many readers of an edition are held."""
        held = (bounce.c.edition_id == edition_id, bounce.c.state == BounceState.HELD)
        query = sa.select(sa.func.count(bounce.c.subscription_id.distinct())).where(*held)
        async with self._database.read() as connection:
            return await connection.scalar(query) or 0

    async def decide(self, now: dt.datetime, *, suppress: bool, at: str = "") -> int:
        """Suppresses the readers whose bounces are held, or frees them, at one domain or everywhere; returns how many.
        What has come back of theirs is settled by that."""
        which = [bounce.c.state == BounceState.HELD, *([bounce.c.domain == at] if at else [])]
        decided = 0
        while True:
            async with self._database.write() as connection:
                query = sa.select(bounce.c.subscription_id).where(*which).distinct().limit(PAGE)
                numbers = (await connection.scalars(query)).all()
                if not numbers:
                    return decided
                decided += await self._decide(connection, numbers, now, suppressing=suppress)

    async def _decide(
        self, connection: AsyncConnection, numbers: Sequence[int], now: dt.datetime, *, suppressing: bool
    ) -> int:
        held = (bounce.c.state == BounceState.HELD, bounce.c.subscription_id.in_(numbers))
        theirs = await readers(connection, subscription.c.id.in_(numbers))
        people = {one.person: one.email for one in theirs}
        query = sa.select(bounce.c.subscription_id).where(*held, bounce.c.kind != BounceKind.SOFT)
        not_soft = set(await connection.scalars(query))
        dead = {one.person for one in theirs if one.subscription_id in not_soft}
        for person, email in people.items() if suppressing else ():
            reason = Suppressed.HARD_BOUNCE if person in dead else Suppressed.SOFT_BOUNCES
            await suppress(connection, self._database, email, reason, now, self._key, weakly=True)
        # one whose suppression stays is not freed by this
        still = {person: await why_suppressed(connection, email, self._key) for person, email in people.items()}
        await free(connection, still, now)
        await connection.execute(sa.update(bounce).where(*held).values(state=BounceState.SETTLED))
        return len(people)


async def find_masses(
    connection: AsyncConnection, places: Collection[str], key: bytes, now: dt.datetime, falling: Mapping[str, int]
) -> tuple[frozenset[str], int]:
    """Those of some domains whose bounces suppress nobody for now: that have a mass of them, or that the operator has
    allowed; the empty one stands for all. Whom they have suppressed within a day is held as well: how many that are.
    Hard bounces count, and soft ones that were the last straw: before now, or now, which `falling` has by domain."""
    masses = await _allowed(connection, places)
    fell = sa.and_(bounce.c.kind == BounceKind.SOFT, bounce.c.state.in_((BounceState.SUPPRESSED, BounceState.HELD)))
    counted = (
        sa.or_(bounce.c.kind == BounceKind.HARD, fell),
        bounce.c.at > now - MASS_WITHIN,
        bounce.c.state != BounceState.SETTLED,
    )
    query = sa.select(bounce.c.domain, sa.func.count()).where(*counted).group_by(bounce.c.domain)
    counts = Counter({row[0]: int(row[1]) for row in await connection.execute(query)})
    counts.update(falling)
    for place in set(places) - masses:
        number = counts[place]
        if number >= MASS_OF_DOMAIN[0] and is_mass(number, await _readers_at(connection, place), MASS_OF_DOMAIN):
            masses.add(place)
    total = counts.total()
    if total >= MASS_OF_DAY[0] and is_mass(total, await _sent(connection, now), MASS_OF_DAY):
        masses.add("")
    held_back = 0
    if masses:
        which = () if "" in masses else (bounce.c.domain.in_(masses),)
        held_back = await _hold(connection, (*counted, bounce.c.state == BounceState.SUPPRESSED, *which), key)
    return frozenset(masses), held_back


async def _hold(connection: AsyncConnection, which: Sequence[sa.ColumnElement[bool]], key: bytes) -> int:
    numbers = (await connection.scalars(sa.select(bounce.c.subscription_id).where(*which))).all()
    if not numbers:
        return 0
    await connection.execute(sa.update(bounce).where(*which).values(state=BounceState.HELD))
    people = {one.person: one.email for one in await readers(connection, subscription.c.id.in_(numbers))}
    keys = suppression.c.address_key.in_([address_key(email, key) for email in people.values()])
    await connection.execute(sa.delete(suppression).where(keys, suppression.c.reason.in_(BY_SERVERS)))
    theirs = (subscriber.c.id.in_(people), subscriber.c.suppressed.in_(BY_SERVERS))
    await connection.execute(sa.update(subscriber).where(*theirs).values(suppressed=None))
    return len(people)


async def _readers_at(connection: AsyncConnection, place: str) -> int:
    at = subscriber.c.email_key.endswith(f"@{place}", autoescape=True)
    return await connection.scalar(sa.select(sa.func.count()).where(at)) or 0


async def _sent(connection: AsyncConnection, now: dt.datetime) -> int:
    """How many mails the editions of the last days have brought out."""
    query = sa.select(edition.c.id).where(edition.c.changed_at > now - 3 * MASS_WITHIN)
    numbers = (await connection.scalars(query)).all()
    sent = (delivery.c.edition_id.in_(numbers), delivery.c.state == DeliveryState.SENT)
    return await connection.scalar(sa.select(sa.func.count()).where(*sent)) or 0


async def _allowed(connection: AsyncConnection, places: Collection[str]) -> set[str]:
    names = set(await connection.scalars(sa.select(domain.c.name).where(domain.c.rule == ALLOWED)))
    return {place for place in places if names and not names.isdisjoint(domains_of(f"@{place}"))}
