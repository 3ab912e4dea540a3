"""The addresses that are never mailed again, and the domains that the operator blocks or allows."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.storage.database import Database
from subscribers.model import Suppressed
from subscribers.people.lifting import PAGE, Lifting
from subscribers.people.rows import ALLOWED, BLOCKED, address_key, address_keys, domains_of
from subscribers.tables import domain, subscriber, suppression


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSuppression:
    """One suppression: the address where we still know it, and what it is kept as."""

    address: str
    key: str
    reason: Suppressed
    at: dt.datetime


class Suppressions(Lifting):
    async def suppress(self, email: str, reason: Suppressed, now: dt.datetime) -> None:
        """Never mails an address again, on any newsletter, whether it is subscribed or not."""
        async with self._database.write() as connection:
            kept = await suppress(connection, self._database, email, reason, now, self._key)
            await connection.execute(
                sa.update(subscriber).where(subscriber.c.email_key == email.lower()).values(suppressed=kept)
            )

    # --- a list of others, and ours for them

    async def adopt(self, keys: Mapping[str, Suppressed], now: dt.datetime, *, check: bool = False) -> int:
        """Keeps suppressions by what they are known as; returns how many are new. Who is subscribed is found by
        `apply`. With `check` they are counted alone."""
        if not keys:
            return 0
        rows = [{"address_key": key, "reason": reason, "at": now} for key, reason in keys.items()]
        async with self._database.write() as connection:
            there = sa.select(sa.func.count()).select_from(suppression).where(suppression.c.address_key.in_(keys))
            known = (await connection.execute(there)).scalar_one()
            insert = self._database.insert(suppression)
            insert = insert.on_conflict_do_nothing(index_elements=[suppression.c.address_key])
            if not check:
                await connection.execute(insert, rows)
        return len(rows) - known

    async def apply(self) -> int:
        """Suppresses every subscriber whom a suppression or a blocked domain names, since it came without an address;
        returns how many. Reads in pages."""
        changed, last = 0, 0
        while True:
            async with self._database.write() as connection:
                query = sa.select(subscriber.c.id, subscriber.c.email).where(subscriber.c.id > last)
                query = query.where(subscriber.c.suppressed.is_(None)).order_by(subscriber.c.id).limit(PAGE)
                rows = (await connection.execute(query)).all()
                if not rows:
                    return changed
                last = rows[-1].id
                changed += await self._apply(connection, rows)

    async def _apply(self, connection: AsyncConnection, rows: Sequence[Any]) -> int:
        blocked = set(await connection.scalars(sa.select(domain.c.name).where(domain.c.rule == BLOCKED)))
        keys = {key: row.id for row in rows for key in address_keys(row.email, self._key)}
        query = sa.select(suppression.c.address_key, suppression.c.reason)
        found = await connection.execute(query.where(suppression.c.address_key.in_(keys)))
        reasons = {row.id: Suppressed.BLOCKED for row in rows if not blocked.isdisjoint(domains_of(row.email))}
        reasons |= {keys[one.address_key]: Suppressed(one.reason) for one in found}
        for person, reason in reasons.items():
            await connection.execute(sa.update(subscriber).where(subscriber.c.id == person).values(suppressed=reason))
        return len(reasons)

    async def suppressions(self) -> AsyncIterator[ListedSuppression]:
        """All suppressions: first those whose subscribers we know, with their addresses; then the others. In pages."""
        last = 0
        while rows := await self._known_page(last):
            last = rows[-1].id
            keys = {key: row for row in rows for key in address_keys(row.email, self._key)}
            for one in await self._kept(keys):
                yield ListedSuppression(
                    address=keys[one.address_key].email,
                    key=one.address_key,
                    reason=Suppressed(one.reason),
                    at=one.at,
                )
        named = {one async for one in self._named_keys()}
        after = ""
        while others := await self._after(after):
            after = others[-1].address_key
            for one in others:
                if one.address_key not in named:
                    yield ListedSuppression(address="", key=one.address_key, reason=Suppressed(one.reason), at=one.at)

    async def _known_page(self, last: int) -> Sequence[Any]:
        query = sa.select(subscriber.c.id, subscriber.c.email).where(
            subscriber.c.id > last, subscriber.c.suppressed.is_not(None)
        )
        async with self._database.read() as connection:
            return (await connection.execute(query.order_by(subscriber.c.id).limit(PAGE))).all()

    async def _named_keys(self) -> AsyncIterator[str]:
        last = 0
        while rows := await self._known_page(last):
            last = rows[-1].id
            for row in rows:
                for key in address_keys(row.email, self._key):
                    yield key

    async def _kept(self, keys: Collection[str]) -> Sequence[sa.Row[Any]]:
        async with self._database.read() as connection:
            query = sa.select(suppression).where(suppression.c.address_key.in_(keys))
            return (await connection.execute(query.order_by(suppression.c.address_key))).all()

    async def _after(self, key: str) -> Sequence[sa.Row[Any]]:
        query = sa.select(suppression).where(suppression.c.address_key > key)
        async with self._database.read() as connection:
            return (await connection.execute(query.order_by(suppression.c.address_key).limit(PAGE))).all()

    # --- domains

    async def rule(self, name: str, rule: str, now: dt.datetime) -> int:
        """Blocks or allows a domain with all below it; an empty rule forgets it. Returns how many subscribers that
        stops, or lets be mailed again."""
        async with self._database.write() as connection:
            await connection.execute(sa.delete(domain).where(domain.c.name == name))
            if rule:
                await connection.execute(sa.insert(domain).values(name=name, rule=rule, at=now))
        if rule == BLOCKED:
            return await self.apply()
        return await self._unblock(name)

    async def _unblock(self, name: str) -> int:
        below = subscriber.c.email_key.endswith(f".{name}", autoescape=True)
        mine = sa.or_(below, subscriber.c.email_key.endswith(f"@{name}", autoescape=True))
        async with self._database.write() as connection:
            lifted = await connection.execute(
                sa.update(subscriber).where(subscriber.c.suppressed == Suppressed.BLOCKED, mine).values(suppressed=None)
            )
        # another rule or a suppression of their own may still hold some of them
        return lifted.rowcount - await self.apply()

    async def rules(self) -> Sequence[tuple[str, str]]:
        """The domains that are blocked or allowed, each with its rule."""
        async with self._database.read() as connection:
            rows = await connection.execute(sa.select(domain.c.name, domain.c.rule).order_by(domain.c.name))
            return [(row.name, row.rule) for row in rows]

    async def allows(self, email: str) -> bool:
        """Whether the operator has allowed the domain of an address."""
        named = (domain.c.rule == ALLOWED, domain.c.name.in_(domains_of(email)))
        async with self._database.read() as connection:
            return bool(await connection.scalar(sa.select(sa.exists().where(*named))))


async def suppress(
    connection: AsyncConnection,
    database: Database,
    email: str,
    reason: Suppressed,
    now: dt.datetime,
    key: bytes,
    *,
    weakly: bool = False,
) -> Suppressed:
    """Keeps the hash of an address, and returns the reason that counts: the latest, except that an erasure, and
    whatever is said `weakly`, takes the place of no other, and that what its owner declined stays declined."""
    row = database.insert(suppression).values(address_key=address_key(email, key), reason=reason, at=now)
    known = suppression.c.reason
    if weakly or reason is Suppressed.ERASED:
        changed = row.on_conflict_do_nothing(index_elements=[suppression.c.address_key])
    else:
        changed = row.on_conflict_do_update(
            index_elements=[suppression.c.address_key],
            set_={"reason": reason, "at": now},
            where=known.not_in((reason, Suppressed.DECLINED)),
        )
    await connection.execute(changed)
    kept = sa.select(known).where(suppression.c.address_key == address_key(email, key))
    return Suppressed((await connection.execute(kept)).scalar_one())
