"""The ledger's tables, and the values that it hands out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from flows.database import Instant, metadata
from subscribers.model import Subscription

delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("edition_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("subscription_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at", Instant, comment="not before; null: at once"),
    sa.Column("first_at", Instant, comment="when its first attempt began"),
    sa.Column("changed_at", Instant),
    sa.Column("lease", sa.String(22), comment="the token under which it was last marked"),
    sa.Column("code", sa.Integer, comment="the server's last reply, or null"),
    sa.Column("words", sa.Text, nullable=False, comment="the server's last words, or why it was skipped"),
    # No index on state: without one PostgreSQL updates a row in place; the migration leaves its pages the room.
    sqlite_with_rowid=False,
)
batch = sa.Table(
    "batch",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("edition_id", sa.Integer, nullable=False, index=True),
    sa.Column("lo", sa.Integer, nullable=False, comment="the first subscription"),
    sa.Column("hi", sa.Integer, nullable=False, comment="the last one"),
    sa.Column("next_at", Instant, comment="when its next delivery is due; null: all are final"),
    sa.Column("lease_until", sa.BigInteger, comment="milliseconds of the database's clock"),
    sa.Column("lease", sa.String(22)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A batch that this worker owns for now."""

    id: int
    edition_id: int
    lo: int
    hi: int
    lease: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A delivery to attempt. `subscription` is None where the person has been erased."""

    subscription_id: int
    attempts: int
    first_at: dt.datetime | None
    doubtful: bool
    """An earlier attempt is uncertain: the reader may have the message."""
    subscription: Subscription | None
