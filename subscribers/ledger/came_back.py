"""What came back of deliveries: each report is written down once, and does to its address what `bounces` says."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.storage.database import Database
from flows.storage.editions import edition
from subscribers.bounces import (
    MASS_OF_DAY,
    MASS_OF_DOMAIN,
    MASS_WITHIN,
    RECENT,
    SOFT_WITHIN,
    About,
    Attempt,
    Kind,
    Said,
    State,
    follows,
    is_mass,
    kind_of,
    stronger,
)
from subscribers.model import DeliveryState, Suppressed
from subscribers.people.changes import end
from subscribers.people.rows import ALLOWED, address_key, domains_of
from subscribers.people.suppressions import suppress
from subscribers.tables import bounce, delivery, domain, hook_call, subscriber, subscription, suppression
from subscribers.tokens import keyed

LETTER = 0
"""Stands for the edition where a letter of ours came back."""
MOST_EDITIONS = 500
_REASONS = {
    Kind.HARD: Suppressed.HARD_BOUNCE,
    Kind.SOFT: Suppressed.SOFT_BOUNCES,
    Kind.COMPLAINT: Suppressed.COMPLAINT,
}


@dataclass(frozen=True, slots=True)
class Heard:
    """What a report came to. Not `fresh`: the same was heard before, and nothing was done."""

    kind: Kind
    state: State
    fresh: bool


class Replayed(Exception):  # noqa: N818
    """A provider's call was heard before."""


@dataclass(frozen=True, slots=True)
class _Reader:
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
class _Found:
    """A report whose delivery is known."""

    said: Said
    reader: _Reader
    edition_id: int
    sent_at: dt.datetime | None
    kind: Kind

    @property
    def about(self) -> About:
        return About.COMPLAINT if self.kind is Kind.COMPLAINT else About.FAILURE

    @property
    def freed(self) -> bool:
        """Whether its mail was sent before the operator freed the address."""
        freed_at = self.reader.freed_at
        return freed_at is not None and self.sent_at is not None and self.sent_at <= freed_at


class CameBack:
    """The bounces and complaints of all deliveries."""

    def __init__(self, database: Database, hashing_key: bytes) -> None:
        self._database = database
        self._key = hashing_key

    async def record(self, said: Sequence[Said], now: dt.datetime, *, call: str = "") -> list[Heard | None]:
        """Writes down what reports say, in one transaction; None for each that is about nobody's mail that we know.

        The same again changes nothing. `call` is what makes a provider's call unique: raises Replayed where it was
        heard before.
        """
        async with self._database.write() as connection:
            if call:
                await self._hear(connection, call, now)
            found = await self._found(connection, said, now)
            fresh = [one is not None and await self._keep(connection, one, now) for one in found]
            masses = await self._masses(connection, [one for one in found if one], now)
            heard: list[Heard | None] = []
            for one, is_fresh in zip(found, fresh, strict=True):
                if one is None:
                    heard.append(None)
                elif is_fresh:
                    heard.append(Heard(one.kind, await self._act(connection, one, masses, now), fresh=True))
                else:
                    heard.append(Heard(one.kind, State.COUNTED, fresh=False))
            return heard

    async def _hear(self, connection: AsyncConnection, call: str, now: dt.datetime) -> None:
        row = self._database.insert(hook_call).values(key=keyed("hook", call, self._key), at=now)
        if (await connection.execute(row.on_conflict_do_nothing())).rowcount != 1:
            raise Replayed

    async def forget_calls(self, before: dt.datetime) -> None:
        """Forgets calls that are too old to be believed again."""
        async with self._database.write() as connection:
            await connection.execute(sa.delete(hook_call).where(hook_call.c.at < before))

    # --- which delivery it is

    async def _found(self, connection: AsyncConnection, said: Sequence[Said], now: dt.datetime) -> list[_Found | None]:
        by_number = await _readers(
            connection, subscription.c.id.in_({one.subscription_id for one in said if one.subscription_id})
        )
        addresses = {one.address.lower() for one in said if one.subscription_id is None and one.address}
        by_address: dict[str, list[_Reader]] = defaultdict(list)
        for reader in await _readers(connection, subscriber.c.email_key.in_(addresses)):
            by_address[reader.email.lower()].append(reader)
        numbered = {reader.subscription_id: reader for reader in by_number}
        editions = await _editions(connection, {one.edition for one in said if one.edition})
        recent = await _recent_editions(connection, now - RECENT)
        found = []
        for one in said:
            if one.subscription_id is not None:
                theirs = [numbered[one.subscription_id]] if one.subscription_id in numbered else []
            else:
                theirs = by_address.get(one.address.lower(), [])
            number = (
                one.edition_id if one.edition_id is not None else editions.get(one.edition) if one.edition else None
            )
            found.append(await self._delivery(connection, one, theirs, number, recent, now))
        return found

    async def _delivery(
        self,
        connection: AsyncConnection,
        said: Said,
        theirs: Sequence[_Reader],
        number: int | None,
        recent: Collection[int],
        now: dt.datetime,
    ) -> _Found | None:
        if not theirs:
            return None
        known = said.address.lower() == theirs[0].email.lower()
        # a Message-ID can be guessed, but not together with the address
        proven = said.sealed or (said.subscription_id is not None and known)
        kind = kind_of(said, proven=proven)
        if number == LETTER:
            return _Found(said, theirs[0], LETTER, None, kind)
        editions = recent if number is None else (number,)
        row = await _last_attempted(connection, editions, [one.subscription_id for one in theirs])
        if row is not None and (number is not None or row.changed_at > now - RECENT):
            reader = next(one for one in theirs if one.subscription_id == row.subscription_id)
            return _Found(said, reader, row.edition_id, row.changed_at, kind)
        # whoever complains with proof in hand is heard, whatever we still know of the mail
        return _Found(said, theirs[0], LETTER, None, kind) if kind is Kind.COMPLAINT else None

    # --- what it does

    async def _keep(self, connection: AsyncConnection, found: _Found, now: dt.datetime) -> bool:
        """Writes it down; False: as much was known."""
        key = {
            "edition_id": found.edition_id,
            "subscription_id": found.reader.subscription_id,
            "about": found.about,
        }
        values = {
            "kind": found.kind,
            "cause": found.said.cause,
            "state": State.COUNTED,
            "code": found.said.code,
            "status": found.said.status,
            "words": found.said.words,
            "source": found.said.source,
            "at": now,
        }
        of = {"newsletter": found.reader.newsletter, "domain": found.reader.domain, "sent_at": found.sent_at}
        row = self._database.insert(bounce).values(**key, **values, **of).on_conflict_do_nothing()
        if (await connection.execute(row)).rowcount == 1:
            return True
        mine = [bounce.c[name] == value for name, value in key.items()]
        before = (await connection.execute(sa.select(bounce.c.kind).where(*mine).with_for_update())).scalar_one()
        if found.about is About.COMPLAINT or not stronger(found.kind, Kind(before)):
            return False
        await connection.execute(sa.update(bounce).where(*mine).values(values))
        return True

    async def _act(
        self, connection: AsyncConnection, found: _Found, masses: Collection[str], now: dt.datetime
    ) -> State:
        reader, kind = found.reader, found.kind
        attempts = await self._attempts(connection, reader, now) if kind is Kind.SOFT else ()
        mass = "" in masses or reader.domain in masses
        state = follows(kind, attempts, now, mass=mass, freed=found.freed)
        if kind is Kind.COMPLAINT:
            await end(connection, reader.subscription_id, now)
        if state is State.SUPPRESSED:
            weakly = kind is not Kind.COMPLAINT
            kept = await suppress(
                connection, self._database, reader.email, _REASONS[kind], now, self._key, weakly=weakly
            )
            await connection.execute(
                sa.update(subscriber).where(subscriber.c.id == reader.person).values(suppressed=kept)
            )
        if state is not State.COUNTED:
            await connection.execute(
                sa.update(bounce)
                .where(
                    bounce.c.edition_id == found.edition_id,
                    bounce.c.subscription_id == reader.subscription_id,
                    bounce.c.about == found.about,
                )
                .values(state=state)
            )
        return state

    async def _attempts(self, connection: AsyncConnection, reader: _Reader, now: dt.datetime) -> Sequence[Attempt]:
        """What was sent to an address in the last weeks, and what failed of it."""
        theirs = sa.select(subscription.c.id).where(subscription.c.subscriber_id == reader.person)
        numbers = (await connection.scalars(theirs)).all()
        recent = await _recent_editions(connection, now - SOFT_WITHIN)
        since = max(now - SOFT_WITHIN, reader.freed_at or now - SOFT_WITHIN)
        failed = sa.and_(
            bounce.c.edition_id == delivery.c.edition_id,
            bounce.c.subscription_id == delivery.c.subscription_id,
            bounce.c.about == About.FAILURE,
        )
        sent = (
            sa.select(delivery.c.changed_at, bounce.c.kind)
            .select_from(delivery.outerjoin(bounce, failed))
            .where(
                delivery.c.edition_id.in_(recent),
                delivery.c.subscription_id.in_(numbers),
                delivery.c.state == DeliveryState.SENT,
                delivery.c.changed_at > since,
            )
        )
        letters = sa.select(bounce.c.at, bounce.c.kind).where(
            bounce.c.edition_id == LETTER,
            bounce.c.subscription_id.in_(numbers),
            bounce.c.about == About.FAILURE,
            bounce.c.at > since,
        )
        rows = [*await connection.execute(sent), *await connection.execute(letters)]
        return [Attempt(moment, Kind(kind) if kind else None) for moment, kind in rows]

    # --- a mass of them

    async def _masses(self, connection: AsyncConnection, found: Sequence[_Found], now: dt.datetime) -> frozenset[str]:
        """The domains whose bounces suppress nobody for now; the empty one stands for all. What they suppressed within
        a day is held as well."""
        places = {one.reader.domain for one in found}
        allowed = await _allowed(connection, places)
        since = now - MASS_WITHIN
        hard = (bounce.c.kind == Kind.HARD, bounce.c.at > since, bounce.c.state != State.SETTLED)
        query = sa.select(bounce.c.domain, sa.func.count()).where(*hard).group_by(bounce.c.domain)
        counts = {row[0]: int(row[1]) for row in await connection.execute(query)}
        masses = set(allowed)
        for place in places - allowed:
            number = counts.get(place, 0)
            if number >= MASS_OF_DOMAIN[0] and is_mass(number, await _readers_at(connection, place), MASS_OF_DOMAIN):
                masses.add(place)
        total = sum(counts.values())
        if total >= MASS_OF_DAY[0] and is_mass(total, await _sent(connection, now), MASS_OF_DAY):
            masses.add("")
        if masses:
            which = () if "" in masses else (bounce.c.domain.in_(masses),)
            await self._hold(connection, (*hard, bounce.c.state == State.SUPPRESSED, *which))
        return frozenset(masses)

    async def _hold(self, connection: AsyncConnection, which: Sequence[sa.ColumnElement[bool]]) -> None:
        numbers = (await connection.scalars(sa.select(bounce.c.subscription_id).where(*which))).all()
        if not numbers:
            return
        await connection.execute(sa.update(bounce).where(*which).values(state=State.HELD))
        people = {one.person: one.email for one in await _readers(connection, subscription.c.id.in_(numbers))}
        keys = [address_key(email, self._key) for email in people.values()]
        bounced = Suppressed.HARD_BOUNCE
        await connection.execute(
            sa.delete(suppression).where(suppression.c.address_key.in_(keys), suppression.c.reason == bounced)
        )
        await connection.execute(
            sa.update(subscriber)
            .where(subscriber.c.id.in_(people), subscriber.c.suppressed == bounced)
            .values(suppressed=None)
        )


async def _readers(connection: AsyncConnection, which: sa.ColumnElement[bool]) -> list[_Reader]:
    query = (
        sa.select(
            subscription.c.id, subscription.c.newsletter, subscriber.c.id, subscriber.c.email, subscriber.c.freed_at
        )
        .join(subscriber)
        .where(which)
        .order_by(subscription.c.id)
    )
    return [_Reader(*row) for row in await connection.execute(query)]


async def _editions(
    connection: AsyncConnection, wanted: Iterable[tuple[str, str, dt.date]]
) -> Mapping[tuple[str, str, dt.date], int]:
    found = {}
    for newsletter, kind, day in wanted:
        query = sa.select(edition.c.id).where(
            edition.c.newsletter == newsletter, edition.c.kind == kind, edition.c.day == day
        )
        number = await connection.scalar(query)
        if number is not None:
            found[newsletter, kind, day] = number
    return found


async def _recent_editions(connection: AsyncConnection, since: dt.datetime) -> Sequence[int]:
    """The editions whose deliveries may be younger than this: a reader's hour may be six days after the freezing."""
    query = sa.select(edition.c.id).where(edition.c.changed_at > since - RECENT).order_by(edition.c.id.desc())
    return (await connection.scalars(query.limit(MOST_EDITIONS))).all()


async def _last_attempted(
    connection: AsyncConnection, editions: Collection[int], numbers: Collection[int]
) -> sa.Row[Any] | None:
    query = sa.select(delivery.c.edition_id, delivery.c.subscription_id, delivery.c.changed_at).where(
        delivery.c.edition_id.in_(editions),
        delivery.c.subscription_id.in_(numbers),
        delivery.c.attempts > 0,
        delivery.c.changed_at.is_not(None),
    )
    return (await connection.execute(query.order_by(delivery.c.changed_at.desc()).limit(1))).one_or_none()


async def _readers_at(connection: AsyncConnection, place: str) -> int:
    at = subscriber.c.email_key.endswith(f"@{place}", autoescape=True)
    return await connection.scalar(sa.select(sa.func.count()).where(at)) or 0


async def _sent(connection: AsyncConnection, now: dt.datetime) -> int:
    """How many mails the editions of the last days have brought out."""
    query = sa.select(edition.c.id).where(edition.c.changed_at > now - 3 * MASS_WITHIN)
    numbers = (await connection.scalars(query)).all()
    sent = sa.select(sa.func.count()).where(delivery.c.edition_id.in_(numbers), delivery.c.state == DeliveryState.SENT)
    return await connection.scalar(sent) or 0


async def _allowed(connection: AsyncConnection, places: Collection[str]) -> set[str]:
    """Those of some domains that the operator has allowed."""
    names = set(await connection.scalars(sa.select(domain.c.name).where(domain.c.rule == ALLOWED)))
    return {place for place in places if names and not names.isdisjoint(domains_of(f"@{place}"))}
