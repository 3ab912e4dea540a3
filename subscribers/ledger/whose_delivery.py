"""Which delivery a report is about: looked up for many at a time."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.storage.editions import edition
from subscribers.bounces import RECENT, About, BounceKind, ReportedMail, kind_of
from subscribers.tables import delivery, subscriber, subscription

LETTER = 0
"""Stands for the edition where a letter of ours came back."""
MOST_EDITIONS = 500

Edition = tuple[str, str, dt.date]
Times = Mapping[tuple[int, int], dt.datetime]
"""When deliveries were attempted, by edition and subscription."""


@dataclass(frozen=True, slots=True)
class FoundReader:
    """Somebody on one newsletter."""

    subscription_id: int
    newsletter: str
    person: int
    email: str
    freed_at: dt.datetime | None

    @property
    def domain(self) -> str:
        return self.email.rpartition("@")[2].lower()[:255]


@dataclass(frozen=True, slots=True)
class FoundDelivery:
    """A report whose delivery is known, and what it counts as."""

    said: ReportedMail
    reader: FoundReader
    edition_id: int
    sent_at: dt.datetime | None
    kind: BounceKind

    @property
    def about(self) -> About:
        return About.COMPLAINT if self.kind is BounceKind.COMPLAINT else About.FAILURE

    @property
    def freed(self) -> bool:
        """Whether its mail was sent before the operator freed the address."""
        freed_at = self.reader.freed_at
        return freed_at is not None and self.sent_at is not None and self.sent_at <= freed_at


async def find(
    connection: AsyncConnection, said: Sequence[ReportedMail], now: dt.datetime
) -> list[FoundDelivery | None]:
    """The delivery of each report; None where it is about nobody's mail that we know."""
    numbers = {one.subscription_id for one in said if one.subscription_id is not None}
    numbered = {one.subscription_id: one for one in await readers(connection, subscription.c.id.in_(numbers))}
    addresses = {one.address.lower() for one in said if one.subscription_id is None and one.address}
    addressed: dict[str, list[FoundReader]] = defaultdict(list)
    for reader in await readers(connection, subscriber.c.email_key.in_(addresses)):
        addressed[reader.email.lower()].append(reader)
    editions = await _editions(connection, {one.edition for one in said if one.edition})
    named: list[tuple[ReportedMail, Sequence[FoundReader], int | None]] = []
    for one in said:
        theirs = addressed.get(one.address.lower(), [])
        if one.subscription_id is not None:
            theirs = [numbered[one.subscription_id]] if one.subscription_id in numbered else []
        number = editions.get(one.edition) if one.edition_id is None and one.edition else one.edition_id
        named.append((one, theirs, number))
    keys = {(number, one.subscription_id) for _, theirs, number in named if number for one in theirs}
    times = await _attempted(connection, keys)
    recent = await recent_editions(connection, now - RECENT)
    return [await _found(connection, *one, times, recent, now) for one in named]


async def _found(
    connection: AsyncConnection,
    said: ReportedMail,
    theirs: Sequence[FoundReader],
    number: int | None,
    times: Times,
    recent: Collection[int],
    now: dt.datetime,
) -> FoundDelivery | None:
    if not theirs:
        return None
    first = theirs[0]
    # a Message-ID can be guessed, but not together with the address
    proven = said.sealed or (said.subscription_id is not None and said.address.lower() == first.email.lower())
    kind = kind_of(said, proven=proven)
    if number == LETTER:
        return FoundDelivery(said, first, LETTER, None, kind)
    if number is not None:
        if moment := times.get((number, first.subscription_id)):
            return FoundDelivery(said, first, number, moment, kind)
    elif row := await _last_attempted(connection, recent, [one.subscription_id for one in theirs], now - RECENT):
        reader = next(one for one in theirs if one.subscription_id == row.subscription_id)
        return FoundDelivery(said, reader, row.edition_id, row.changed_at, kind)
    # whoever complains with proof in hand is heard, whatever we still know of the mail
    return FoundDelivery(said, first, LETTER, None, kind) if kind is BounceKind.COMPLAINT else None


async def readers(connection: AsyncConnection, which: sa.ColumnElement[bool]) -> list[FoundReader]:
    """Subscriptions with their people."""
    of = (subscription.c.id, subscription.c.newsletter, subscriber.c.id, subscriber.c.email, subscriber.c.freed_at)
    query = sa.select(*of).join(subscriber).where(which).order_by(subscription.c.id)
    return [FoundReader(*row) for row in await connection.execute(query)]


async def recent_editions(connection: AsyncConnection, since: dt.datetime) -> Sequence[int]:
    """The editions whose deliveries may be younger than this: a reader's hour may be six days after the freezing."""
    query = sa.select(edition.c.id).where(edition.c.changed_at > since - RECENT).order_by(edition.c.id.desc())
    return (await connection.scalars(query.limit(MOST_EDITIONS))).all()


async def _editions(connection: AsyncConnection, wanted: Iterable[Edition]) -> Mapping[Edition, int]:
    found = {}
    for newsletter, kind, day in wanted:
        named = (edition.c.newsletter == newsletter, edition.c.kind == kind, edition.c.day == day)
        number = await connection.scalar(sa.select(edition.c.id).where(*named))
        if number is not None:
            found[newsletter, kind, day] = number
    return found


async def _attempted(connection: AsyncConnection, keys: Collection[tuple[int, int]]) -> Times:
    """When each of some deliveries was attempted; one that was not, or that is none, is not named."""
    key = sa.tuple_(delivery.c.edition_id, delivery.c.subscription_id)
    query = sa.select(delivery.c.edition_id, delivery.c.subscription_id, delivery.c.changed_at).where(
        key.in_(list(keys)), delivery.c.attempts > 0, delivery.c.changed_at.is_not(None)
    )
    return {(row[0], row[1]): row[2] for row in await connection.execute(query)}


async def _last_attempted(
    connection: AsyncConnection, editions: Collection[int], numbers: Collection[int], since: dt.datetime
) -> Any:
    query = sa.select(delivery.c.edition_id, delivery.c.subscription_id, delivery.c.changed_at).where(
        delivery.c.edition_id.in_(editions),
        delivery.c.subscription_id.in_(numbers),
        delivery.c.attempts > 0,
        delivery.c.changed_at > since,
    )
    return (await connection.execute(query.order_by(delivery.c.changed_at.desc()).limit(1))).one_or_none()
