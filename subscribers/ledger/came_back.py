"""What came back of deliveries: each report is written down once, and does to its address what `bounces` says."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.causes import Cause
from flows.outcomes import anonymous
from flows.storage.database import Database
from subscribers.bounces import (
    AT_ONCE,
    SOFT_WITHIN,
    About,
    Attempt,
    BounceKind,
    BounceState,
    ReportedMail,
    follows,
    kind_of,
    stronger,
)
from subscribers.ledger.masses import find_masses
from subscribers.ledger.whose_delivery import LETTER, FoundDelivery, FoundReader, find, readers, recent_editions
from subscribers.model import DeliveryState, Suppressed
from subscribers.people.changes import end
from subscribers.people.suppressions import suppress
from subscribers.tables import bounce, delivery, hook_call, subscriber, subscription
from subscribers.tokens import keyed

_REASONS = {
    BounceKind.HARD: Suppressed.HARD_BOUNCE,
    BounceKind.SOFT: Suppressed.SOFT_BOUNCES,
    BounceKind.COMPLAINT: Suppressed.COMPLAINT,
}


REMEMBERED = dt.timedelta(days=7)
"""How long it is known that a provider's call was heard: longer than an old one is believed."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a report came to. Not `fresh`: the same was heard before, and nothing was done."""

    kind: BounceKind
    state: BounceState
    fresh: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    heard: Sequence[Heard | None] = ()
    """For each report what it came to; None: it is about nobody's mail that we know."""
    held_back: int = 0
    """Readers whom earlier bounces had suppressed, and who are held with the others now: they are very many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What a mail server said of an address when a mail was offered to it: for good, or until it was given up."""

    edition_id: int
    subscription_id: int
    address: str
    cause: Cause
    """Another than DEAD: it has said so in many editions in a row, or only put the mail off."""
    code: int | None
    status: str | None
    words: str
    put_off: bool = False
    """It was put off until it was given up: a soft bounce."""

    @property
    def reason(self) -> Suppressed:
        return _reason(BounceKind.HARD, self.cause)

    def of(self, reader: FoundReader, now: dt.datetime) -> FoundDelivery:
        said = ReportedMail(cause=self.cause, code=self.code, status=self.status, words=self.words, source=AT_ONCE)
        kind = kind_of(said, proven=False) if self.put_off else BounceKind.HARD
        return FoundDelivery(said, reader, self.edition_id, now, kind)


class Replayed(Exception):  # noqa: N818
    """A provider's call was heard before."""


class CameBack:
    """The bounces and complaints of all deliveries."""

    def __init__(self, database: Database, hashing_key: bytes) -> None:
        self._database = database
        self._key = hashing_key

    async def record(
        self, said: Sequence[ReportedMail], now: dt.datetime, *, leaving: Sequence[ReportedMail] = (), call: str = ""
    ) -> Recorded:
        """Writes down what reports say, in one transaction.

        The same again changes nothing. `leaving` name readers who have unsubscribed. `call` is what makes a provider's
        call unique: raises Replayed where it was heard before.
        """
        if not (said or leaving or call):
            return Recorded()
        async with self._database.write() as connection:
            if call:
                await self._hear(connection, call, now)
            for leaver in leaving:
                await self._end(connection, leaver, now)
            found = await find(connection, said, now)
            # in one order for all processes: none waits for another that waits for it
            known = sorted((one for one in found if one is not None), key=_order)
            fresh = [one for one in known if await self._keep(connection, one, now)]
            states, held_back = await self._act(connection, known, fresh, now)
            heard = {
                id(one): Heard(one.kind, states.get(id(one), BounceState.COUNTED), id(one) in states) for one in known
            }
            return Recorded([heard.get(id(one)) for one in found], held_back)

    async def refused(self, refusals: Sequence[Refused], now: dt.datetime) -> int:
        """Suppresses the addresses that a mail server refuses for good, or holds them where they are very many at once,
        and counts those that it put off until they were given up as a soft bounce does; returns how many are held by
        this, whom earlier refusals had suppressed among them.

        The same again changes nothing, but for who has been freed since then.
        """
        async with self._database.write() as connection:
            numbers = [one.subscription_id for one in refusals]
            known = {one.subscription_id: one for one in await readers(connection, subscription.c.id.in_(numbers))}
            new: list[FoundDelivery] = []
            for one in sorted(refusals, key=lambda refusal: refusal.subscription_id):
                reader = known.get(one.subscription_id)
                if reader is None or reader.email.lower() != one.address.lower():
                    # it is another's by now, or nobody's: what was refused is the address
                    if not one.put_off:
                        await suppress(connection, self._database, one.address, one.reason, now, self._key, weakly=True)
                    continue
                found = one.of(reader, now)
                if await self._keep(connection, found, now) or await self._anew(connection, found, now):
                    new.append(found)
            states, held = await self._act(connection, new, new, now)
            return held + sum(state is BounceState.HELD for state in states.values())

    async def _anew(self, connection: AsyncConnection, found: FoundDelivery, now: dt.datetime) -> bool:
        """Writes down once more what was settled, of an address that was freed and refused again; False: it was not."""
        settled = sa.update(bounce).where(*_row(found), bounce.c.state == BounceState.SETTLED)
        values = {
            "kind": found.kind,
            "state": BounceState.COUNTED,
            "words": anonymous(found.said.words),
            "at": now,
            "sent_at": now,
        }
        return (await connection.execute(settled.values(values))).rowcount == 1

    async def _hear(self, connection: AsyncConnection, call: str, now: dt.datetime) -> None:
        row = self._database.insert(hook_call).values(key=keyed("hook", call, self._key), at=now)
        if (await connection.execute(row.on_conflict_do_nothing())).rowcount != 1:
            raise Replayed

    async def _end(self, connection: AsyncConnection, said: ReportedMail, now: dt.datetime) -> None:
        theirs = subscriber.c.email_key == said.address.lower()
        if said.subscription_id is not None:
            theirs = subscription.c.id == said.subscription_id
        for one in await readers(connection, theirs):
            await end(connection, one.subscription_id, now)

    async def forget_calls(self, now: dt.datetime) -> None:
        """Forgets the calls that would be refused for their age."""
        async with self._database.write() as connection:
            await connection.execute(sa.delete(hook_call).where(hook_call.c.at < now - REMEMBERED))

    async def _keep(self, connection: AsyncConnection, found: FoundDelivery, now: dt.datetime) -> bool:
        """Writes it down; False: as much was known."""
        said, reader = found.said, found.reader
        values = {
            "kind": found.kind,
            "cause": said.cause,
            "state": BounceState.COUNTED,
            "code": said.code,
            "status": said.status,
            "words": anonymous(said.words),
            "source": said.source,
            "at": now,
        }
        of = {"newsletter": reader.newsletter, "domain": reader.domain, "sent_at": found.sent_at}
        row = self._database.insert(bounce).values(**_key(found), **values, **of).on_conflict_do_nothing()
        if (await connection.execute(row)).rowcount == 1:
            return True
        mine = _row(found)
        query = sa.select(bounce.c.kind, bounce.c.source).where(*mine).with_for_update()
        before = (await connection.execute(query)).one()
        # what was refused at once and comes back has been sent since
        sent_since = before.source == AT_ONCE and said.source != AT_ONCE
        if found.about is About.COMPLAINT or not (sent_since or stronger(found.kind, BounceKind(before.kind))):
            return False
        await connection.execute(sa.update(bounce).where(*mine).values(values))
        return True

    async def _act(
        self,
        connection: AsyncConnection,
        known: Sequence[FoundDelivery],
        fresh: Sequence[FoundDelivery],
        now: dt.datetime,
    ) -> tuple[Mapping[int, BounceState], int]:
        """Does what follows from what is new of all that is known: what that was, by the `id` of each, and how many
        readers are held whom earlier bounces had suppressed."""
        recent = await recent_editions(connection, now - SOFT_WITHIN)
        attempts = {
            id(one): await self._attempts(connection, one.reader, recent, now) if one.kind is BounceKind.SOFT else ()
            for one in fresh
        }
        falling = Counter(
            one.reader.domain
            for one in fresh
            if one.kind is BounceKind.SOFT
            and follows(one.kind, attempts[id(one)], now, freed=one.freed) is BounceState.SUPPRESSED
        )
        places = {one.reader.domain for one in known}
        masses, held_back = await find_masses(connection, places, self._key, now, falling)
        states: dict[int, BounceState] = {}
        for one in fresh:
            mass = "" in masses or one.reader.domain in masses
            states[id(one)] = follows(one.kind, attempts[id(one)], now, mass=mass, freed=one.freed)
            await self._come_to(connection, one, states[id(one)], now)
        return states, held_back

    async def _come_to(
        self, connection: AsyncConnection, found: FoundDelivery, state: BounceState, now: dt.datetime
    ) -> None:
        reader, kind = found.reader, found.kind
        if kind is BounceKind.COMPLAINT:
            await end(connection, reader.subscription_id, now)
        if state is BounceState.SUPPRESSED:
            # no bounce takes the place of what a person has said
            weakly = kind is not BounceKind.COMPLAINT
            reason = _reason(kind, found.said.cause)
            kept = await suppress(connection, self._database, reader.email, reason, now, self._key, weakly=weakly)
            theirs = sa.update(subscriber).where(subscriber.c.id == reader.person)
            await connection.execute(theirs.values(suppressed=kept))
        if state is not BounceState.COUNTED:
            await connection.execute(sa.update(bounce).where(*_row(found)).values(state=state))

    async def _attempts(
        self, connection: AsyncConnection, reader: FoundReader, recent: Collection[int], now: dt.datetime
    ) -> Sequence[Attempt]:
        """What was sent to an address in the last weeks, and what failed of it."""
        theirs = sa.select(subscription.c.id).where(subscription.c.subscriber_id == reader.person)
        numbers = (await connection.scalars(theirs)).all()
        since = max(now - SOFT_WITHIN, reader.freed_at or now - SOFT_WITHIN)
        failed = sa.and_(
            bounce.c.edition_id == delivery.c.edition_id,
            bounce.c.subscription_id == delivery.c.subscription_id,
            bounce.c.about == About.FAILURE,
            # what was refused when it was offered, and sent again since, has not failed
            sa.or_(bounce.c.source != AT_ONCE, delivery.c.state != DeliveryState.SENT),
        )
        sent = (
            sa.select(delivery.c.changed_at, bounce.c.kind)
            .select_from(delivery.outerjoin(bounce, failed))
            .where(
                delivery.c.edition_id.in_(recent),
                delivery.c.subscription_id.in_(numbers),
                sa.or_(delivery.c.state == DeliveryState.SENT, bounce.c.kind.is_not(None)),
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
        return [Attempt(moment, BounceKind(kind) if kind else None) for moment, kind in rows]


def _reason(kind: BounceKind, cause: str) -> Suppressed:
    # without being told that there is no such address, it is the server's saying so again and again
    return Suppressed.REFUSED if kind is BounceKind.HARD and cause != Cause.DEAD else _REASONS[kind]


def _order(found: FoundDelivery) -> tuple[int, int, int]:
    return found.reader.person, found.reader.subscription_id, found.edition_id


def _key(found: FoundDelivery) -> dict[str, Any]:
    return {
        "edition_id": found.edition_id,
        "subscription_id": found.reader.subscription_id,
        "about": found.about,
    }


def _row(found: FoundDelivery) -> Sequence[sa.ColumnElement[bool]]:
    return [bounce.c[name] == value for name, value in _key(found).items()]
