"""What readers ask for by mail: fresh links, and a new address, which is confirmed before it counts."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from subscribers.model import Letter, SubscriptionState, Suppressed
from subscribers.people import outbox
from subscribers.people.lookup import People, locked
from subscribers.people.rows import DELIVERED, suppressed
from subscribers.people.signups import FORGOTTEN
from subscribers.tables import address_change, subscriber, subscription

MAX_CHANGES = 5
"""Changes of address that one reader can ask for in a day."""
AGAIN = dt.timedelta(hours=1)
"""A new address is written to at most once in this time, whoever asks."""
NOWHERE = ""
"""The new address of a change that was given up, or that never was."""


class RequestedMail(People):
    async def ask_link(
        self, email: str, newsletter: str | None, now: dt.datetime, not_before: dt.datetime | None = None
    ) -> None:
        """Mails a fresh link for each subscription of an address, or for that on one newsletter. Nothing tells
        whether there is any."""
        async with self._database.write() as connection:
            query = (
                sa.select(subscription.c.id)
                .join(subscriber)
                .where(
                    subscriber.c.email_key == email.lower(),
                    subscriber.c.suppressed.is_(None),
                    subscription.c.state.in_(DELIVERED),
                )
                .order_by(subscription.c.id)
            )
            if newsletter is not None:
                query = query.where(subscription.c.newsletter == newsletter)
            for identity in (await connection.scalars(query)).all():
                await outbox.put(connection, Letter.LINK, identity, now, not_before=not_before)

    async def ask_private(self, identity: int, now: dt.datetime) -> None:
        """Mails the link for what must not fall to whoever a mail was forwarded to, to the address itself."""
        async with self._database.write() as connection:
            row = await locked(connection, identity)
            if row is not None and row.state != SubscriptionState.UNCONFIRMED and row.suppressed is None:
                await outbox.put(connection, Letter.PRIVATE, identity, now)

    async def ask_address(self, identity: int, email: str, now: dt.datetime) -> str:
        """Mails a link to a reader's new address, which counts once it is followed. A change that was asked for
        before, and not confirmed, is given up.

        Returns the key of the phrase that says why not; empty: a mail is on its way, or nobody shall know why none
        is (somebody else has the address, or it is never mailed again).
        """
        async with self._database.write() as connection:
            row = await locked(connection, identity)
            if row is None or row.state == SubscriptionState.UNCONFIRMED or row.suppressed is not None:
                return ""
            if row.email.lower() == email.lower():
                return "errors.address_same"
            mine = address_change.c.subscriber_id == row.subscriber_id
            waits = address_change.c.former.is_(None)
            to_it = (sa.func.lower(address_change.c.email) == email.lower(), address_change.c.asked_at > now - AGAIN)
            if await connection.scalar(sa.select(sa.exists().where(mine, waits, *to_it))):
                return ""
            today = sa.select(sa.func.count()).where(mine, address_change.c.asked_at > now - dt.timedelta(days=1))
            if (await connection.execute(today)).scalar_one() >= MAX_CHANGES:
                return "errors.address_often"
            silent = (
                await suppressed(connection, email, self._key) is not None
                or await connection.scalar(sa.select(sa.exists().where(_has(email))))
                or await connection.scalar(sa.select(sa.exists().where(waits, *to_it)))
            )
            await connection.execute(sa.update(address_change).where(mine, waits).values(email=NOWHERE))
            change = sa.insert(address_change).values(
                subscriber_id=row.subscriber_id, email=NOWHERE if silent else email, asked_at=now
            )
            number = await connection.scalar(change.returning(address_change.c.id))
            if not silent:
                await outbox.put(connection, Letter.ADDRESS, identity, now, address_change_id=number)
            return ""

    async def confirm_address(self, change_id: int, now: dt.datetime) -> bool:
        """Makes a new address the reader's, on all newsletters, and tells the old one. Doing it again changes nothing.

        False: the change was given up or is too old, or somebody else has the address by now.
        """
        async with self._database.write() as connection:
            query = sa.select(address_change).where(address_change.c.id == change_id)
            change = (await connection.execute(query.with_for_update())).one_or_none()
            if change is None or change.email == NOWHERE:
                return False
            if change.former is not None:
                return True
            who = sa.select(subscriber).where(subscriber.c.id == change.subscriber_id)
            person = (await connection.execute(who.with_for_update())).one()
            if (
                change.asked_at < now - FORGOTTEN
                # an address that can't be reached is a reason to change it; the others are about the reader
                or person.suppressed not in (None, Suppressed.HARD_BOUNCE, Suppressed.SOFT_BOUNCES)
                or await suppressed(connection, change.email, self._key) is not None
                or await connection.scalar(sa.select(sa.exists().where(_has(change.email))))
            ):
                return False
            await connection.execute(
                sa.update(subscriber)
                .where(subscriber.c.id == person.id)
                .values(email=change.email, email_key=change.email.lower(), suppressed=None, freed_at=now)
            )
            await connection.execute(
                sa.update(address_change).where(address_change.c.id == change_id).values(former=person.email)
            )
            if person.suppressed is None:
                first = sa.select(sa.func.min(subscription.c.id)).where(subscription.c.subscriber_id == person.id)
                identity = (await connection.execute(first)).scalar_one()
                await outbox.put(connection, Letter.MOVED, identity, now, address_change_id=change_id)
            return True


def _has(email: str) -> sa.ColumnElement[bool]:
    return subscriber.c.email_key == email.lower()
