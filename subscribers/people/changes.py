"""What readers change themselves. Every change keeps what was before it, so that it can be undone for a day."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from subscribers.model import Subscription, SubscriptionState
from subscribers.people.lookup import People, locked, updated
from subscribers.people.rows import (
    DELIVERED,
    interests_columns,
    keep_settings,
    kept_settings,
    read_with_previous,
)
from subscribers.policy import undoable
from subscribers.preferences import Preferences
from subscribers.tables import subscriber, subscription
from subscribers.text import clean

MAX_REASON = 1000


class Changes(People):
    """Each method changes one subscription in one transaction and returns it as it stands then; None: there is none.

    Doing the same again changes nothing. Whoever has not confirmed or has left has nothing to change: the
    subscription is returned as it is.
    """

    async def change(self, identity: int, preferences: Preferences, now: dt.datetime) -> Subscription | None:
        """Takes effect with the next delivery."""
        wanted = {
            **interests_columns(preferences.interests),
            "frequency": preferences.frequency,
            "weekday": preferences.weekday,
            "hour": preferences.hour,
            "zone": preferences.zone,
            "language": preferences.language,
        }
        return await self._change(identity, wanted, now)

    async def pause(self, identity: int, until: dt.date, now: dt.datetime) -> Subscription | None:
        """No mail for editions dated before `until`."""
        return await self._change(identity, {"state": SubscriptionState.PAUSED, "paused_until": until}, now)

    async def resume(self, identity: int, now: dt.datetime) -> Subscription | None:
        return await self._change(identity, {"state": SubscriptionState.CONFIRMED, "paused_until": None}, now)

    async def _change(self, identity: int, wanted: Mapping[str, Any], now: dt.datetime) -> Subscription | None:
        async with self._database.write() as connection:
            row = await locked(connection, identity)
            if row is None:
                return None
            if row.state not in DELIVERED or all(row._mapping[name] == value for name, value in wanted.items()):
                return read_with_previous(row)
            return await _altered(connection, row, wanted, now)

    async def undo(self, identity: int, revision: int, now: dt.datetime) -> Subscription | None:
        """Brings back what was before the change that `revision` counts, and so can itself be undone.

        None: there is nothing to bring back, since it was changed again or more than a day ago. Undoing the same
        change twice does it once, and the second time returns the same.
        """
        async with self._database.write() as connection:
            row = await locked(connection, identity)
            if row is None:
                return None
            found = read_with_previous(row)
            if row.previous is not None and json.loads(row.previous).get("undid") == revision:
                return found
            if revision != row.revision or not undoable(found, now):
                return None
            return await _altered(connection, row, kept_settings(row.previous), now, undid=revision)

    async def unsubscribe(self, identity: int, now: dt.datetime) -> Subscription | None:
        """Ends a subscription, also in a delivery that is already running."""
        async with self._database.write() as connection:
            return await end(connection, identity, now)

    async def unsubscribe_address(self, email: str, now: dt.datetime) -> bool:
        """Ends all subscriptions of an address; False: it has none."""
        async with self._database.write() as connection:
            theirs = sa.select(subscription.c.id).join(subscriber).where(subscriber.c.email_key == email.lower())
            numbers = (await connection.scalars(theirs.order_by(subscription.c.id))).all()
            for identity in numbers:
                await end(connection, identity, now)
        return bool(numbers)

    async def leave_reason(self, identity: int, text: str, now: dt.datetime) -> Subscription | None:
        """Why somebody left, in their own words, shortened to `MAX_REASON`; nothing for somebody who has not."""
        async with self._database.write() as connection:
            row = await locked(connection, identity)
            if row is None:
                return None
            if row.state != SubscriptionState.UNSUBSCRIBED:
                return read_with_previous(row)
            return await updated(connection, identity, left_reason=clean(text)[:MAX_REASON])


async def end(connection: AsyncConnection, identity: int, now: dt.datetime) -> Subscription | None:
    """Ends a subscription in a transaction that does more; None: there is none."""
    row = await locked(connection, identity)
    if row is None:
        return None
    if row.state == SubscriptionState.UNSUBSCRIBED:
        return read_with_previous(row)
    if row.state == SubscriptionState.UNCONFIRMED:
        return await updated(connection, identity, **withdrawn(row, now))
    return await _altered(connection, row, {"state": SubscriptionState.UNSUBSCRIBED}, now)


def withdrawn(row: sa.Row[Any], now: dt.datetime) -> dict[str, Any]:
    """What becomes of a subscription that was asked for and is not wanted: what it was before."""
    before = kept_settings(row.previous) if row.previous else {}
    return {
        **before,
        "state": SubscriptionState.UNSUBSCRIBED,
        "left_at": row.left_at or now,
        "asked_at": None,
        "previous": None,
        "revision": row.revision + 1,
        "changed_at": now,
    }


async def _altered(
    connection: AsyncConnection, row: sa.Row[Any], wanted: Mapping[str, Any], now: dt.datetime, **more: Any
) -> Subscription | None:
    values: dict[str, Any] = {**wanted, "previous": keep_settings(row, **more), "revision": row.revision + 1}
    if wanted.get("frequency", row.frequency) != row.frequency:
        values["frequency_at"] = now
    left = wanted.get("state", row.state) == SubscriptionState.UNSUBSCRIBED
    values |= {"left_at": now} if left else {"left_at": None, "left_reason": ""}
    return await updated(connection, row.id, **values, changed_at=now)
