"""The store of people: everything that is done to subscribers and their subscriptions, as methods of one class.

It is split by who does it: `signups`, `changes`, `requested_mail`, `erasure`, `retention`, and here what an operator's
list does. SQL about people stands in these, in `lookup` and `rows`, in `outbox` and in `limits` alone.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.storage.database import Database
from subscribers.model import SubscriptionState, Suppressed
from subscribers.people.changes import Changes
from subscribers.people.erasure import Erasure
from subscribers.people.requested_mail import RequestedMail
from subscribers.people.retention import Retention, forget_leaving, leavers, left_key
from subscribers.people.rows import BLOCKED, DEFAULTS, MUTED, address_keys, columns, domains_of
from subscribers.people.signups import SignUp, SignUps
from subscribers.tables import domain, subscriber, subscription, suppression

__all__ = ["MUTED", "Change", "KeptChanges", "RefusedChange", "SignUp", "Subscribers"]


KEYS = 10_000
"""Values that a statement names at a time: it takes no more than 32,766."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to keep of one subscription: its key, and the columns that are given. The others stay as they are, or
    get their default where the subscription is new."""

    email: str
    newsletter: str
    columns: Mapping[str, Any]
    beginning: Mapping[str, Any] = field(default_factory=dict)
    """The defaults of the newsletter's own, for a new subscription alone."""
    line: int = 0
    """Where it stands in an operator's file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedChange:
    """A subscription that a list could not bring."""

    email: str
    line: int = 0
    because: Suppressed | None = None
    """Why the address is never mailed again; None: the reader has unsubscribed."""


@dataclass(slots=True)
class KeptChanges:
    """What became of a batch of subscriptions."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[RefusedChange] = field(default_factory=list)


class _OnlyAsked(Exception):  # noqa: N818
    """Undoes a transaction whose end was only asked for."""


async def count(database: Database) -> int:
    """How many subscriptions there are, in whatever state."""
    async with database.read() as connection:
        return await connection.scalar(sa.select(sa.func.count()).select_from(subscription)) or 0


class Subscribers(SignUps, Changes, RequestedMail, Erasure, Retention):
    """Who is subscribed to what."""

    async def keep(
        self, changes: Iterable[Change], now: dt.datetime, *, resubscribe: bool = False, check: bool = False
    ) -> KeptChanges:
        """Adds or changes subscriptions in one transaction; the same changes again change nothing. With `check` all is
        undone at its end: what would have become of them is returned.

        Whoever has unsubscribed stays so unless `resubscribe`, also while a new sign-up waits to be confirmed: an old
        list must not bring them back. An address that is never mailed again is refused in any case.
        """
        kept = KeptChanges()
        with suppress(_OnlyAsked):
            await self._keep(kept, changes, now, resubscribe=resubscribe, check=check)
        return kept

    async def _keep(
        self, kept: KeptChanges, changes: Iterable[Change], now: dt.datetime, *, resubscribe: bool, check: bool
    ) -> None:
        latest = {(change.email.lower(), change.newsletter): change for change in changes}
        async with self._database.write() as connection:
            barred = await self._barred(connection, latest.values())
            left = await self._left(connection, latest)
            wanted = {}
            for key, change in latest.items():
                if because := barred.get(key[0]):
                    kept.refused.append(RefusedChange(email=change.email, line=change.line, because=because))
                elif key in left and change.columns.get("state") == SubscriptionState.UNSUBSCRIBED:
                    kept.unchanged += 1
                elif key in left and not resubscribe:
                    kept.refused.append(RefusedChange(email=change.email, line=change.line))
                else:
                    wanted[key] = change
            people = await self._people(connection, wanted.values(), now)
            known = await self._known(connection, people.values())
            fresh, updates = [], []
            for (email_key, newsletter), change in wanted.items():
                row = known.get((people[email_key], newsletter))
                if row is None:
                    fresh.append(_fresh(change, people[email_key], now))
                elif not resubscribe and _brings_back(row, change):
                    kept.refused.append(RefusedChange(email=change.email, line=change.line))
                elif values := _changed(row, change, now):
                    updates.append({"of": row["id"], **values})
                else:
                    kept.unchanged += 1
            await _update(connection, updates)
            if fresh:
                # on PostgreSQL a reader may sign up at the same moment: theirs counts
                there = (subscription.c.subscriber_id, subscription.c.newsletter)
                insert = self._database.insert(subscription).on_conflict_do_nothing(index_elements=there)
                await connection.execute(insert, fresh)
            await forget_leaving(connection, [key for one, key in left.items() if one in wanted])
            kept.changed, kept.added = len(updates), len(fresh)
            if check:
                raise _OnlyAsked

    async def _barred(self, connection: AsyncConnection, changes: Collection[Change]) -> dict[str, Suppressed]:
        """Which of the addresses are never mailed again, and why."""
        addresses = {change.email.lower() for change in changes}
        found = await self._blocked(connection, addresses)
        if await connection.scalar(sa.select(suppression.c.address_key).limit(1)) is None:
            return found
        keys = {key: address for address in addresses for key in address_keys(address, self._key)}
        query, every = sa.select(suppression.c.address_key, suppression.c.reason), list(keys)
        for start in range(0, len(every), KEYS):
            some = every[start : start + KEYS]
            rows = await connection.execute(query.where(suppression.c.address_key.in_(some)))
            found |= {keys[row.address_key]: Suppressed(row.reason) for row in rows}
        return found

    async def _blocked(self, connection: AsyncConnection, addresses: Iterable[str]) -> dict[str, Suppressed]:
        blocked = set(await connection.scalars(sa.select(domain.c.name).where(domain.c.rule == BLOCKED)))
        if not blocked:
            return {}
        return {one: Suppressed.BLOCKED for one in addresses if not blocked.isdisjoint(domains_of(one))}

    async def _left(self, connection: AsyncConnection, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Which of the addresses have left the newsletter so long ago that a hash is all that is kept of it."""
        keys = {left_key(email, newsletter, self._key): (email, newsletter) for email, newsletter in wanted}
        return {keys[key]: key for key in await leavers(connection, keys)}

    async def _people(self, connection: AsyncConnection, changes: Iterable[Change], now: dt.datetime) -> dict[str, int]:
        rows = {change.email.lower(): change.email for change in changes}
        if rows:
            await connection.execute(
                self._database.insert(subscriber).on_conflict_do_nothing(index_elements=[subscriber.c.email_key]),
                [{"email": email, "email_key": key, "created_at": now} for key, email in rows.items()],
            )
        found = await connection.execute(
            sa.select(subscriber.c.email_key, subscriber.c.id).where(subscriber.c.email_key.in_(list(rows)))
        )
        return {row.email_key: row.id for row in found}

    async def _known(self, connection: AsyncConnection, people: Iterable[int]) -> dict[tuple[int, str], sa.RowMapping]:
        query = sa.select(subscription).where(subscription.c.subscriber_id.in_(list(people)))
        rows = await connection.execute(query.order_by(subscription.c.id).with_for_update())
        return {(row["subscriber_id"], row["newsletter"]): row for row in rows.mappings()}


async def _update(connection: AsyncConnection, updates: Iterable[Mapping[str, Any]]) -> None:
    """Makes the changes, each with the number of its row in `of`; all that name the same columns in one go."""
    alike: dict[tuple[str, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for update in updates:
        alike[tuple(update)].append(update)
    query = sa.update(subscription).where(subscription.c.id == sa.bindparam("of"))
    for rows in alike.values():
        await connection.execute(query, rows)


def _fresh(change: Change, person: int, now: dt.datetime) -> dict[str, Any]:
    values = {
        **DEFAULTS,
        **change.beginning,
        **columns(change.columns),
        "subscriber_id": person,
        "newsletter": change.newsletter,
    }
    state = values["state"]
    # whoever has not confirmed is forgotten after a while; whoever has left can say so later
    values["asked_at"] = now if state == SubscriptionState.UNCONFIRMED else None
    values["left_at"] = now if state == SubscriptionState.UNSUBSCRIBED else None
    return {**values, "changed_at": now}


def _brings_back(row: sa.RowMapping, change: Change) -> bool:
    """Whether a list would bring back somebody who has left."""
    left = row["state"] == SubscriptionState.UNSUBSCRIBED or (
        row["state"] == SubscriptionState.UNCONFIRMED and row["left_at"] is not None
    )
    return left and change.columns.get("state", row["state"]) not in (row["state"], SubscriptionState.UNSUBSCRIBED)


def _changed(row: sa.RowMapping, change: Change, now: dt.datetime) -> dict[str, Any]:
    """What a change alters of a row; nothing where it is so already. A reader's undo does not reach behind it."""
    wanted = columns(change.columns)
    if all(row[name] == value for name, value in wanted.items()):
        return {}
    values = {**wanted, "previous": None, "revision": row["revision"] + 1, "changed_at": now}
    if wanted.get("frequency", row["frequency"]) != row["frequency"]:
        values["frequency_at"] = now
    match wanted.get("state", row["state"]):
        case SubscriptionState.UNSUBSCRIBED:
            values |= {"left_at": row["left_at"] or now, "asked_at": None}
        case SubscriptionState.CONFIRMED | SubscriptionState.PAUSED:
            values |= {"left_at": None, "left_reason": "", "asked_at": None}
    return values
