"""What we hold about a reader, shown and erased."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.storage.editions import edition
from subscribers.model import Subscription, SubscriptionState, Suppressed
from subscribers.people.lookup import locked
from subscribers.people.rows import DELIVERED, read_subscription, subscriptions
from subscribers.people.suppressions import Suppressions, suppress
from subscribers.tables import address_change, batch, bounce, delivery, outbox, subscriber, subscription


class Erasure(Suppressions):
    async def everything(self, identity: int) -> dict[str, Any]:
        """All that we hold about the subscriber whose subscription this is, on all newsletters, ready for JSON; empty
        for nobody."""
        async with self._database.read() as connection:
            whose = sa.select(subscription.c.subscriber_id).where(subscription.c.id == identity)
            person = await connection.scalar(whose)
            if person is None:
                return {}
            about = (await connection.execute(sa.select(subscriber).where(subscriber.c.id == person))).one()
            query = subscriptions().where(subscription.c.subscriber_id == person).order_by(subscription.c.id)
            rows = (await connection.execute(query)).all()
            theirs = [row.id for row in rows]
            changes = sa.select(address_change).where(address_change.c.subscriber_id == person)
            moves = (await connection.execute(changes.order_by(address_change.c.id))).all()
            letters = sa.select(outbox).where(outbox.c.subscription_id.in_(theirs)).order_by(outbox.c.id)
            mailed = (await connection.execute(letters)).all()
            delivered = await _deliveries(connection, theirs)
            came_back = sa.select(bounce).where(bounce.c.subscription_id.in_(theirs)).order_by(bounce.c.at)
            bounces = (await connection.execute(came_back)).all()
        return {
            "address": about.email,
            "kept_since": _moment(about.created_at),
            "never_mailed_because": about.suppressed,
            "subscriptions": [_subscription(read_subscription(row), row) for row in rows],
            "changes_of_address": [
                {"new_address": one.email, "asked_at": _moment(one.asked_at), "former_address": one.former}
                for one in moves
            ],
            "letters": [
                {
                    "letter": one.kind,
                    "state": one.state,
                    "attempts": one.attempts,
                    "asked_at": _moment(one.created_at),
                    "changed_at": _moment(one.changed_at),
                    "answer": one.words,
                }
                for one in mailed
            ],
            "deliveries": delivered,
            "bounces_and_complaints": [
                {
                    "newsletter": one.newsletter,
                    "kind": one.kind,
                    "cause": one.cause,
                    "state": one.state,
                    "heard_at": _moment(one.at),
                    "heard_from": one.source,
                    "words": one.words,
                }
                for one in bounces
            ],
        }

    async def erase(self, identity: int, now: dt.datetime) -> None:
        """Erases the subscriber whose subscription this is, on all newsletters. What stays is a keyed hash, so that no
        old list brings the address back, and the deliveries' states, which belong to nobody then."""
        async with self._database.write() as connection:
            query = (
                sa.select(subscriber)
                .join(subscription, subscription.c.subscriber_id == subscriber.c.id)
                .where(subscription.c.id == identity)
            )
            row = (await connection.execute(query.with_for_update(of=subscriber))).one_or_none()
            if row is not None:
                await self._erase(connection, row, now)
        await self._database.erased()

    async def forget(self, email: str, now: dt.datetime) -> bool:
        """Erases whoever has this address, as their operator, and every other trace of it: that somebody had it before,
        or asked to have their mail sent there, and what a mail server said of it. False: there was none."""
        async with self._database.write() as connection:
            query = sa.select(subscriber).where(subscriber.c.email_key == email.lower())
            row = (await connection.execute(query.with_for_update())).one_or_none()
            if row is not None:
                await self._erase(connection, row, now)
        traces = await self._forget_changes(email, now) + await self._forget_answers(email)
        async with self._database.write() as connection:
            traces += await _forget_reports(connection, [email])
        await self._database.erased()
        return row is not None or traces > 0

    async def _forget_changes(self, email: str, now: dt.datetime) -> int:
        """Forgets that an address was somebody's before, or should become theirs, whose it is now under another."""
        lower = email.lower()
        pending, former = (sa.func.lower(address_change.c[name]) == lower for name in ("email", "former"))
        async with self._database.write() as connection:
            await self._forget_former_domain(connection, lower)
            gone = await connection.execute(sa.delete(address_change).where(sa.or_(pending, former)))
            if gone.rowcount:
                await suppress(connection, self._database, email, Suppressed.ERASED, now, self._key)
            return gone.rowcount

    async def _forget_former_domain(self, connection: AsyncConnection, email: str) -> None:
        """What came back of a former address is counted for its domain, which may be one person's."""
        at = email.rpartition("@")[2]
        moved = (
            sa.select(subscription.c.id)
            .join(subscriber, subscriber.c.id == subscription.c.subscriber_id)
            .join(address_change, address_change.c.subscriber_id == subscriber.c.id)
            .where(sa.func.lower(address_change.c.former) == email)
            .where(~subscriber.c.email_key.endswith(f"@{at}", autoescape=True))
        )
        theirs = (bounce.c.domain == at, bounce.c.subscription_id.in_(moved))
        await connection.execute(sa.update(bounce).where(*theirs).values(domain=""))

    async def _forget_answers(self, email: str) -> int:
        """Blanks what mail servers said of an address, whomever it was said to, an edition at a time."""
        said = sa.func.lower(delivery.c.words).contains(email.lower(), autoescape=True)
        async with self._database.read() as connection:
            editions = (await connection.scalars(sa.select(batch.c.edition_id).distinct())).all()
        found = 0
        for edition_id in editions:
            async with self._database.read() as connection:
                here = sa.select(delivery.c.subscription_id).where(delivery.c.edition_id == edition_id, said)
                numbers = (await connection.scalars(here)).all()
            for start in range(0, len(numbers), 500):
                these = delivery.c.subscription_id.in_(numbers[start : start + 500])
                async with self._database.write() as connection:
                    blank = sa.update(delivery).where(delivery.c.edition_id == edition_id, these).values(words="")
                    found += (await connection.execute(blank)).rowcount
        async with self._database.write() as connection:
            in_letters = sa.func.lower(outbox.c.words).contains(email.lower(), autoescape=True)
            found += (await connection.execute(sa.update(outbox).where(in_letters).values(words=""))).rowcount
        return found

    async def decline(self, identity: int, now: dt.datetime) -> bool:
        """Never mails the address of a sign-up again that was not its owner's, and forgets it but for a keyed hash.
        Whoever is subscribed to something else keeps that, and loses this sign-up alone. False: it is confirmed, or
        forgotten already."""
        async with self._database.write() as connection:
            row = await locked(connection, identity)
            if row is None or row.state != SubscriptionState.UNCONFIRMED:
                return False
            theirs = (subscription.c.subscriber_id == row.subscriber_id, subscription.c.state.in_(DELIVERED))
            if await connection.scalar(sa.select(sa.exists().where(*theirs))):
                await connection.execute(sa.delete(subscription).where(subscription.c.id == identity))
            else:
                query = sa.select(subscriber).where(subscriber.c.id == row.subscriber_id)
                await self._erase(connection, (await connection.execute(query)).one(), now, Suppressed.DECLINED)
        await self._database.erased()
        return True

    async def decline_address(self, change_id: int, now: dt.datetime) -> bool:
        """Never mails an address again that somebody wanted their mail sent to, and was not theirs. False: the change
        is confirmed, or forgotten already."""
        async with self._database.write() as connection:
            mine = address_change.c.id == change_id
            row = (await connection.execute(sa.select(address_change).where(mine).with_for_update())).one_or_none()
            if row is None or row.former is not None or not row.email:
                return False
            await suppress(connection, self._database, row.email, Suppressed.DECLINED, now, self._key)
            await connection.execute(sa.update(address_change).where(mine).values(email=""))
        await self._database.erased()
        return True

    async def _erase(
        self,
        connection: AsyncConnection,
        person: sa.Row[Any],
        now: dt.datetime,
        reason: Suppressed = Suppressed.ERASED,
    ) -> None:
        await suppress(connection, self._database, person.email, reason, now, self._key)
        query = sa.select(subscription.c.id).where(subscription.c.subscriber_id == person.id)
        theirs = (await connection.scalars(query)).all()
        # a mail server's answer may repeat the address
        for where in await rows_of(connection, theirs):
            await connection.execute(sa.update(delivery).where(*where).values(words=""))
        # and so may a report; a domain may be one person's
        theirs_back = bounce.c.subscription_id.in_(theirs)
        await connection.execute(sa.update(bounce).where(theirs_back).values(words="", domain=""))
        names = sa.select(address_change.c.email, address_change.c.former)
        moves = await connection.execute(names.where(address_change.c.subscriber_id == person.id))
        await _forget_reports(connection, {person.email, *(name for move in moves for name in move if name)})
        await connection.execute(sa.delete(subscriber).where(subscriber.c.id == person.id))


async def _forget_reports(connection: AsyncConnection, emails: Collection[str]) -> int:
    """Blanks the reports that name one of the addresses, whoever's mail they are about: a mail server may name the
    address that mail was passed on to. A longer address that holds one of them is somebody else's."""
    named = [sa.func.lower(bounce.c.words).contains(email.lower(), autoescape=True) for email in emails]
    whole = re.compile("|".join(rf"(?<![\w.+-]){re.escape(email.lower())}(?![\w-]|\.\w)" for email in emails))
    key = (bounce.c.edition_id, bounce.c.subscription_id, bounce.c.about)
    found = (await connection.execute(sa.select(*key, bounce.c.words).where(sa.or_(*named)))).all()
    theirs = [row[:3] for row in found if whole.search(row.words.lower())]
    for start in range(0, len(theirs), 500):
        these = sa.tuple_(*key).in_(theirs[start : start + 500])
        await connection.execute(sa.update(bounce).where(these).values(words=""))
    return len(theirs)


async def rows_of(
    connection: AsyncConnection, subscriptions_: Sequence[int]
) -> Sequence[Sequence[sa.ColumnElement[bool]]]:
    """Where the deliveries of some subscriptions stand, by the key of their table: it has no other index."""
    found = []
    for identity in subscriptions_:
        query = sa.select(batch.c.edition_id).where(sa.literal(identity).between(batch.c.lo, batch.c.hi)).distinct()
        editions = (await connection.scalars(query.order_by(batch.c.edition_id))).all()
        for start in range(0, len(editions), 500):
            chunk = editions[start : start + 500]
            found.append((delivery.c.edition_id.in_(chunk), delivery.c.subscription_id == identity))
    return found


async def _deliveries(connection: AsyncConnection, subscriptions_: Sequence[int]) -> list[dict[str, Any]]:
    found = []
    for where in await rows_of(connection, subscriptions_):
        query = (
            sa.select(delivery, edition.c.newsletter, edition.c.kind, edition.c.day)
            .outerjoin(edition, edition.c.id == delivery.c.edition_id)
            .where(*where)
            .order_by(delivery.c.edition_id)
        )
        found += [
            {
                "newsletter": row.newsletter,
                "kind": row.kind,
                "day": None if row.day is None else str(row.day),
                "state": row.state,
                "attempts": row.attempts,
                "changed_at": _moment(row.changed_at),
                "answer": row.words,
            }
            for row in await connection.execute(query)
        ]
    return found


def _subscription(one: Subscription, row: sa.Row[Any]) -> dict[str, Any]:
    return {
        "newsletter": one.newsletter,
        "state": one.state,
        "topics": sorted(one.interests.topics),
        "muted_topics": sorted(one.interests.muted),
        "keywords": list(one.interests.keywords),
        "authors": list(one.interests.authors),
        "leave_out": list(one.interests.leave_out),
        "papers_at_most": one.interests.size,
        "frequency": one.frequency,
        "weekday": one.weekday,
        "language": one.language,
        "hour": one.hour,
        "zone": one.zone,
        "tags": list(one.tags),
        "paused_until": str(one.paused_until) if one.paused_until else None,
        "asked_at": _moment(row.asked_at),
        "confirmed_at": _moment(one.confirmed_at),
        "changed_at": _moment(one.changed_at),
        "frequency_changed_at": _moment(one.frequency_at),
        "left_at": _moment(one.left_at),
        "left_reason": one.left_reason,
        "consent": {
            "at": _moment(one.consent_at),
            "source": one.consent_source,
            "version_of_the_text": row.consent_version,
            "keyed_hash_of_the_network": row.consent_network,
        },
        "before_the_last_change": json.loads(row.previous) if row.previous else None,
    }


def _moment(moment: dt.datetime | None) -> str | None:
    return moment.isoformat() if moment else None
