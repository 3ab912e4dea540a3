"""The ledger of one reader: their delivery of an edition, taken by itself for a welcome that brings it."""

from __future__ import annotations

import datetime as dt
import secrets

import sqlalchemy as sa

from flows.storage.database import Database, Instant, database_now
from subscribers.ledger.model import Claim
from subscribers.model import FINAL, DeliveryState
from subscribers.tables import batch, delivery


class OneReader:
    """What the ledger has for one reader."""

    _database: Database
    _final_reply: dt.timedelta
    _resend: bool
    lease: dt.timedelta

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
                .where(*in_claim(claim), delivery.c.state.not_in(FINAL))
                .values(
                    due_at=now if self._resend else sa.case((left, sa.null()), else_=sa.literal(now, Instant)),
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

    def _until(self) -> sa.ColumnElement[int]:
        return database_now() + span(self.lease)


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


def span(length: dt.timedelta) -> int:
    """In milliseconds, as the database keeps it."""
    return round(length / dt.timedelta(milliseconds=1))


def in_claim(claim: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    """The rows of a claimed batch."""
    return (delivery.c.edition_id == claim.edition_id, delivery.c.subscription_id.between(claim.lo, claim.hi))
