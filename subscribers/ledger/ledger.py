"""The ledger: a row for every delivery, the only judge of who was mailed. SQL about it stands here, in `opening` (the
rows), `entries` (their changes), `report` (who got what) and `held` (what waits for the operator) alone.

A delivery is claimed with the batch that it lies in, marked as *sending* before the first byte of its message leaves,
and its outcome is recorded in a step of its own. The mark is a compare-and-swap: that, not the lease, keeps a
reader from being mailed twice. An outcome is accepted under the token of its mark alone, and rows are counted.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import partial

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.editions.model import Kind
from flows.outcomes import Outcome, Verdict
from flows.storage.database import Database, Instant, database_now, milliseconds
from subscribers.ledger.create_rows import Opening, readers_of
from subscribers.ledger.drivers import Change, driver
from subscribers.ledger.drivers import Kind as Entry
from subscribers.ledger.group_commit import Entries
from subscribers.ledger.model import Claim, Due
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
FINAL_REPLY = dt.timedelta(minutes=10)
"""How long the reply to a message may take (RFC 5321 section 4.5.3.2.6): until then *sending* is not yet uncertain."""
DOUBT = "an earlier attempt may have been taken"


class Ledger:
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
    ) -> int:
        """Makes the rows for every subscription that the edition is for and that has none yet; returns how many.

        Each is due at the reader's hour after `frozen_at`, or `at_once`, which also makes due what still waits for
        its hour. Two that do so at a time make each row once.
        """
        opening = Opening(self._database, edition_id, frozen_at, readers_of(newsletter, kind, day))
        made = await opening.make_rows(self._size, at_once=at_once)
        if at_once:
            await opening.hurry()
        return made

    async def claim(self, edition_id: int, now: dt.datetime) -> Claim | None:
        """Takes a batch that has something due and that nobody owns; None if there is none at the moment."""
        free = sa.or_(batch.c.lease_until.is_(None), batch.c.lease_until < database_now())
        chosen = (
            sa.select(batch.c.id)
            .where(batch.c.edition_id == edition_id, batch.c.next_at <= now, free)
            .order_by(batch.c.next_at, batch.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        lease = secrets.token_urlsafe(16)
        taken = sa.update(batch).where(batch.c.id == chosen).values(lease=lease, lease_until=self._until())
        async with self._database.write() as connection:
            row = (await connection.execute(taken.returning(batch.c.id, batch.c.lo, batch.c.hi))).one_or_none()
            if row is None:
                return None
            claim = Claim(id=row.id, edition_id=edition_id, lo=row.lo, hi=row.hi, lease=lease)
            await self._doubt(connection, claim, now)
        return claim

    async def claim_one(self, edition_id: int, subscription_id: int, now: dt.datetime) -> Claim | None:
        """Takes the delivery of an edition to one reader, whatever their hour. None: it is not to be had.

        A reader who has no row yet gets one, in a batch of its own. One that lies alone in a batch is taken again once
        it is free: what was put off is due now, and what is *sending* is uncertain once no reply can come any more (it
        may lie in a batch of the edition as well, whose worker has marked it). A row that is final, that lies among
        others or that somebody works is left to the delivery of the edition. Where both have it, the mark decides.
        """
        lease = secrets.token_urlsafe(16)
        row = {"state": DeliveryState.PENDING, "attempts": 0, "words": ""}
        key = {"edition_id": edition_id, "subscription_id": subscription_id}
        fresh = self._database.insert(delivery).values(**key, **row).on_conflict_do_nothing()
        owned = {"lease": lease, "lease_until": self._until()}
        async with self._database.write() as connection:
            if (await connection.execute(fresh)).rowcount:
                span = {"edition_id": edition_id, "lo": subscription_id, "hi": subscription_id}
                made = sa.insert(batch).values(**span, **owned, next_at=now).returning(batch.c.id)
                number = await connection.scalar(made)
            else:
                free = _alone(edition_id, subscription_id, now - self._final_reply)
                number = await connection.scalar(free.values(owned).returning(batch.c.id))
            if number is None:
                return None
            claim = Claim(id=number, edition_id=edition_id, lo=subscription_id, hi=subscription_id, lease=lease)
            left = delivery.c.state == DeliveryState.SENDING
            await connection.execute(
                sa.update(delivery)
                .where(*_in(claim), delivery.c.state.not_in(FINAL))
                .values(
                    due_at=now if self._resend else sa.case((left, sa.null()), else_=now),
                    state=sa.case((left, DeliveryState.UNCERTAIN), else_=delivery.c.state),
                )
            )
        return claim

    async def busy_until(self, edition_id: int, subscription_id: int, now: dt.datetime) -> dt.datetime | None:
        """Until when somebody owns the batch in which one reader's open delivery lies alone, or a reply to it may come;
        None: neither."""
        left = batch.c.lease_until - database_now()
        alone = (batch.c.edition_id == edition_id, batch.c.lo == subscription_id, batch.c.hi == subscription_id)
        owned = sa.select(sa.func.max(left)).where(*alone, left > 0, _open_yet(edition_id, subscription_id))
        sending = sa.select(delivery.c.changed_at).where(
            _sending(edition_id, subscription_id, now - self._final_reply), sa.exists().where(*alone)
        )
        async with self._database.read() as connection:
            waits: int | None = await connection.scalar(owned)
            marked: dt.datetime | None = await connection.scalar(sending)
        found = [] if waits is None else [now + dt.timedelta(milliseconds=waits)]
        found += [] if marked is None else [marked + self._final_reply]
        return max(found, default=None)

    async def _doubt(self, connection: AsyncConnection, claim: Claim, now: dt.datetime) -> None:
        """What a worker that died left as *sending* is uncertain once no reply can come any more."""
        await connection.execute(
            sa.update(delivery)
            .where(
                *_in(claim),
                delivery.c.state == DeliveryState.SENDING,
                delivery.c.changed_at < now - self._final_reply,
            )
            .values(
                state=DeliveryState.UNCERTAIN,
                due_at=now if self._resend else None,
                words="the courier stopped before the reply came",
            )
        )

    async def due(self, claim: Claim, now: dt.datetime) -> Sequence[Due]:
        """What is due in a claimed batch, with each reader's subscription as it stands now: what was never attempted
        first, the rest in another order for every attempt."""
        query = (
            sa.select(
                delivery.c.subscription_id, delivery.c.attempts, delivery.c.first_at, delivery.c.state, *DELIVERABLE
            )
            .select_from(delivery)
            .outerjoin(subscription, subscription.c.id == delivery.c.subscription_id)
            .outerjoin(subscriber, subscriber.c.id == subscription.c.subscriber_id)
            .where(
                *_in(claim),
                delivery.c.state.in_([DeliveryState.PENDING, DeliveryState.DEFERRED, DeliveryState.UNCERTAIN]),
                sa.or_(delivery.c.due_at.is_(None), delivery.c.due_at <= now),
                # an uncertain row that nothing is due for any more waits for the operator
                sa.or_(delivery.c.state != DeliveryState.UNCERTAIN, delivery.c.due_at.is_not(None)),
            )
            .order_by(delivery.c.subscription_id)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        found: list[Due] = []
        for start in range(0, len(rows), SLICE):
            found += [
                Due(
                    subscription_id=number,
                    attempts=attempts,
                    first_at=first_at,
                    doubtful=state == DeliveryState.UNCERTAIN,
                    subscription=None if theirs[0] is None else read_deliverable(theirs),
                )
                for number, attempts, first_at, state, *theirs in rows[start : start + SLICE]
            ]
            await asyncio.sleep(0)
        if any(item.attempts for item in found):
            found.sort(key=_turn)
        return found

    async def already(self, claim: Claim, editions: Collection[int]) -> Mapping[int, Collection[int]]:
        """Which of these editions the readers of a claimed batch were sent, by subscription; who got none is not
        named."""
        sent = delivery.alias()
        # from the rows of the batch: few readers of a weekly edition may lie among very many of the daily ones
        query = sa.select(sent.c.subscription_id, sent.c.edition_id).where(
            *_in(claim),
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

    def mark(self, claim: Claim, item: Due, now: dt.datetime) -> asyncio.Future[bool]:
        """Marks a delivery as *sending*, before the content of its message leaves; what is asked for now is written
        together.

        False: leave it alone, since the batch has another owner, or since the reader's subscription has changed its
        state, settings or address, was suppressed or is gone, after the batch was read: the next look at it decides.
        """
        if item.subscription is None:
            return _at_once(False)
        return self._entries.enter(
            Change(
                Entry.MARK,
                claim,
                item.subscription_id,
                milliseconds(now),
                before=item.attempts,
                token=claim.lease,
                expected=item.subscription.state,
                revision=item.subscription.revision,
                email=item.subscription.email,
            )
        )

    def record(
        self, claim: Claim, item: Due, outcome: Outcome, now: dt.datetime, *, marked: bool = True
    ) -> asyncio.Future[bool]:
        """Records what an attempt came to. A late outcome is accepted on a row that was held for uncertain.

        Not `marked`: the server refused it before any of its content left. False: another worker has marked the row
        since then, and its word counts.
        """
        follows = self._follow(outcome, item.attempts + 1, item.first_at or now, now, doubtful=item.doubtful)
        unsent = outcome.verdict is Verdict.UNSENT  # and so it was no attempt
        if unsent and not marked:
            return _at_once(True)
        first = item.first_at if unsent else item.first_at or now
        # who reads that the server refused it has to know that the reader may have it all the same
        doubt = f"{DOUBT}: " if item.doubtful and follows.state is DeliveryState.REJECTED else ""
        return self._entries.enter(
            Change(
                Entry.RECORD if marked else Entry.REFUSE,
                claim,
                item.subscription_id,
                milliseconds(now),
                before=item.attempts,
                token=claim.lease,
                becomes=follows.state,
                due=None if follows.retry_at is None else milliseconds(follows.retry_at),
                made=item.attempts if unsent else item.attempts + 1,
                first=None if first is None else milliseconds(first),
                code=outcome.code,
                words=doubt + outcome.text,
            )
        )

    def skip(self, claim: Claim, item: Due, reason: str, now: dt.datetime) -> asyncio.Future[bool]:
        """Ends a delivery without a mail, for a reason in words; False: it is not ours any more. One that is doubtful
        stays uncertain, for the operator: its reader may have had the mail."""
        return self._entries.enter(
            Change(
                Entry.REFUSE if item.doubtful else Entry.SKIP,
                claim,
                item.subscription_id,
                milliseconds(now),
                before=item.attempts,
                token=claim.lease,
                becomes=DeliveryState.UNCERTAIN,
                made=item.attempts,
                first=None if item.first_at is None else milliseconds(item.first_at),
                words=f"{DOUBT}: {reason}" if item.doubtful else reason,
            )
        )

    async def settled(self) -> None:
        """Waits for what is being written: an outcome that nobody waits for any more must not be lost with the
        process."""
        await self._entries.settled()

    async def renew(self, claim: Claim) -> bool:
        """Keeps a batch for another lease; every mark does so too. False: it has another owner."""
        async with self._database.write() as connection:
            return await self._renew(connection, claim)

    async def release(self, claim: Claim, now: dt.datetime) -> None:
        """Gives a batch back, with the time at which its next delivery is due."""
        answered = sa.type_coerce(delivery.c.changed_at, sa.BigInteger) + _span(self._final_reply)
        due_at = sa.func.coalesce(sa.type_coerce(delivery.c.due_at, sa.BigInteger), milliseconds(now))
        waits = sa.case((delivery.c.state == DeliveryState.SENDING, answered), else_=due_at)
        held = sa.and_(delivery.c.state == DeliveryState.UNCERTAIN, delivery.c.due_at.is_(None))
        soonest = sa.select(sa.func.min(waits)).where(*_in(claim), delivery.c.state.not_in(FINAL), ~held)
        async with self._database.write() as connection:
            await connection.execute(
                sa.update(batch)
                .where(batch.c.id == claim.id, batch.c.lease == claim.lease)
                .values(next_at=soonest.scalar_subquery(), lease=None, lease_until=None)
            )

    async def next_due(self, edition_id: int, now: dt.datetime) -> dt.datetime | None:
        """When the next delivery of an edition is due, or a lease on one ends; None: all are final."""
        # a lease ends by the database's clock, everything else is due by ours
        free = batch.c.lease_until - database_now() + milliseconds(now)
        next_at = sa.type_coerce(batch.c.next_at, sa.BigInteger)
        # greatest() and max() have other names on the two databases; a case is the same on both
        later = sa.case((free > next_at, free), else_=next_at)
        async with self._database.read() as connection:
            moment: dt.datetime | None = await connection.scalar(
                sa.select(sa.type_coerce(sa.func.min(later), Instant)).where(
                    batch.c.edition_id == edition_id, batch.c.next_at.is_not(None)
                )
            )
        return moment

    async def unfinished(self, now: dt.datetime) -> Sequence[int]:
        """The editions that have something due, in the order in which they were made."""
        query = sa.select(batch.c.edition_id).where(batch.c.next_at <= now).distinct().order_by(batch.c.edition_id)
        async with self._database.read() as connection:
            return (await connection.scalars(query)).all()

    async def due_batches(self, edition_id: int, now: dt.datetime) -> int:
        """How many batches of an edition have something due."""
        query = sa.select(sa.func.count()).where(batch.c.edition_id == edition_id, batch.c.next_at <= now)
        async with self._database.read() as connection:
            return await connection.scalar(query) or 0

    async def due_since(self, edition_id: int) -> dt.datetime | None:
        """Since when an edition has something due that nobody works; None: there is nothing."""
        free = sa.or_(batch.c.lease_until.is_(None), batch.c.lease_until < database_now())
        query = sa.select(sa.type_coerce(sa.func.min(batch.c.next_at), Instant))
        async with self._database.read() as connection:
            moment: dt.datetime | None = await connection.scalar(query.where(batch.c.edition_id == edition_id, free))
        return moment

    async def counts(self, edition_id: int) -> Mapping[DeliveryState, int]:
        """How many deliveries of an edition are in each state; their sum is the number of rows ever made for it."""
        async with self._database.read() as connection:
            rows = await connection.execute(
                sa.select(delivery.c.state, sa.func.count())
                .where(delivery.c.edition_id == edition_id)
                .group_by(delivery.c.state)
            )
            return {DeliveryState(state): count for state, count in rows.all()}

    async def reasons(self, edition_id: int, state: DeliveryState) -> Mapping[str, int]:
        """The last words of the deliveries in a state, and how often each was said; the twenty most frequent."""
        async with self._database.read() as connection:
            rows = await connection.execute(
                sa.select(delivery.c.words, sa.func.count())
                .where(delivery.c.edition_id == edition_id, delivery.c.state == state)
                .group_by(delivery.c.words)
                .order_by(sa.func.count().desc(), delivery.c.words)
                .limit(20)
            )
            return {row.words: row[1] for row in rows}

    async def _renew(self, connection: AsyncConnection, claim: Claim) -> bool:
        renewed = await connection.execute(
            sa.update(batch)
            .where(batch.c.id == claim.id, batch.c.lease == claim.lease)
            .values(lease_until=self._until())
        )
        return renewed.rowcount == 1

    def _until(self) -> sa.ColumnElement[int]:
        return database_now() + _span(self.lease)


def _turn(item: Due) -> tuple[bool, int]:
    # of those that a server puts off because they come too fast, not always the same are the last
    return item.attempts > 0, item.attempts and hash((item.attempts, item.subscription_id))


def _alone(edition_id: int, subscription_id: int, unanswered: dt.datetime) -> sa.Update:
    """Changes the batch in which one reader's delivery lies alone, if it is free and the delivery not final, nor marked
    since `unanswered`."""
    chosen = (
        sa.select(batch.c.id)
        .where(
            batch.c.edition_id == edition_id,
            batch.c.lo == subscription_id,
            batch.c.hi == subscription_id,
            sa.or_(batch.c.lease_until.is_(None), batch.c.lease_until < database_now()),
            _open_yet(edition_id, subscription_id),
            ~sa.exists().where(_sending(edition_id, subscription_id, unanswered)),
        )
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return sa.update(batch).where(batch.c.id == chosen.scalar_subquery())


def _sending(edition_id: int, subscription_id: int, since: dt.datetime) -> sa.ColumnElement[bool]:
    """That a delivery was marked, at this time or later, and its reply is not known."""
    return sa.and_(
        delivery.c.edition_id == edition_id,
        delivery.c.subscription_id == subscription_id,
        delivery.c.state == DeliveryState.SENDING,
        delivery.c.changed_at >= since,
    )


def _open_yet(edition_id: int, subscription_id: int) -> sa.Exists:
    """Whether a delivery is still to be attempted."""
    return sa.exists().where(
        delivery.c.edition_id == edition_id,
        delivery.c.subscription_id == subscription_id,
        delivery.c.state.not_in(FINAL),
        # an uncertain row that nothing is due for any more waits for the operator
        sa.or_(delivery.c.state != DeliveryState.UNCERTAIN, delivery.c.due_at.is_not(None)),
    )


def _at_once(answer: bool) -> asyncio.Future[bool]:
    answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    answered.set_result(answer)
    return answered


def _span(span: dt.timedelta) -> int:
    return round(span / dt.timedelta(milliseconds=1))


def _in(claim: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    return (delivery.c.edition_id == claim.edition_id, delivery.c.subscription_id.between(claim.lo, claim.hi))
