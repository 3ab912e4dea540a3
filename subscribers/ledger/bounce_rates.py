"""How much came back: of an edition, and of a newsletter in the last weeks, by kind and by domain. It only reads."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.storage.database import Database
from flows.storage.editions import edition
from subscribers.bounces import AT_ONCE, BounceKind
from subscribers.model import DeliveryState
from subscribers.tables import bounce, delivery, subscriber, subscription

WEEKS = dt.timedelta(days=30)
SHOWN = 10
"""Domains that are told apart."""
COUNTED = 100_000
"""Mails of an edition up to which it is counted how many went to each domain: it takes a look at every reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Of so many mails, what became of them. One that was sent is one of delivered, hard, soft, refused."""

    sent: int = 0
    """The mail server took them."""
    rejected: int = 0
    """It refused them for good when they were offered."""
    hard: int = 0
    soft: int = 0
    refused: int = 0
    """Our mail or our name was refused, the address is well."""
    complaints: int = 0
    unsubscribed: int = 0

    @property
    def delivered(self) -> int:
        """Sent, and nothing has come back that says otherwise."""
        return max(0, self.sent - self.hard - self.soft - self.refused)

    @property
    def offered(self) -> int:
        return self.sent + self.rejected

    def part(self, number: int) -> float:
        """A number as a part of what was offered to the mail server."""
        return number / self.offered if self.offered else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRates:
    domain: str
    rates: Rates
    """Its `sent` is 0 where that was not counted."""


class BounceRates:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_edition(self, edition_id: int, now: dt.datetime) -> Rates:
        """What came back of an edition. Unsubscriptions are those of its newsletter up to the next edition."""
        async with self._database.read() as connection:
            of = await connection.execute(sa.select(edition).where(edition.c.id == edition_id))
            row = of.one_or_none()
            if row is None:
                return Rates()
            following = sa.select(sa.func.min(edition.c.changed_at)).where(
                edition.c.newsletter == row.newsletter,
                edition.c.state == "frozen",
                edition.c.changed_at > row.changed_at,
            )
            until = await connection.scalar(following) or now
            return await self._rates(connection, [edition_id], row.newsletter, row.changed_at, until)

    async def of_newsletter(self, newsletter: str, since: dt.datetime, now: dt.datetime) -> Rates:
        """What came back of a newsletter's editions that were frozen since then."""
        async with self._database.read() as connection:
            editions = await _editions(connection, newsletter, since)
            return await self._rates(connection, editions, newsletter, since, now)

    async def domains(self, edition_id: int) -> Sequence[DomainRates]:
        """The domains from which most came back of an edition, the worst first."""
        async with self._database.read() as connection:
            query = (
                sa.select(bounce.c.domain, bounce.c.kind, sa.func.count())
                .where(bounce.c.edition_id == edition_id, bounce.c.domain != "", bounce.c.source != AT_ONCE)
                .group_by(bounce.c.domain, bounce.c.kind)
            )
            found: dict[str, dict[BounceKind, int]] = defaultdict(dict)
            for name, kind, number in await connection.execute(query):
                found[name][BounceKind(kind)] = number
            worst = sorted(found, key=lambda name: (-sum(found[name].values()), name))[:SHOWN]
            few = sum(await _sent(connection, [edition_id])) <= COUNTED
            return [
                DomainRates(
                    domain=name,
                    rates=_counted(found[name], sent=await _sent_to(connection, edition_id, name) if few else 0),
                )
                for name in worst
            ]

    async def _rates(
        self,
        connection: AsyncConnection,
        editions: Collection[int],
        newsletter: str,
        since: dt.datetime,
        until: dt.datetime,
    ) -> Rates:
        kinds = await _kinds(connection, editions)
        sent, rejected = await _sent(connection, editions)
        left = sa.select(sa.func.count()).where(
            subscription.c.newsletter == newsletter, subscription.c.left_at > since, subscription.c.left_at <= until
        )
        unsubscribed = await connection.scalar(left) or 0
        return _counted(kinds, sent=sent, rejected=rejected, unsubscribed=unsubscribed)


async def _editions(connection: AsyncConnection, newsletter: str, since: dt.datetime) -> Sequence[int]:
    mine = (edition.c.newsletter == newsletter, edition.c.state == "frozen", edition.c.changed_at > since)
    return (await connection.scalars(sa.select(edition.c.id).where(*mine))).all()


async def _kinds(connection: AsyncConnection, editions: Collection[int]) -> Mapping[BounceKind, int]:
    # what was refused at once is counted by its delivery
    came_back = (bounce.c.edition_id.in_(editions), bounce.c.source != AT_ONCE)
    query = sa.select(bounce.c.kind, sa.func.count()).where(*came_back)
    return {BounceKind(row[0]): row[1] for row in await connection.execute(query.group_by(bounce.c.kind))}


def _counted(kinds: Mapping[BounceKind, int], *, sent: int, rejected: int = 0, unsubscribed: int = 0) -> Rates:
    return Rates(
        sent=sent,
        rejected=rejected,
        hard=kinds.get(BounceKind.HARD, 0),
        soft=kinds.get(BounceKind.SOFT, 0),
        refused=kinds.get(BounceKind.REFUSED, 0),
        complaints=kinds.get(BounceKind.COMPLAINT, 0),
        unsubscribed=unsubscribed,
    )


async def _sent(connection: AsyncConnection, editions: Collection[int]) -> tuple[int, int]:
    """How many mails were sent, and how many rejected by a reply, not for their age."""
    sent = sa.func.count().filter(delivery.c.state == DeliveryState.SENT)
    rejected = sa.func.count().filter(delivery.c.state == DeliveryState.REJECTED, delivery.c.code >= 500)
    query = sa.select(sent, rejected).where(delivery.c.edition_id.in_(editions))
    row = (await connection.execute(query)).one()
    return row[0], row[1]


async def _sent_to(connection: AsyncConnection, edition_id: int, name: str) -> int:
    query = (
        sa.select(sa.func.count())
        .select_from(delivery.join(subscription, subscription.c.id == delivery.c.subscription_id).join(subscriber))
        .where(
            delivery.c.edition_id == edition_id,
            delivery.c.state == DeliveryState.SENT,
            subscriber.c.email_key.endswith(f"@{name}", autoescape=True),
        )
    )
    return await connection.scalar(query) or 0
