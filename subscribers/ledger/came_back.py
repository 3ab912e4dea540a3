"""What came back of deliveries: each report is written down once, and does to its address what `bounces` says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.causes import Cause
from flows.storage.database import Database
from subscribers.bounces import AT_ONCE, SOFT_WITHIN, About, Attempt, Kind, Said, State, follows, stronger
from subscribers.ledger.masses import find_masses
from subscribers.ledger.whose_delivery import LETTER, Found, Reader, find, readers, recent_editions
from subscribers.model import DeliveryState, Suppressed
from subscribers.people.changes import end
from subscribers.people.suppressions import suppress
from subscribers.tables import bounce, delivery, hook_call, subscriber, subscription
from subscribers.tokens import keyed

_REASONS = {
    Kind.HARD: Suppressed.HARD_BOUNCE,
    Kind.SOFT: Suppressed.SOFT_BOUNCES,
    Kind.COMPLAINT: Suppressed.COMPLAINT,
}


REMEMBERED = dt.timedelta(days=7)
"""How long it is known that a provider's call was heard: longer than an old one is believed."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a report came to. Not `fresh`: the same was heard before, and nothing was done."""

    kind: Kind
    state: State
    fresh: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    heard: Sequence[Heard | None] = ()
    """For each report what it came to; None: it is about nobody's mail that we know."""
    held_back: int = 0
    """Readers whom earlier bounces had suppressed, and who are held with the others now: they are very many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What a mail server said of an address for good, when a mail was offered to it."""

    edition_id: int
    subscription_id: int
    address: str
    cause: Cause
    """Another than DEAD: it has said so in many editions in a row."""
    code: int | None
    status: str | None
    words: str

    @property
    def reason(self) -> Suppressed:
        return _reason(Kind.HARD, self.cause)

    def of(self, reader: Reader, now: dt.datetime) -> Found:
        said = Said(cause=self.cause, code=self.code, status=self.status, words=self.words, source=AT_ONCE)
        return Found(said, reader, self.edition_id, now, Kind.HARD)


class Replayed(Exception):  # noqa: N818
    """A provider's call was heard before."""


class CameBack:
    """The bounces and complaints of all deliveries."""

    def __init__(self, database: Database, hashing_key: bytes) -> None:
        self._database = database
        self._key = hashing_key

    async def record(
        self, said: Sequence[Said], now: dt.datetime, *, leaving: Sequence[Said] = (), call: str = ""
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
            fresh = {id(one) for one in known if await self._keep(connection, one, now)}
            masses, held_back = await find_masses(connection, {one.reader.domain for one in known}, self._key, now)
            recent = await recent_editions(connection, now - SOFT_WITHIN)
            heard: dict[int, Heard] = {}
            for one in known:
                mass = "" in masses or one.reader.domain in masses
                is_fresh = id(one) in fresh
                state = await self._act(connection, one, recent, now, mass=mass) if is_fresh else State.COUNTED
                heard[id(one)] = Heard(one.kind, state, is_fresh)
            return Recorded([heard.get(id(one)) for one in found], held_back)

    async def refused(self, refusals: Sequence[Refused], now: dt.datetime) -> int:
        """Suppresses the addresses that a mail server refuses for good, or holds them where they are very many at once;
        returns how many are held by this, whom earlier refusals had suppressed among them.

        The same again changes nothing, but for who has been freed since then.
        """
        async with self._database.write() as connection:
            numbers = [one.subscription_id for one in refusals]
            known = {one.subscription_id: one for one in await readers(connection, subscription.c.id.in_(numbers))}
            new: list[Found] = []
            for one in sorted(refusals, key=lambda refusal: refusal.subscription_id):
                reader = known.get(one.subscription_id)
                if reader is None or reader.email.lower() != one.address.lower():
                    # it is another's by now, or nobody's: what was refused is the address
                    await suppress(connection, self._database, one.address, one.reason, now, self._key, weakly=True)
                    continue
                found = one.of(reader, now)
                if await self._keep(connection, found, now) or await self._anew(connection, found, now):
                    new.append(found)
            masses, held = await find_masses(connection, {one.reader.domain for one in new}, self._key, now)
            for found in new:
                mass = "" in masses or found.reader.domain in masses
                held += await self._act(connection, found, (), now, mass=mass) is State.HELD
            return held

    async def _anew(self, connection: AsyncConnection, found: Found, now: dt.datetime) -> bool:
        """Writes down once more what was settled, of an address that was freed and refused again; False: it was not."""
        settled = sa.update(bounce).where(*_row(found), bounce.c.state == State.SETTLED)
        values = {"kind": found.kind, "state": State.COUNTED, "words": found.said.words, "at": now, "sent_at": now}
        return (await connection.execute(settled.values(values))).rowcount == 1

    async def _hear(self, connection: AsyncConnection, call: str, now: dt.datetime) -> None:
        row = self._database.insert(hook_call).values(key=keyed("hook", call, self._key), at=now)
        if (await connection.execute(row.on_conflict_do_nothing())).rowcount != 1:
            raise Replayed

    async def _end(self, connection: AsyncConnection, said: Said, now: dt.datetime) -> None:
        theirs = subscriber.c.email_key == said.address.lower()
        if said.subscription_id is not None:
            theirs = subscription.c.id == said.subscription_id
        for one in await readers(connection, theirs):
            await end(connection, one.subscription_id, now)

    async def forget_calls(self, now: dt.datetime) -> None:
        """Forgets the calls that would be refused for their age."""
        async with self._database.write() as connection:
            await connection.execute(sa.delete(hook_call).where(hook_call.c.at < now - REMEMBERED))

    async def _keep(self, connection: AsyncConnection, found: Found, now: dt.datetime) -> bool:
        """Writes it down; False: as much was known."""
        said, reader = found.said, found.reader
        values = {
            "kind": found.kind,
            "cause": said.cause,
            "state": State.COUNTED,
            "code": said.code,
            "status": said.status,
            "words": said.words,
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
        if found.about is About.COMPLAINT or not (sent_since or stronger(found.kind, Kind(before.kind))):
            return False
        await connection.execute(sa.update(bounce).where(*mine).values(values))
        return True

    async def _act(
        self, connection: AsyncConnection, found: Found, recent: Collection[int], now: dt.datetime, *, mass: bool
    ) -> State:
        reader, kind = found.reader, found.kind
        attempts = await self._attempts(connection, reader, recent, now) if kind is Kind.SOFT else ()
        state = follows(kind, attempts, now, mass=mass, freed=found.freed)
        if kind is Kind.COMPLAINT:
            await end(connection, reader.subscription_id, now)
        if state is State.SUPPRESSED:
            # no bounce takes the place of what a person has said
            weakly = kind is not Kind.COMPLAINT
            reason = _reason(kind, found.said.cause)
            kept = await suppress(connection, self._database, reader.email, reason, now, self._key, weakly=weakly)
            theirs = sa.update(subscriber).where(subscriber.c.id == reader.person)
            await connection.execute(theirs.values(suppressed=kept))
        if state is not State.COUNTED:
            await connection.execute(sa.update(bounce).where(*_row(found)).values(state=state))
        return state

    async def _attempts(
        self, connection: AsyncConnection, reader: Reader, recent: Collection[int], now: dt.datetime
    ) -> Sequence[Attempt]:
        """What was sent to an address in the last weeks, and what failed of it."""
        theirs = sa.select(subscription.c.id).where(subscription.c.subscriber_id == reader.person)
        numbers = (await connection.scalars(theirs)).all()
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


def _reason(kind: Kind, cause: str) -> Suppressed:
    # without being told that there is no such address, it is the server's saying so again and again
    return Suppressed.REFUSED if kind is Kind.HARD and cause != Cause.DEAD else _REASONS[kind]


def _order(found: Found) -> tuple[int, int, int]:
    return found.reader.person, found.reader.subscription_id, found.edition_id


def _key(found: Found) -> dict[str, Any]:
    return {
        "edition_id": found.edition_id,
        "subscription_id": found.reader.subscription_id,
        "about": found.about,
    }


def _row(found: Found) -> Sequence[sa.ColumnElement[bool]]:
    return [bounce.c[name] == value for name, value in _key(found).items()]
