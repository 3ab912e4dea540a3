"""The outbox: what is mailed to one reader alone. A letter is put in by the transaction that causes it, claimed by
whoever sends it, and its outcome is recorded in a step of its own, so that nothing is lost when a process dies.

It is claimed with a lease. Where that runs out, the letter is taken again under the same Message-ID, which its number
makes: better seen twice by a mailbox that ignores it than lost.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.outcomes import Outcome, anonymous
from flows.storage.database import Database, Instant, database_now, milliseconds
from subscribers.model import DeliveryState, Letter, Subscription
from subscribers.people.rows import OF_SUBSCRIBER, read_subscription
from subscribers.policy import follow, unwanted
from subscribers.tables import address_change, outbox, subscriber, subscription

LEASE = dt.timedelta(minutes=1)
"""How long a letter is its sender's without a sign of life: a reader waits for what a dead process left."""
UNSENT_AGAIN = dt.timedelta(seconds=5)
"""The wait after an attempt at which the mail server was not asked about this reader."""
GAP: Mapping[Letter, dt.timedelta] = {
    Letter.CONFIRM: dt.timedelta(hours=1),
    Letter.KNOWN: dt.timedelta(hours=1),
    Letter.LINK: dt.timedelta(hours=1),
    Letter.PRIVATE: dt.timedelta(minutes=5),
}
"""What anybody can ask for is sent at most once in this time: a second one waits, and there is never a third."""
LIFE: Mapping[Letter, dt.timedelta] = {
    Letter.CONFIRM: dt.timedelta(days=7),
    Letter.KNOWN: dt.timedelta(days=1),
    Letter.WELCOME: dt.timedelta(days=2),
    Letter.LINK: dt.timedelta(days=1),
    Letter.PRIVATE: dt.timedelta(hours=6),
    Letter.ADDRESS: dt.timedelta(days=7),
    Letter.MOVED: dt.timedelta(days=7),
}
"""After this time nobody waits for it any more, and it is dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxLetter:
    """A letter that this worker owns for now."""

    id: int
    kind: Letter
    subscription: Subscription
    to: str
    """The address that it goes to: the reader's, their new one (ADDRESS) or their former one (MOVED)."""
    address_change_id: int | None
    attempts: int
    """How many were made before."""
    first_at: dt.datetime | None
    created_at: dt.datetime
    lease: str

    @property
    def address(self) -> str:
        return self.to


async def put(
    connection: AsyncConnection,
    kind: Letter,
    subscription_id: int,
    now: dt.datetime,
    address_change_id: int | None = None,
    not_before: dt.datetime | None = None,
) -> None:
    """Puts a letter in, in the caller's transaction. It leaves at once, or at `not_before`.

    What anybody can ask for waits until its GAP after the one before; while one waits there is no other. Confirmations
    are counted over all newsletters, since a stranger's address is what they go to.
    """
    due_at = not_before or now
    if gap := GAP.get(kind):
        theirs: sa.ColumnElement[bool] = outbox.c.subscription_id == subscription_id
        waiting = sa.select(outbox.c.id).where(theirs, outbox.c.kind == kind, outbox.c.due_at.is_not(None))
        if await connection.scalar(waiting.limit(1)) is not None:
            return
        if kind is Letter.CONFIRM:
            person = sa.select(subscription.c.subscriber_id).where(subscription.c.id == subscription_id)
            same = sa.select(subscription.c.id).where(subscription.c.subscriber_id == person.scalar_subquery())
            theirs = outbox.c.subscription_id.in_(same)
        sent_at = sa.func.max(sa.func.coalesce(outbox.c.due_at, outbox.c.changed_at, outbox.c.created_at))
        last = await connection.scalar(
            sa.select(sa.type_coerce(sent_at, Instant)).where(
                theirs, outbox.c.kind == kind, outbox.c.state != DeliveryState.SKIPPED
            )
        )
        if last is not None:
            due_at = max(due_at, last + gap)
    await connection.execute(
        sa.insert(outbox).values(
            kind=kind,
            subscription_id=subscription_id,
            address_change_id=address_change_id,
            state=DeliveryState.PENDING,
            attempts=0,
            created_at=now,
            due_at=due_at,
            words="",
        )
    )


class Outbox:
    """The letters that wait to be sent."""

    def __init__(self, database: Database, lease: dt.timedelta = LEASE) -> None:
        self._database = database
        self.lease = lease

    async def claim(self, now: dt.datetime) -> OutboxLetter | None:
        """Takes the letter that has waited longest and that nobody owns; None if none is due. One that its reader
        has no use for any more is dropped on the way, with the reason."""
        while True:
            async with self._database.write() as connection:
                row = await self._next(connection, now)
                if row is None:
                    return None
                item = _item(row)
                reason = _stale(item, now) or unwanted(item.kind, item.subscription) or _idle(item.kind, row)
                if reason:
                    await self._end(connection, outbox.c.id == item.id, reason, now)
                    continue
                taken = sa.update(outbox).where(outbox.c.id == item.id)
                await connection.execute(
                    taken.values(
                        state=DeliveryState.SENDING,
                        attempts=outbox.c.attempts + 1,
                        first_at=sa.func.coalesce(outbox.c.first_at, sa.literal(now, Instant)),
                        changed_at=now,
                        lease=item.lease,
                        lease_until=self._until(),
                    )
                )
                return item

    async def _next(self, connection: AsyncConnection, now: dt.datetime) -> sa.Row[Any] | None:
        free = sa.or_(outbox.c.lease_until.is_(None), outbox.c.lease_until < database_now())
        chosen = (
            sa.select(outbox.c.id)
            .where(outbox.c.due_at <= now, free)
            .order_by(outbox.c.due_at, outbox.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        identity = await connection.scalar(chosen)
        if identity is None:
            return None
        of_letter = [outbox.c[name].label(f"letter_{name}") for name in _OF_LETTER]
        of_change = [address_change.c.email.label("new_address"), address_change.c.former.label("former_address")]
        whole = (
            sa.select(subscription, *OF_SUBSCRIBER, *of_letter, *of_change)
            .select_from(outbox)
            .join(subscription, subscription.c.id == outbox.c.subscription_id)
            .join(subscriber, subscriber.c.id == subscription.c.subscriber_id)
            .outerjoin(address_change, address_change.c.id == outbox.c.address_change_id)
            .where(outbox.c.id == identity)
        )
        return (await connection.execute(whole)).one_or_none()

    async def record(self, item: OutboxLetter, outcome: Outcome, now: dt.datetime) -> bool:
        """Records what an attempt came to, also after the lease has run out. False: another worker has taken the
        letter since then, and its word counts."""
        follows = follow(outcome, item.attempts + 1, item.first_at or now, now)
        if follows.state is DeliveryState.PENDING:  # it was no attempt
            return await self._put_back(item, now + UNSENT_AGAIN, now, code=outcome.code, words=anonymous(outcome.text))
        async with self._database.write() as connection:
            changed = await connection.execute(
                _mine(item).values(
                    state=follows.state,
                    due_at=follows.retry_at,
                    changed_at=now,
                    lease_until=None,
                    code=outcome.code,
                    words=anonymous(outcome.text),
                )
            )
        return changed.rowcount == 1

    async def renew(self, item: OutboxLetter) -> bool:
        """Keeps a letter for another lease. False: it has another owner, or its outcome is recorded."""
        async with self._database.write() as connection:
            renewed = await connection.execute(_mine(item).values(lease_until=self._until()))
        return renewed.rowcount == 1

    async def release(self, item: OutboxLetter, now: dt.datetime) -> None:
        """Gives a letter back untouched: it is due again."""
        await self._put_back(item, now, now)

    async def postpone(self, item: OutboxLetter, due_at: dt.datetime, now: dt.datetime) -> None:
        """Gives a letter back untouched, to be looked at again then."""
        await self._put_back(item, due_at, now)

    async def drop(self, item: OutboxLetter, reason: str, now: dt.datetime) -> None:
        """Ends a letter without a mail, for a reason in words."""
        async with self._database.write() as connection:
            await self._end(connection, sa.and_(outbox.c.id == item.id, outbox.c.lease == item.lease), reason, now)

    async def next_due(self, now: dt.datetime) -> dt.datetime | None:
        """When the next letter is due, or a lease on one ends; None: all are final."""
        # a lease ends by the database's clock, everything else is due by ours
        free = outbox.c.lease_until - database_now() + milliseconds(now)
        due_at = sa.type_coerce(outbox.c.due_at, sa.BigInteger)
        later = sa.case((free > due_at, free), else_=due_at)
        async with self._database.read() as connection:
            moment: dt.datetime | None = await connection.scalar(
                sa.select(sa.type_coerce(sa.func.min(later), Instant)).where(outbox.c.due_at.is_not(None))
            )
        return moment

    def _until(self) -> sa.ColumnElement[int]:
        return database_now() + round(self.lease / dt.timedelta(milliseconds=1))

    async def _put_back(self, item: OutboxLetter, due_at: dt.datetime, now: dt.datetime, **more: Any) -> bool:
        state = DeliveryState.DEFERRED if item.attempts else DeliveryState.PENDING
        async with self._database.write() as connection:
            changed = await connection.execute(
                _mine(item).values(
                    state=state,
                    due_at=due_at,
                    attempts=item.attempts,
                    first_at=item.first_at,
                    changed_at=now,
                    lease_until=None,
                    **more,
                )
            )
        return changed.rowcount == 1

    async def _end(
        self, connection: AsyncConnection, which: sa.ColumnElement[bool], reason: str, now: dt.datetime
    ) -> None:
        await connection.execute(
            sa.update(outbox)
            .where(which)
            .values(state=DeliveryState.SKIPPED, due_at=None, changed_at=now, lease_until=None, words=reason)
        )


_OF_LETTER = ("id", "kind", "address_change_id", "attempts", "first_at", "created_at")


def _item(row: sa.Row[Any]) -> OutboxLetter:
    kind = Letter(row.letter_kind)
    to = {Letter.ADDRESS: row.new_address, Letter.MOVED: row.former_address}.get(kind, row.email)
    return OutboxLetter(
        id=row.letter_id,
        kind=kind,
        subscription=read_subscription(row),
        to=to or "",
        address_change_id=row.letter_address_change_id,
        attempts=row.letter_attempts,
        first_at=row.letter_first_at,
        created_at=row.letter_created_at,
        lease=secrets.token_urlsafe(16),
    )


def _stale(item: OutboxLetter, now: dt.datetime) -> str:
    return "it waited too long" if now - item.created_at > LIFE[item.kind] else ""


def _idle(kind: Letter, row: sa.Row[Any]) -> str:
    """Why a letter about a change of address has no use any more; empty: it has."""
    if kind is Letter.ADDRESS and (not row.new_address or row.former_address is not None):
        return "the change of address is done or was given up"
    if kind is Letter.MOVED and row.former_address is None:
        return "the former address is not kept any more"
    return ""


def _mine(item: OutboxLetter) -> sa.Update:
    return sa.update(outbox).where(
        outbox.c.id == item.id, outbox.c.lease == item.lease, outbox.c.state == DeliveryState.SENDING
    )
