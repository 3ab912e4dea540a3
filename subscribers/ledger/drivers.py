"""The database's own drivers, for the one path where SQLAlchemy would cost more than the rest of a delivery: changes
of single rows of the ledger, a group in a transaction.

On SQLite a connection of our own writes; on PostgreSQL one prepared statement takes the whole group, in one round trip.
Both make the same changes under the same conditions.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import asyncpg
import sqlalchemy as sa

from flows.storage.database import BUSY_TIMEOUT, PRAGMAS, Database
from subscribers.ledger.model import Claim

BUSY = 0.001
"""Seconds after which a database that another transaction has locked is asked again."""


class ChangeKind(StrEnum):
    MARK = "mark"
    RECORD = "record"
    REFUSE = "refuse"
    """An outcome of a row that was never marked: nothing of its content has left."""
    SKIP = "skip"
    PUT_OFF = "put off"
    """Nothing was asked: it is due later."""


@dataclass(slots=True)
class RowChange:
    """One change of one delivery: what must be found (`before`, `token`), and what it becomes."""

    kind: ChangeKind
    claim: Claim
    reader: int
    now: int
    """Milliseconds, as all times here."""
    before: int = 0
    """How many attempts the row must have."""
    token: str = ""
    expected: str = ""
    """The state that the reader's subscription must have, with this revision and this address."""
    revision: int = 0
    email: str = ""
    becomes: str = ""
    due: int | None = None
    made: int = 0
    first: int | None = None
    code: int | None = None
    words: str = ""

    @property
    def key(self) -> tuple[int, int]:
        return self.claim.edition_id, self.reader

    @property
    def needs_lease(self) -> bool:
        """A late outcome is welcome; everything else is for the owner of the batch."""
        return self.kind is not ChangeKind.RECORD


class Driver(Protocol):
    @property
    def gather(self) -> float:
        """Seconds that a group waits for more changes."""

    async def write(self, changes: Sequence[RowChange]) -> list[bool]:
        """Makes the changes in one transaction, each of another row; says which of them found their row as it must be.
        The leases of their batches are renewed on the way."""

    async def is_marked(self, change: RowChange) -> bool:
        """Whether this very mark has been made: the answer to its commit was lost."""

    def close(self) -> None: ...


def driver(database: Database, lease: dt.timedelta) -> Driver:
    """The driver for a database; it is closed with it."""
    milliseconds = round(lease / dt.timedelta(milliseconds=1))
    made: Driver = (
        SqliteDriver(database, milliseconds)
        if database.engine.dialect.name == "sqlite"
        else PostgresqlDriver(database, milliseconds)
    )
    sa.event.listen(database.engine.sync_engine, "engine_disposed", lambda _: made.close())
    return made


class SqliteDriver:
    """A connection of its own, opened at the first change and used in the event loop's own thread.

    A commit takes a fraction of a millisecond on a solid-state disk. To hand the group to another thread and back took
    twice that and a fifth more of the processor: two threads of Python wait for each other at every statement.
    """

    gather = 0.001
    """A commit takes as long for many changes as for one: groups are worth waiting for."""

    def __init__(self, database: Database, lease: int) -> None:
        self._file = database.engine.url.database or ""
        self._lease = lease
        self._connection: sqlite3.Connection | None = None

    async def write(self, changes: Sequence[RowChange]) -> list[bool]:
        late = time.monotonic() + BUSY_TIMEOUT
        while True:
            try:
                self._connection = self._connection or self._open()
                return self._commit(self._connection, changes)
            except sqlite3.OperationalError as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > late:
                    raise
            # the loop goes on meanwhile: whoever holds the lock may need it
            await asyncio.sleep(BUSY)

    async def is_marked(self, change: RowChange) -> bool:
        self._connection = self._connection or self._open()
        found = self._connection.execute(_MARKED_SQLITE, (*change.key, change.token, change.before + 1))
        return found.fetchone() is not None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=0, isolation_level=None)
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _commit(self, connection: sqlite3.Connection, changes: Sequence[RowChange]) -> list[bool]:
        execute = connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            claims = {change.claim for change in changes if change.needs_lease}
            owned = {claim for claim in claims if self._owned(connection, claim)}
            counts = [
                (not change.needs_lease or change.claim in owned)
                and execute(_SQLITE[change.kind], _ARGUMENTS[change.kind](change)).rowcount == 1
                for change in changes
            ]
            for change in changes:
                if change.kind is ChangeKind.RECORD and change.due is not None:
                    execute(_SQLITE_LOOK, (change.due, change.claim.id, change.claim.lease))
            execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                execute("ROLLBACK")
            raise
        return counts

    def _owned(self, connection: sqlite3.Connection, claim: Claim) -> bool:
        left = connection.execute(_SQLITE_LEFT, (claim.id, claim.lease)).fetchone()
        if left is None:
            return False
        if (left[0] or 0) < self._lease * 2 / 3:  # a row less to write in most transactions
            connection.execute(_SQLITE_RENEW, (self._lease, claim.id))
        return True


# the database's clock, as in flows.storage.database.database_now
_SQLITE_LEFT = """
    SELECT lease_until - CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) FROM batch
    WHERE id = ? AND lease = ?"""
_SQLITE_RENEW = """
    UPDATE batch SET lease_until = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) + ? WHERE id = ?"""
# What is recorded after the batch has gone to another, or was given back: somebody has to look at it in time.
_SQLITE_LOOK = """
    UPDATE batch SET next_at = ?1 WHERE id = ?2 AND lease IS NOT ?3 AND (next_at IS NULL OR next_at > ?1)"""
_MARKED_SQLITE = """
    SELECT 1 FROM delivery WHERE edition_id = ? AND subscription_id = ? AND state = 'sending' AND lease = ?
    AND attempts = ?"""
_MARKED_POSTGRESQL = """
    SELECT 1 FROM delivery WHERE edition_id = $1 AND subscription_id = $2 AND state = 'sending' AND lease = $3
    AND attempts = $4"""

_SQLITE = {
    ChangeKind.MARK: """
        UPDATE delivery SET state = 'sending', attempts = attempts + 1, first_at = coalesce(first_at, ?1),
            changed_at = ?1, lease = ?2
        WHERE edition_id = ?3 AND subscription_id = ?4 AND attempts = ?5
        AND state IN ('pending', 'deferred', 'uncertain')
        AND EXISTS (SELECT 1 FROM subscription s JOIN subscriber p ON p.id = s.subscriber_id
            WHERE s.id = ?4 AND s.state = ?6 AND s.revision = ?7 AND p.email = ?8 AND p.suppressed IS NULL)""",
    ChangeKind.RECORD: """
        UPDATE delivery SET state = ?1, due_at = ?2, attempts = ?3, first_at = ?4, changed_at = ?5, code = ?6,
            words = ?7
        WHERE edition_id = ?8 AND subscription_id = ?9 AND lease = ?10 AND state IN ('sending', 'uncertain')""",
    ChangeKind.REFUSE: """
        UPDATE delivery SET state = ?1, due_at = ?2, attempts = ?3, first_at = ?4, changed_at = ?5, code = ?6,
            words = ?7, lease = ?8
        WHERE edition_id = ?9 AND subscription_id = ?10 AND attempts = ?11
        AND state IN ('pending', 'deferred', 'uncertain')""",
    ChangeKind.SKIP: """
        UPDATE delivery SET state = 'skipped', due_at = NULL, changed_at = ?1, words = ?2
        WHERE edition_id = ?3 AND subscription_id = ?4 AND attempts = ?5
        AND state IN ('pending', 'deferred', 'uncertain')""",
    ChangeKind.PUT_OFF: """
        UPDATE delivery SET due_at = ?1 WHERE edition_id = ?2 AND subscription_id = ?3 AND attempts = ?4
        AND state IN ('pending', 'deferred', 'uncertain')""",
}
_ARGUMENTS: dict[ChangeKind, Callable[[RowChange], tuple[Any, ...]]] = {
    ChangeKind.MARK: lambda c: (c.now, c.token, *c.key, c.before, c.expected, c.revision, c.email),
    ChangeKind.RECORD: lambda c: (c.becomes, c.due, c.made, c.first, c.now, c.code, c.words, *c.key, c.token),
    ChangeKind.REFUSE: lambda c: (c.becomes, c.due, c.made, c.first, c.now, c.code, c.words, c.token, *c.key, c.before),
    ChangeKind.SKIP: lambda c: (c.now, c.words, *c.key, c.before),
    ChangeKind.PUT_OFF: lambda c: (c.due, *c.key, c.before),
}


class PostgresqlDriver:
    """A connection of its own, opened at the first change and again after it was lost."""

    gather = 0.001
    """A statement costs the server as much as the changes in it: groups are worth waiting for."""

    def __init__(self, database: Database, lease: int) -> None:
        _, self._arguments = database.engine.dialect.create_connect_args(database.engine.url)
        self._lease = lease
        self._connection: asyncpg.Connection | None = None
        self._statement: Any = None

    async def write(self, changes: Sequence[RowChange]) -> list[bool]:
        if self._connection is None or self._connection.is_closed():
            arguments = {name: value for name, value in self._arguments.items() if not name.startswith("prepared_")}
            self._connection = await asyncpg.connect(**arguments)
            # The only statement: each row by its key, also where the plan was made for a table that was empty then.
            await self._connection.execute(
                "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off"
            )
            self._statement = await self._connection.prepare(_POSTGRESQL)
        claims = list({change.claim for change in changes if change.needs_lease})
        columns = [[getter(change) for change in changes] for getter in _COLUMNS]
        found = await self._statement.fetch(
            self._lease, [claim.id for claim in claims], [claim.lease for claim in claims], *columns
        )
        counts = [False] * len(changes)
        for row in found:
            counts[row[0] - 1] = True
        return counts

    async def is_marked(self, change: RowChange) -> bool:
        if self._connection is None:  # the write before this has opened it
            return False
        found = await self._connection.fetchval(_MARKED_POSTGRESQL, *change.key, change.token, change.before + 1)
        return found is not None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = self._statement = None


_COLUMNS: Sequence[Callable[[RowChange], Any]] = (
    lambda c: c.kind.value,
    lambda c: c.claim.id,
    lambda c: c.claim.edition_id,
    lambda c: c.reader,
    lambda c: c.now,
    lambda c: c.before,
    lambda c: c.token,
    lambda c: c.expected,
    lambda c: c.revision,
    lambda c: c.email,
    lambda c: c.becomes,
    lambda c: c.due,
    lambda c: c.made,
    lambda c: c.first,
    lambda c: c.code,
    lambda c: c.words,
)
# Batches before deliveries, as all lock them: `renewed` is counted before the first delivery is touched.
_POSTGRESQL = """
    WITH lease AS (SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now),
    held AS (
        SELECT batch.id FROM unnest($2::int[], $3::text[]) AS claim(id, lease)
        JOIN batch ON batch.id = claim.id AND batch.lease = claim.lease
    ),
    renewed AS (
        UPDATE batch SET lease_until = (SELECT now FROM lease) + $1
        FROM unnest($2::int[], $3::text[]) AS claim(id, lease)
        WHERE batch.id = claim.id AND batch.lease = claim.lease
        AND batch.lease_until < (SELECT now FROM lease) + $1 * 2 / 3
        RETURNING batch.id
    ),
    given AS MATERIALIZED (
        SELECT * FROM unnest($4::text[], $5::int[], $6::int[], $7::int[], $8::bigint[], $9::int[], $10::text[],
            $11::text[], $12::int[], $13::text[], $14::text[], $15::bigint[], $16::int[], $17::bigint[], $18::int[],
            $19::text[])
        WITH ORDINALITY AS given(kind, batch_id, edition_id, subscription_id, now, before, token, expected, revision,
            email, becomes, due, made, first, code, words, place)
    ),
    looked AS (
        UPDATE batch SET next_at = late.due FROM (
            SELECT batch_id, token, min(due) AS due FROM given WHERE kind = 'record' AND due IS NOT NULL
            GROUP BY batch_id, token) AS late
        WHERE batch.id = late.batch_id AND batch.lease IS DISTINCT FROM late.token
        AND (batch.next_at IS NULL OR batch.next_at > late.due)
        RETURNING batch.id
    ),
    change AS MATERIALIZED (
        SELECT * FROM given
        WHERE (SELECT count(*) FROM renewed) + (SELECT count(*) FROM looked) >= 0
        AND (kind = 'record' OR batch_id IN (SELECT id FROM held))
    ),
    changed AS (
        UPDATE delivery SET
            state = CASE change.kind WHEN 'mark' THEN 'sending' WHEN 'skip' THEN 'skipped'
                WHEN 'put off' THEN delivery.state ELSE change.becomes END,
            attempts = CASE change.kind WHEN 'mark' THEN delivery.attempts + 1
                WHEN 'skip' THEN delivery.attempts WHEN 'put off' THEN delivery.attempts ELSE change.made END,
            first_at = CASE change.kind WHEN 'mark' THEN coalesce(delivery.first_at, change.now)
                WHEN 'skip' THEN delivery.first_at WHEN 'put off' THEN delivery.first_at ELSE change.first END,
            due_at = CASE change.kind WHEN 'mark' THEN delivery.due_at WHEN 'skip' THEN NULL ELSE change.due END,
            changed_at = CASE change.kind WHEN 'put off' THEN delivery.changed_at ELSE change.now END,
            lease = CASE WHEN change.kind IN ('mark', 'refuse') THEN change.token ELSE delivery.lease END,
            code = CASE WHEN change.kind IN ('record', 'refuse') THEN change.code ELSE delivery.code END,
            words = CASE WHEN change.kind IN ('mark', 'put off') THEN delivery.words ELSE change.words END
        FROM change
        WHERE delivery.edition_id = change.edition_id AND delivery.subscription_id = change.subscription_id
        AND CASE change.kind
            WHEN 'record' THEN delivery.lease = change.token AND delivery.state IN ('sending', 'uncertain')
            ELSE delivery.attempts = change.before AND delivery.state IN ('pending', 'deferred', 'uncertain') END
        AND (change.kind <> 'mark' OR EXISTS (
            SELECT 1 FROM subscription JOIN subscriber ON subscriber.id = subscription.subscriber_id
            WHERE subscription.id = change.subscription_id AND subscription.state = change.expected
            AND subscription.revision = change.revision AND subscriber.email = change.email
            AND subscriber.suppressed IS NULL))
        RETURNING change.place
    )
    SELECT place FROM changed"""
