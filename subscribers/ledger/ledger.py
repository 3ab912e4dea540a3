"""The ledger: a row for every delivery, the only judge of who was mailed. SQL about it stands in this folder alone:
`create_rows`, here with `one_reader` and `standing`, `drivers` (the changes of rows), `report` (who got what) and
`uncertain` (what waits for the operator).

A delivery is claimed with the batch that it lies in, marked as *sending* before the first byte of its message leaves,
and its outcome is recorded in a step of its own. The mark is a compare-and-swap: that, not the lease, keeps a
reader from being mailed twice. An outcome is accepted under the token of its mark alone, and rows are counted.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.editions.model import Kind
from flows.outcomes import Outcome, Verdict, anonymous
from flows.storage.database import Database, Instant, database_now, milliseconds
from subscribers.ledger.create_rows import NewRows, readers_of
from subscribers.ledger.drivers import ChangeKind, RowChange, driver
from subscribers.ledger.group_commit import Entries
from subscribers.ledger.model import Claim, Delivery
from subscribers.ledger.one_reader import OneReader, in_claim, span
from subscribers.ledger.standing import Standing
from subscribers.model import FINAL, DeliveryState
from subscribers.people.rows import DELIVERABLE, read_deliverable
from subscribers.policy import BACK_OFF, GIVE_UP, follow
from subscribers.tables import batch, delivery, subscriber, subscription

BATCH = 500
"""Readers in a batch: the unit that is claimed."""
SLICE = 50
"""Readers that are read at a time: messages that are under way do not wait for a whole batch."""
LEASE = dt.timedelta(seconds=60)
"""How long a worker owns a batch without a sign of life; every mark renews it."""
TOGETHER = dt.timedelta(minutes=15)
"""Readers whose hours lie no further apart are served in any order where not all may leave today."""
FINAL_REPLY = dt.timedelta(minutes=10)
"""How long the reply to a message may take (RFC 5321 section 4.5.3.2.6): until then *sending* is not yet uncertain."""
DOUBT = "an earlier attempt may have been taken"


class Ledger(OneReader, Standing):
    """The deliveries of all editions."""

    def __init__(
        self,
        database: Database,
        *,
        lease: dt.timedelta = LEASE,
        final_reply: dt.timedelta = FINAL_REPLY,
        size: int = BATCH,
        back_off: Sequence[dt.timedelta] = BACK_OFF,
        give_up: dt.timedelta = GIVE_UP,
        resend: bool = True,
    ) -> None:
        """`resend`: what is uncertain is sent again under the same Message-ID; else it waits for the operator."""
        self._database = database
        self.lease = lease
        self._size = size
        self._final_reply = final_reply
        self._resend = resend
        self._follow = partial(follow, back_off=back_off, give_up=give_up, resend=resend)
        self._entries = Entries(driver(database, lease))

    async def open(
        self,
        edition_id: int,
        newsletter: str,
        kind: Kind,
        day: dt.date,
        frozen_at: dt.datetime,
        *,
        at_once: bool,
        zone: str = "UTC",
    ) -> int:
        """Makes the rows for every subscription that the edition is for and that has none yet; returns how many.

        Each is due at the reader's hour after `frozen_at`, or `at_once`, which also makes due what still waits for
        its hour. `zone` is the newsletter's, for readers whose own is not known. Two that do so at a time make each
        row once.
        """
        rows = NewRows(self._database, edition_id, frozen_at, readers_of(newsletter, kind, day), zone)
        made = await rows.make_rows(self._size, at_once=at_once)
        if at_once:
            await rows.hurry()
        return made

    async def claim(self, edition_id: int, now: dt.datetime) -> Claim | None:
        """Takes a batch that has something due and that nobody owns; None if there is none at the moment."""
        free = sa.or_(batch.c.lease_until.is_(None), batch.c.lease_until < database_now())
        chosen = (
            sa.select(batch.c.id)
            .where(batch.c.edition_id == edition_id, batch.c.next_at <= now, free)
            .order_by(sa.func.coalesce(batch.c.since, batch.c.next_at), batch.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        lease = secrets.token_urlsafe(16)
        taken = sa.update(batch).where(batch.c.id == chosen).values(lease=lease, lease_until=self._until())
        async with self._database.write() as connection:
            since = sa.type_coerce(sa.func.coalesce(batch.c.since, batch.c.next_at), Instant)
            found = await connection.execute(taken.returning(batch.c.id, batch.c.lo, batch.c.hi, since.label("since")))
            row = found.one_or_none()
            if row is None:
                return None
            claim = Claim(id=row.id, edition_id=edition_id, lo=row.lo, hi=row.hi, lease=lease, since=row.since)
            await self._doubt(connection, claim, now)
        return claim

    async def _doubt(self, connection: AsyncConnection, claim: Claim, now: dt.datetime) -> None:
        """What a worker that died left as *sending* is uncertain once no reply can come any more."""
        await connection.execute(
            sa.update(delivery)
            .where(
                *in_claim(claim),
                delivery.c.state == DeliveryState.SENDING,
                delivery.c.changed_at < now - self._final_reply,
            )
            .values(
                state=DeliveryState.UNCERTAIN,
                due_at=now if self._resend else None,
                words="the sender stopped before the reply came",
            )
        )

    async def due(self, claim: Claim, now: dt.datetime, *, in_order: bool = False) -> Sequence[Delivery]:
        """What is due in a claimed batch, with each reader's subscription as it stands now: what was never attempted
        first, the rest in another order for every attempt. `in_order`: only what became due within `TOGETHER` of the
        first of it, so that nobody is served before somebody of another batch who was due before."""
        last = now if claim.since is None or not in_order else min(now, claim.since + TOGETHER)
        query = (
            sa.select(
                *(delivery.c.subscription_id, delivery.c.attempts, delivery.c.first_at, delivery.c.state),
                *(delivery.c.code, *DELIVERABLE),
            )
            .select_from(delivery)
            .outerjoin(subscription, subscription.c.id == delivery.c.subscription_id)
            .outerjoin(subscriber, subscriber.c.id == subscription.c.subscriber_id)
            .where(
                *in_claim(claim),
                delivery.c.state.in_([DeliveryState.PENDING, DeliveryState.DEFERRED, DeliveryState.UNCERTAIN]),
                sa.or_(delivery.c.due_at.is_(None), delivery.c.due_at <= last),
                # an uncertain row that nothing is due for any more waits for the operator
                sa.or_(delivery.c.state != DeliveryState.UNCERTAIN, delivery.c.due_at.is_not(None)),
            )
            .order_by(delivery.c.subscription_id)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        found: list[Delivery] = []
        for start in range(0, len(rows), SLICE):
            found += [
                Delivery(
                    claim=claim,
                    subscription_id=number,
                    attempts=attempts,
                    first_at=first_at,
                    doubtful=state == DeliveryState.UNCERTAIN,
                    asked=code is not None,
                    subscription=None if theirs[0] is None else read_deliverable(theirs),
                )
                for number, attempts, first_at, state, code, *theirs in rows[start : start + SLICE]
            ]
            await asyncio.sleep(0)
        if any(one.attempts or one.asked for one in found):
            found.sort(key=_turn)
        return found

    async def already(self, claim: Claim, editions: Collection[int]) -> Mapping[int, Collection[int]]:
        """Which of these editions the readers of a claimed batch were sent, by subscription; who got none is not
        named."""
        sent = delivery.alias()
        # from the rows of the batch: few readers of a weekly edition may lie among very many of the daily ones
        query = sa.select(sent.c.subscription_id, sent.c.edition_id).where(
            *in_claim(claim),
            delivery.c.state.not_in(FINAL),
            sent.c.subscription_id == delivery.c.subscription_id,
            sent.c.edition_id.in_(editions),
            sent.c.state == DeliveryState.SENT,
        )
        found: dict[int, set[int]] = defaultdict(set)
        async with self._database.read() as connection:
            for reader, edition in await connection.execute(query):
                found[reader].add(edition)
        return found

    def mark(self, delivery: Delivery, now: dt.datetime) -> asyncio.Future[bool]:
        """Marks a delivery as *sending*, before the content of its message leaves; what is asked for now is written
        together. One that is cancelled is not made, or taken back.

        False: leave it alone, since the batch has another owner, or since the reader's subscription has changed its
        state, settings or address, was suppressed or is gone, after the batch was read: the next look at it decides.
        """
        if delivery.subscription is None:
            return _at_once(False)
        return self._entries.enter(
            RowChange(
                ChangeKind.MARK,
                delivery.claim,
                delivery.subscription_id,
                milliseconds(now),
                before=delivery.attempts,
                token=delivery.claim.lease,
                expected=delivery.subscription.state,
                revision=delivery.subscription.revision,
                email=delivery.subscription.email,
                # what it is again where the mark is taken back
                becomes=DeliveryState.UNCERTAIN if delivery.doubtful else DeliveryState.PENDING,
                due=milliseconds(now),
                made=delivery.attempts,
                first=None if delivery.first_at is None else milliseconds(delivery.first_at),
            )
        )

    def record(
        self,
        delivery: Delivery,
        outcome: Outcome,
        now: dt.datetime,
        *,
        marked: bool = True,
        not_before: dt.datetime | None = None,
    ) -> asyncio.Future[bool]:
        """Records what an attempt came to. A late outcome is accepted on a row that was held for uncertain.

        Not `marked`: the server refused it before any of its content left. `not_before`: when it is due again at the
        earliest, where it is. False: another worker has marked the row since then, and its word counts.
        """
        first_at = delivery.first_at or now
        follows = self._follow(outcome, delivery.attempts + 1, first_at, now, doubtful=delivery.doubtful)
        unsent = outcome.verdict is Verdict.UNSENT  # and so it was no attempt
        if unsent and not marked and outcome.code is None:
            return _at_once(True)
        first = delivery.first_at if unsent else first_at
        retry_at = follows.retry_at
        if retry_at is not None and not_before is not None:
            retry_at = max(retry_at, not_before)
        # who reads that the server refused it has to know that the reader may have it all the same
        doubt = f"{DOUBT}: " if delivery.doubtful and follows.state is DeliveryState.REJECTED else ""
        return self._entries.enter(
            RowChange(
                ChangeKind.RECORD if marked else ChangeKind.REFUSE,
                delivery.claim,
                delivery.subscription_id,
                milliseconds(now),
                before=delivery.attempts,
                token=delivery.claim.lease,
                becomes=follows.state,
                due=None if retry_at is None else milliseconds(retry_at),
                made=delivery.attempts if unsent else delivery.attempts + 1,
                first=None if first is None else milliseconds(first),
                code=outcome.code,
                words=doubt + anonymous(outcome.text),
            )
        )

    def is_given_up(self, delivery: Delivery, outcome: Outcome, now: dt.datetime) -> bool:
        """Whether a delivery that is put off by this is tried no more, and surely was not taken before."""
        follows = self._follow(
            outcome, delivery.attempts + 1, delivery.first_at or now, now, doubtful=delivery.doubtful
        )
        return outcome.verdict is Verdict.DEFERRED and follows.state is DeliveryState.REJECTED

    def skip(self, delivery: Delivery, reason: str, now: dt.datetime) -> asyncio.Future[bool]:
        """Ends a delivery without a mail, for a reason in words; False: it is not ours any more. One that is doubtful
        stays uncertain, for the operator: its reader may have had the mail."""
        return self._entries.enter(
            RowChange(
                ChangeKind.REFUSE if delivery.doubtful else ChangeKind.SKIP,
                delivery.claim,
                delivery.subscription_id,
                milliseconds(now),
                before=delivery.attempts,
                token=delivery.claim.lease,
                becomes=DeliveryState.UNCERTAIN,
                made=delivery.attempts,
                first=None if delivery.first_at is None else milliseconds(delivery.first_at),
                words=anonymous(f"{DOUBT}: {reason}" if delivery.doubtful else reason),
            )
        )

    def put_off(self, delivery: Delivery, due_at: dt.datetime, now: dt.datetime) -> asyncio.Future[bool]:
        """Gives a delivery back that nobody was asked about: it is due then, and otherwise as it was."""
        return self._entries.enter(
            RowChange(
                ChangeKind.PUT_OFF,
                delivery.claim,
                delivery.subscription_id,
                milliseconds(now),
                before=delivery.attempts,
                token=delivery.claim.lease,
                due=milliseconds(due_at),
            )
        )

    def tell(self, say: Callable[[str], None]) -> None:
        """Who is told when the database is away, and when it is back: changes wait for it."""
        self._entries.say = say

    async def refused_in_a_row(self, subscription_id: int, edition_ids: Sequence[int], number: int) -> bool:
        """Whether a reader was refused in the last so many of these editions that were for them."""
        query = (
            sa.select(delivery.c.state, delivery.c.code)
            .where(delivery.c.edition_id.in_(edition_ids), delivery.c.subscription_id == subscription_id)
            .order_by(delivery.c.edition_id.desc())
            .limit(number)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        refused = [row.state == DeliveryState.REJECTED and (row.code or 0) >= 500 for row in rows]
        return len(refused) == number and all(refused)

    @property
    def away(self) -> bool:
        """Whether the database could not be written at the last attempt."""
        return self._entries.away

    async def caught_up(self) -> None:
        """Waits until what could not be written while the database was away has been: only then can be seen what is
        left to do."""
        while self._entries.away:
            await self._entries.settled()

    async def settled(self) -> None:
        """Waits for what is being written: an outcome that nobody waits for any more must not be lost with the
        process."""
        await self._entries.settled()

    async def renew(self, claim: Claim) -> bool:
        """Keeps a batch for another lease; every mark does so too. False: it has another owner."""
        async with self._database.write() as connection:
            return await self._renew(connection, claim)

    async def release(self, claim: Claim, now: dt.datetime, *, not_before: dt.datetime | None = None) -> None:
        """Gives a batch back, with the time at which its next delivery is due, `not_before` where nothing may leave
        until then."""
        answered = sa.type_coerce(delivery.c.changed_at, sa.BigInteger) + span(self._final_reply)
        # what is due at once is so since the batch was
        at_once = milliseconds(claim.since if claim.since is not None and not_before is not None else now)
        due_at = sa.func.coalesce(sa.type_coerce(delivery.c.due_at, sa.BigInteger), at_once)
        waits = sa.case((delivery.c.state == DeliveryState.SENDING, answered), else_=due_at)
        held = sa.and_(delivery.c.state == DeliveryState.UNCERTAIN, delivery.c.due_at.is_(None))
        first = sa.select(sa.func.min(waits)).where(*in_claim(claim), delivery.c.state.not_in(FINAL), ~held)
        soonest = first.scalar_subquery()
        changed: dict[str, Any] = {"next_at": soonest, "since": None}
        if not_before is not None:
            opens = sa.literal(milliseconds(not_before), sa.BigInteger)
            changed = {"next_at": sa.case((soonest < opens, opens), else_=soonest), "since": soonest}
        async with self._database.write() as connection:
            # locked first, so that the times are read after whatever was recorded meanwhile
            await connection.execute(sa.select(batch.c.id).where(batch.c.id == claim.id).with_for_update())
            await connection.execute(
                sa.update(batch)
                .where(batch.c.id == claim.id, batch.c.lease == claim.lease)
                .values(**changed, lease=None, lease_until=None)
            )

    async def postpone(self, edition_id: int, until: dt.datetime) -> None:
        """Makes nothing of an edition due before then that nobody works; who was due first stays the first."""
        free = sa.or_(batch.c.lease_until.is_(None), batch.c.lease_until < database_now())
        mine = (batch.c.edition_id == edition_id, batch.c.next_at < until, free)
        since = sa.func.coalesce(batch.c.since, batch.c.next_at)
        async with self._database.write() as connection:
            await connection.execute(sa.update(batch).where(*mine).values(next_at=until, since=since))

    async def _renew(self, connection: AsyncConnection, claim: Claim) -> bool:
        renewed = await connection.execute(
            sa.update(batch)
            .where(batch.c.id == claim.id, batch.c.lease == claim.lease)
            .values(lease_until=self._until())
        )
        return renewed.rowcount == 1


def _turn(one: Delivery) -> tuple[bool, int]:
    # what stopped a run comes after all others; of those that a server puts off because they come too fast, not always
    # the same are the last
    tried = one.attempts > 0 or one.asked
    return tried, tried and hash((one.attempts, one.subscription_id))


def _at_once(answer: bool) -> asyncio.Future[bool]:
    answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    answered.set_result(answer)
    return answered
