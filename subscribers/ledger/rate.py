"""When the next messages may leave: turns that all workers and machines take from the one database, so that a rate
holds for all of them together, however many there are."""

from __future__ import annotations

import math

import sqlalchemy as sa

from flows.storage.database import Database, database_now, metadata

turn = sa.Table(
    "turn",
    metadata,
    sa.Column("place", sa.String(255), primary_key=True, comment="a domain; empty: all together"),
    sa.Column(
        "free_at", sa.BigInteger, nullable=False, comment="the first turn not taken, in ms of the database's clock"
    ),
)


class Turns:
    """The turns of each place."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, place: str, turns: int, rate: float) -> float:
        """Takes the next `turns` of a place, `rate` of which come in a second; in how many seconds the first one does.

        Nobody else gets them. Turns that nobody asked for in time are lost.
        """
        span = math.ceil(1000 * turns / rate)
        begun = self._database.insert(turn).values(place=place, free_at=database_now() + span)
        free_at = sa.case((turn.c.free_at > database_now(), turn.c.free_at), else_=database_now())
        taken = begun.on_conflict_do_update(index_elements=[turn.c.place], set_={"free_at": free_at + span})
        ahead = turn.c.free_at - span - database_now()
        async with self._database.write() as connection:
            found = await connection.scalar(taken.returning(ahead))
        return max(found or 0, 0) / 1000
