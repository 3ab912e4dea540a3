"""Sign-ups: asked for, confirmed, forgotten. Whatever is known of an address, asking answers the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.editions.model import Interests
from subscribers.model import Frequency, Letter, Subscription, SubscriptionState, Suppressed
from subscribers.people import outbox
from subscribers.people.changes import withdrawn
from subscribers.people.lookup import People, locked, updated
from subscribers.people.retention import delete, forget_leaving, left_key
from subscribers.people.rows import (
    CONSENT,
    DEFAULTS,
    DELIVERED,
    SETTINGS,
    address_key,
    interests_columns,
    keep_settings,
    read_with_previous,
    suppressed,
)
from subscribers.tables import address_change, rate, subscriber, subscription, suppression

FORGOTTEN = dt.timedelta(days=7)
"""How long an address that was not confirmed is kept, and a change of address."""
COUNTED = dt.timedelta(days=2)
"""How long it is kept how often something was done."""
_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp:
    """What somebody asked for, who may or may not own the address."""

    email: str
    newsletter: str
    interests: Interests = field(default_factory=Interests)
    frequency: Frequency = Frequency.DAILY
    weekday: int | None = None
    beginning: Mapping[str, Any] = field(default_factory=dict)
    """What nobody is asked when they sign up, for whom is new: the newsletter's own hour and zone."""
    language: str = ""
    """Of the page on which they asked."""
    consent_version: str
    """Which text they agreed to."""
    consent_network: str
    """The keyed hash of the network that it came from."""
    source: str = "sign-up"


class SignUps(People):
    async def sign_up(self, wish: SignUp, now: dt.datetime, not_before: dt.datetime | None = None) -> None:
        """Keeps a wish until its address is confirmed, and puts the letter for it into the outbox, to leave at once or
        at `not_before`.

        Who has confirmed it already is told so by mail and nothing is changed; an address that is never mailed again
        gets nothing, unless its owner had everything erased: they may come back.
        """
        async with self._database.write() as connection:
            reason = await suppressed(connection, wish.email, self._key)
            if reason not in (None, Suppressed.ERASED):
                return
            person = await self._person(connection, wish.email, reason, now)
            asked = sa.select(subscription).where(
                subscription.c.subscriber_id == person, subscription.c.newsletter == wish.newsletter
            )
            row = (await connection.execute(asked.with_for_update())).one_or_none()
            wanted = _columns(wish, now)
            if row is None:
                fresh = {**DEFAULTS, **wish.beginning, **wanted, "subscriber_id": person, "newsletter": wish.newsletter}
                insert = sa.insert(subscription).values(fresh).returning(subscription.c.id)
                identity: int = (await connection.execute(insert)).scalar_one()
            elif row.state in DELIVERED:
                await outbox.put(connection, Letter.KNOWN, row.id, now, not_before=not_before)
                return
            else:
                identity = row.id
                left = row.state == SubscriptionState.UNSUBSCRIBED
                previous = keep_settings(row, SETTINGS + CONSENT) if left else row.previous
                changed = {**wanted, "previous": previous, "revision": row.revision + 1}
                await connection.execute(sa.update(subscription).where(subscription.c.id == identity).values(changed))
            await outbox.put(connection, Letter.CONFIRM, identity, now, not_before=not_before)

    async def _person(
        self, connection: AsyncConnection, email: str, reason: Suppressed | None, now: dt.datetime
    ) -> int:
        """The number of an address, kept now if it is new; nobody else changes it until the transaction ends."""
        fresh = self._database.insert(subscriber).values(
            email=email, email_key=email.lower(), created_at=now, suppressed=reason
        )
        await connection.execute(fresh.on_conflict_do_nothing(index_elements=[subscriber.c.email_key]))
        found = sa.select(subscriber.c.id).where(subscriber.c.email_key == email.lower())
        identity: int = (await connection.execute(found.with_for_update())).scalar_one()
        return identity

    async def confirm(self, identity: int, now: dt.datetime) -> Subscription | None:
        """Makes a sign-up a subscription, once, and puts the welcome into the outbox. Every other subscription is
        returned as it is: an old link brings nobody back. None: it is forgotten, or its address is never mailed."""
        async with self._database.write() as connection:
            row = await locked(connection, identity)
            if row is None:
                return None
            reason = await suppressed(connection, row.email, self._key)
            if reason not in (None, Suppressed.ERASED):
                return None
            if row.state != SubscriptionState.UNCONFIRMED:
                return read_with_previous(row)
            if reason is Suppressed.ERASED:
                await connection.execute(
                    sa.delete(suppression).where(suppression.c.address_key == address_key(row.email, self._key))
                )
            await forget_leaving(connection, [left_key(row.email, row.newsletter, self._key)])
            await connection.execute(
                sa.update(subscriber).where(subscriber.c.id == row.subscriber_id).values(suppressed=None)
            )
            await outbox.put(connection, Letter.WELCOME, identity, now)
            return await updated(
                connection,
                identity,
                state=SubscriptionState.CONFIRMED,
                confirmed_at=now,
                asked_at=None,
                left_at=None,
                left_reason="",
                previous=None,
                revision=row.revision + 1,
                changed_at=now,
            )

    async def pending(self) -> int:
        """How many sign-ups wait to be confirmed."""
        async with self._database.read() as connection:
            query = sa.select(sa.func.count()).where(subscription.c.asked_at.is_not(None))
            return (await connection.execute(query)).scalar_one()

    async def forget_unconfirmed(self, now: dt.datetime) -> int:
        """Forgets the sign-ups that were not confirmed in time; one who had left before has left again, with the
        settings of that time. Returns how many. What else is kept for a while only goes with them."""
        forgotten = 0
        old = (subscription.c.asked_at < now - FORGOTTEN, subscription.c.state == SubscriptionState.UNCONFIRMED)
        while True:
            async with self._database.write() as connection:
                query = sa.select(subscription).where(*old).order_by(subscription.c.id).limit(_CHUNK)
                rows = (await connection.execute(query.with_for_update())).all()
                if not rows:
                    break
                known = [row for row in rows if row.left_at is not None or row.confirmed_at is not None]
                for row in known:
                    await updated(connection, row.id, **withdrawn(row, now))
                await delete(connection, {row.id: row.subscriber_id for row in rows if row not in known})
            forgotten += len(rows)
        await self._tidy(now)
        return forgotten

    async def _tidy(self, now: dt.datetime) -> None:
        async with self._database.write() as connection:
            await connection.execute(sa.delete(rate).where(rate.c.window_at < now - COUNTED))
            await connection.execute(sa.delete(address_change).where(address_change.c.asked_at < now - FORGOTTEN))


def _columns(wish: SignUp, now: dt.datetime) -> Mapping[str, Any]:
    """A wish as columns, over all that there was before."""
    return {
        **interests_columns(wish.interests),
        "state": SubscriptionState.UNCONFIRMED,
        "paused_until": None,
        "frequency": wish.frequency,
        "weekday": wish.weekday,
        "language": wish.language,
        "frequency_at": None,
        "consent_at": now,
        "consent_source": wish.source,
        "consent_version": wish.consent_version,
        "consent_network": wish.consent_network,
        "asked_at": now,
        "changed_at": now,
    }
