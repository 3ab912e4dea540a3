"""When the next messages may leave: turns that all workers and machines take from the one database, so that limits hold
for all of them together, however many there are.

A rate's turns come one after another. Of a window, what has left is counted by steps, each of which counts until all of
it is out of the window: so no stretch of that length ever holds more than the limit. Turns are taken in blocks, and
what was not used of one is given back with the next.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.storage.database import Database, database_now, metadata
from flows.turns import DAY, Asked, Granted, RollingWindow, Used, WarmUp, grows, openings, opens_at, room

turn = sa.Table(
    "turn",
    metadata,
    sa.Column("place", sa.String(255), primary_key=True, comment="a domain; empty: all together"),
    sa.Column(
        "free_at", sa.BigInteger, nullable=False, comment="the first turn not taken, in ms of the database's clock"
    ),
)
turns_taken = sa.Table(
    "turns_taken",
    metadata,
    sa.Column("place", sa.String(255), primary_key=True, comment="a domain; empty: all together"),
    sa.Column("seconds", sa.Integer, primary_key=True, autoincrement=False, comment="the length of the window"),
    sa.Column("began", sa.BigInteger, primary_key=True, autoincrement=False, comment="a step, seconds since 1970"),
    sa.Column("count", sa.Integer, nullable=False),
)
warm_up = sa.Table(
    "warm_up",
    metadata,
    sa.Column("place", sa.String(255), primary_key=True, comment="a domain; empty: all together"),
    sa.Column("step", sa.Integer, nullable=False, comment="how many days it has grown"),
    sa.Column("began", sa.BigInteger, nullable=False, comment="when its present day began, seconds since 1970"),
    sa.Column("taken", sa.Integer, nullable=False, comment="turns of the present day, as all that follows"),
    sa.Column("replies", sa.Integer, nullable=False),
    sa.Column("deferred", sa.Integer, nullable=False),
)


class Turns:
    """The turns of each place. A rate goes by the database's clock, windows by `now`, as what is due does."""

    def __init__(self, database: Database, now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)) -> None:
        self._database = database
        self._now = now
        self._last: dict[tuple[str, int], int] = {}
        """The step of each window in which the latest turns were granted here."""

    async def reserve(self, asked: Asked) -> Granted:
        """Takes the next turns of a place: at most as many as were asked for, which nobody else gets; or says when
        there will be some. Turns that nobody used in time are lost to the rate, and go back to the windows."""
        async with self._database.write() as connection:
            # it locks the place as well: others that ask for it wait for the end of this transaction
            ahead = await self._in_a_row(connection, asked.place, asked.turns, asked.rate)
            if not asked.windows and asked.warm_up is None:
                return Granted(asked.turns, ahead)
            now = self._now().timestamp()
            day = await self._warm(connection, asked, asked.warm_up, now) if asked.warm_up else None
            windows = _with_warm_up(asked, day)
            for window in windows:
                await self._count(connection, asked.place, window, now, asked.taken)
            used = {window.seconds: await self._used(connection, asked, window, now) for window in windows}
            free = min(room(window, used[window.seconds], now) for window in windows)
            turns = asked.turns if asked.urgent else min(asked.turns, free)
            for window in windows:
                await self._count(connection, asked.place, window, now, turns)
            if asked.warm_up:
                taken = warm_up.c.taken + turns
                mine = sa.update(warm_up).where(warm_up.c.place == asked.place)
                await connection.execute(mine.values(taken=taken))
        if turns or not asked.turns:
            return Granted(turns, ahead)
        full = [window for window in windows if not room(window, used[window.seconds], now)]
        # the one that keeps it closed the longest
        waits, window = max(
            ((_openings(window, used[window.seconds], now, asked.warm_up, day), window) for window in full),
            key=lambda one: one[0][0][0],
        )
        said = f"{window}, PAPERROUND_MAIL_WARM_UP" if window not in asked.windows else str(window)
        return Granted(0, 0.0, waits, said)

    async def _in_a_row(self, connection: AsyncConnection, place: str, turns: int, rate: float) -> float:
        """Takes turns of a rate; in how many seconds the first one comes."""
        span = math.ceil(1000 * turns / rate) if rate else 0
        begun = self._database.insert(turn).values(place=place, free_at=database_now() + span)
        free_at = sa.case((turn.c.free_at > database_now(), turn.c.free_at), else_=database_now())
        taken = begun.on_conflict_do_update(index_elements=[turn.c.place], set_={"free_at": free_at + span})
        ahead = turn.c.free_at - span - database_now()
        found = await connection.scalar(taken.returning(ahead))
        return max(found or 0, 0) / 1000

    async def _used(self, connection: AsyncConnection, asked: Asked, window: RollingWindow, now: float) -> Used:
        """What counts of a window; what was given back is taken off, and what is out of it is forgotten."""
        mine = (turns_taken.c.place == asked.place, turns_taken.c.seconds == window.seconds)
        granted_in = self._last.get((asked.place, window.seconds))
        if asked.unused and granted_in is not None:
            left = sa.case((turns_taken.c.count > asked.unused, turns_taken.c.count - asked.unused), else_=0)
            back = sa.update(turns_taken).where(*mine, turns_taken.c.began == granted_in)
            await connection.execute(back.values(count=left))
        query = sa.select(turns_taken.c.began, turns_taken.c.count).where(*mine).order_by(turns_taken.c.began)
        rows = [(began, count) for began, count in await connection.execute(query)]
        counts = [row for row in rows if opens_at(window, row[0]) > now]
        if len(counts) < len(rows):
            oldest = counts[0][0] if counts else math.ceil(now)
            await connection.execute(sa.delete(turns_taken).where(*mine, turns_taken.c.began < oldest))
        return counts

    async def _count(
        self, connection: AsyncConnection, place: str, window: RollingWindow, now: float, turns: int
    ) -> None:
        if not turns:
            return
        began = int(now // window.step * window.step)
        row = self._database.insert(turns_taken).values(place=place, seconds=window.seconds, began=began, count=turns)
        key = [turns_taken.c.place, turns_taken.c.seconds, turns_taken.c.began]
        more = row.on_conflict_do_update(index_elements=key, set_={"count": turns_taken.c.count + turns})
        await connection.execute(more)
        self._last[place, window.seconds] = began

    async def _warm(self, connection: AsyncConnection, asked: Asked, warming: WarmUp, now: float) -> _Day:
        """The present day of a place's warm-up, which begins with the first message and goes on where it went well."""
        fresh = self._database.insert(warm_up).values(
            place=asked.place, step=0, began=math.ceil(now), taken=0, replies=0, deferred=0
        )
        await connection.execute(fresh.on_conflict_do_nothing())
        mine = warm_up.c.place == asked.place
        row = (await connection.execute(sa.select(warm_up).where(mine))).one()
        day = _Day(row.step, row.began, max(row.taken - asked.unused, 0) + asked.taken)
        replies, deferred = row.replies + asked.replies, row.deferred + asked.deferred
        if (days := int(now - row.began) // DAY) > 0:
            on = grows(warming.allowed(day.step), day.taken, replies, deferred)
            day = _Day(day.step + on, day.began + days * DAY, 0)
            replies = deferred = 0
        day.goes_on = grows(warming.allowed(day.step), day.taken, replies, deferred)
        kept = {"step": day.step, "began": day.began, "taken": day.taken, "replies": replies, "deferred": deferred}
        await connection.execute(sa.update(warm_up).where(mine).values(kept))
        return day


class _Day:
    """A day of a warm-up."""

    def __init__(self, step: int, began: int, taken: int) -> None:
        self.step, self.began, self.taken = step, began, taken
        self.goes_on = False
        """Whether more is allowed when it ends, as it stands now."""


def _with_warm_up(asked: Asked, day: _Day | None) -> tuple[RollingWindow, ...]:
    """The windows of a place; that of a day is as its warm-up allows."""
    if day is None or asked.warm_up is None:
        return asked.windows
    allowed = asked.warm_up.allowed(day.step)
    of_a_day = [window for window in asked.windows if window.seconds == DAY and window.count <= allowed]
    others = [window for window in asked.windows if window.seconds != DAY]
    return (*others, of_a_day[0] if of_a_day else RollingWindow(allowed, DAY))


def _openings(
    window: RollingWindow, used: Used, now: float, warming: WarmUp | None, day: _Day | None
) -> tuple[tuple[float, int], ...]:
    found = openings(window, used, now)
    if warming is not None and day is not None and window.count == warming.allowed(day.step) and day.goes_on:
        more = warming.allowed(day.step + 1) - window.count
        found = tuple(sorted((*found, (day.began + DAY - now, more))))
    return found or ((float(window.step), 1),)
