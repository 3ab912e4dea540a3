"""The engine and the metadata that all tables are declared on, for SQLite and PostgreSQL alike."""

from __future__ import annotations

import asyncio
import datetime as dt
import errno
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import asyncpg
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Dialect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from flows.outcomes import Problem

if TYPE_CHECKING:
    from alembic.config import Config

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MIGRATION_LOCK = 7_021_346_110
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
"""Of every connection to SQLite: what is committed outlives a lost power supply, what is deleted is overwritten."""
BUSY_TIMEOUT = 10.0
"""Seconds that a writer waits for another on SQLite."""


def milliseconds(moment: dt.datetime) -> int:
    """A moment as the database keeps it."""
    return round(moment.timestamp() * 1000)


class Instant(sa.types.TypeDecorator[dt.datetime]):
    """A moment: aware in Python, milliseconds since 1970 in the database, so that both databases compare alike."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else milliseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        return None if value is None else _EPOCH + dt.timedelta(milliseconds=int(value))


class database_now(FunctionElement[int]):  # noqa: N801 - it reads as the SQL function that it is
    """The database's own clock in milliseconds: the one clock that all workers share."""

    type = sa.BigInteger()
    inherit_cache = True


@compiles(database_now, "sqlite")
def _now_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


@compiles(database_now, "postgresql")
def _now_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"


_GONE = "The database does not answer ({words}): look whether it runs and can be reached, then start this again."
_TROUBLE = (
    (
        ("database or disk is full", "disk full", "no space left", "could not extend file"),
        "The disk is full where the database lies: make room, then start this again; what was recorded is whole.",
    ),
    (
        ("database is locked", "database table is locked"),
        "Another process has kept the database locked for too long: stop what copies or examines it, such as a backup "
        "or an SQLite shell, then start this again. If it is Paperround's own runs, on a busy machine or for many "
        "newsletters, use a PostgreSQL (PAPERROUND_DATABASE_URL).",
    ),
    (
        ("readonly database", "unable to open database file", "permission denied"),
        "The database can't be written: give it and its folder to the user who runs this.",
    ),
    (
        ("database disk image is malformed", "file is not a database"),
        "The database file is damaged: bring it back from a backup, with its -wal file if there is one.",
    ),
    (("too many connections", "remaining connection slots"), "The database takes no more connections: allow more."),
)
"""What databases say, and what that means with its remedy."""


def trouble(error: BaseException) -> str:
    """What is wrong with the database, in a sentence with the remedy; empty where it is not the database's state, such
    as for a statement that is wrong."""
    cause = getattr(error, "orig", None) or error
    if not isinstance(error, sqlite3.Error | asyncpg.PostgresError | asyncpg.InterfaceError | DBAPIError | OSError):
        return ""
    # the driver's own name for it says nothing to an operator
    words = re.sub(r"^<class '[\w.]+'>: ", "", " ".join(str(cause).split())).lower()
    for said, sentence in _TROUBLE:
        if any(one in words for one in said):
            return sentence
    if isinstance(cause, OSError) and cause.errno == errno.ENOSPC:
        return "The disk is full: make room, then start this again; what was recorded is whole."
    lost = getattr(error, "connection_invalidated", False) or isinstance(error, InterfaceError)
    away = ("connection", "shutting down", "starting up", "terminating", "does not accept")
    if not isinstance(cause, OSError) and (lost or any(one in words for one in away)):
        return _GONE.format(words=words[:160].rstrip(" .:"))
    return ""


@contextmanager
def told() -> Iterator[None]:
    """Whatever the database's own state keeps from being done is a Problem with its remedy."""
    try:
        yield
    except (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, sqlite3.Error) as error:
        if sentence := trouble(error):
            raise Problem(sentence) from error
        raise
    except ConnectionError as error:
        raise Problem(_GONE.format(words=str(error)[:160].rstrip(" .:") or "the connection was lost")) from error


_TRIES, _PATIENCE_MS = 20, 250
_NOT_OVERWRITTEN, _OVERWRITTEN = 0, 1
"""The database's own number (`PRAGMA user_version`): whether what was erased may be in unused parts of its file."""
REWRITTEN_AT_ONCE = 16_000_000
"""Bytes of an SQLite file that are rewritten with each erasure, in a quarter of a second; more wait for the night."""


class Database:
    """Short transactions on one database. Nothing waits for the network inside of one."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._reading = engine.execution_options(paperround_begin="BEGIN")
        self._writing = engine.execution_options(paperround_begin="BEGIN IMMEDIATE")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that reads. Raises Problem where the database can't do what it should."""
        with told():
            async with self._reading.begin() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that may write. On SQLite it takes the write lock at once: one that reads first and then
        writes would fail as soon as another process has written in between, whatever the timeout. Raises Problem
        where the database can't do what it should."""
        with told():
            async with self._writing.begin() as connection:
                yield connection

    def insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows ON CONFLICT."""
        return sqlite.insert(table) if self.engine.dialect.name == "sqlite" else postgresql.insert(table)

    async def scrub(self) -> bool:
        """Takes what was deleted out of SQLite's write-ahead log as well. False: somebody reads an older state and kept
        it from it; the next call does it. PostgreSQL and backups keep what they keep."""
        if self.engine.dialect.name != "sqlite":
            return True
        for _ in range(_TRIES):
            # readers and writers are left in peace in between: a checkpoint that waits for one holds up the others
            if await self._pragma(f"busy_timeout={_PATIENCE_MS}", "wal_checkpoint(TRUNCATE)") == 0:
                return True
            await asyncio.sleep(_PATIENCE_MS / 1000)
        return False

    async def erased(self, *, at_once: int = REWRITTEN_AT_ONCE) -> bool:
        """After an erasure: has an SQLite file of at most so many bytes rewritten, a larger one by the next
        `rewrite_once`, and scrubs. What is deleted is overwritten, but of a row that SQLite moved before a copy may be
        left in the unused part of a page, which it does not overwrite. Returns as `scrub`."""
        if self.engine.dialect.name == "sqlite":
            with told():
                pages = await self._pragma(f"user_version={_NOT_OVERWRITTEN}", "page_count")
            if (pages or 0) * (await self._pragma("page_size") or 0) <= at_once:
                with suppress(sqlite3.OperationalError):  # somebody writes, or the disk is full: the night does it
                    await self.rewrite_once()
        return await self.scrub()

    async def rewrite_once(self) -> None:
        """Rewrites an SQLite database in the unused parts of whose file may be what was erased: since it was rewritten
        last, or by an earlier version."""
        if self.engine.dialect.name == "sqlite" and await self._pragma("user_version") != _OVERWRITTEN:
            await self._pragma("VACUUM", f"user_version={_OVERWRITTEN}")

    async def _pragma(self, *statements: str) -> int | None:
        """What the last one returns first, outside of any transaction."""
        async with self.engine.connect() as connection:
            raw: Any = (await connection.get_raw_connection()).driver_connection
            found = None
            try:
                for statement in statements:
                    cursor = await raw.execute(statement if statement == "VACUUM" else f"PRAGMA {statement}")
                    row = await cursor.fetchone()
                    await cursor.close()
                    found = row[0] if row else None
            finally:
                await (await raw.execute(f"PRAGMA busy_timeout={round(BUSY_TIMEOUT * 1000)}")).close()
            return found

    async def close(self) -> None:
        await self.engine.dispose()


def _prepare_sqlite(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def pragmas(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself: see below
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("paperround_begin", "BEGIN"))


def one_row(table: sa.Table, *conditions: sa.ColumnElement[bool], of: Sequence[sa.Table]) -> sa.ScalarSelect[int]:
    """1 where a row of the table fits, else null: asked for each row of the tables `of` by itself, by an index.

    Of EXISTS PostgreSQL may make a join, which reads all rows of an edition that it has not counted yet, each time.
    """
    return sa.select(sa.literal(1)).select_from(table).where(*conditions).limit(1).correlate(*of).scalar_subquery()


def _prepare_postgresql(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def settings(connection: Any, record: Any) -> None:
        # with large tables PostgreSQL compiles statements: 0.3 s for what then takes 10 ms
        connection.run_async(lambda driver: driver.execute("SET jit = off"))


DECODES = make_url("sqlite:///%41").database == "A"
"""Whether SQLAlchemy reads the percent-encoding of a database's name, as it does from 2.1 on."""


def connect(url: str) -> Database:
    """A database that is opened at its first use. `url` names the driver, as `Settings.database` does."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Problem(
            "PAPERROUND_DATABASE_URL is no URL: use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."
        ) from error
    if parsed.get_backend_name() != "sqlite":
        engine = create_async_engine(_with_ssl(parsed), pool_pre_ping=True, pool_size=10, hide_parameters=True)
        _prepare_postgresql(engine)
        return Database(engine)
    if parsed.database and not parsed.database.startswith("file:"):
        # in a URL a sign such as ? is encoded; before 2.1 SQLAlchemy takes the file's name as it stands
        parsed = parsed.set(database=parsed.database if DECODES else unquote(parsed.database))
    if parsed.database:
        try:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Problem(
                f"The folder of the database {parsed.database} can't be made ({error.strerror}): "
                "check PAPERROUND_DATABASE_URL."
            ) from error
    engine = create_async_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT}, hide_parameters=True)
    _prepare_sqlite(engine)
    return Database(engine)


def _with_ssl(url: URL) -> URL:
    """The URL with libpq's `sslmode`, which everybody writes, under the name that our driver knows."""
    mode = url.query.get("sslmode")
    return url if mode is None else url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})


async def migrate(database: Database, revision: str = "head") -> None:
    """Brings the schema up to date, or to a `revision`; several processes may do so at the same time.

    Raises Problem when the database can't be reached or is newer than this program.
    """
    if revision == "head" and await is_current(database):
        return  # every process looks, and on SQLite one that may write keeps all others from writing
    with _explained(database):
        async with database._writing.begin() as connection:
            if database.engine.dialect.name == "postgresql":
                await connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            await connection.run_sync(_upgrade, revision)


async def is_current(database: Database) -> bool:
    """Whether the schema is the one that this program works with; nothing is changed. Raises Problem when the database
    can't be reached."""
    with _explained(database):
        async with database._reading.begin() as connection:
            return await connection.run_sync(_is_current)


@contextmanager
def _explained(database: Database) -> Iterator[None]:
    try:
        yield
    except (OSError, DBAPIError, asyncpg.PostgresError) as error:
        if any(one in str(error) for one in ("full", "locked")) and (sentence := trouble(error)):
            raise Problem(sentence) from error
        where = database.engine.url.render_as_string(hide_password=True)
        words = str(getattr(error, "orig", error) or error).splitlines()[0]
        raise Problem(f"The database {where} can't be used ({words}): check PAPERROUND_DATABASE_URL.") from error


# Alembic costs a third of a second to import: only a process that opens the database pays for it.


def _config(connection: Connection) -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection, revision: str) -> None:
    from alembic import command  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    try:
        command.upgrade(_config(connection), revision)
    except CommandError as error:
        raise Problem(
            f"The database belongs to another version of Paperround ({error}): upgrade the program."
        ) from error


async def revision_of(database: Database) -> str:
    """Which schema it has; empty: none of ours."""
    with _explained(database):
        async with database._reading.begin() as connection:
            return await connection.run_sync(_revision)


def knows(revision: str) -> bool:
    """Whether this program can bring a database of that schema up to date."""
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return any(one.revision == revision for one in ScriptDirectory.from_config(config).walk_revisions())


def _revision(connection: Connection) -> str:
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

    return MigrationContext.configure(connection).get_current_revision() or ""


def _is_current(connection: Connection) -> bool:
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    newest = ScriptDirectory.from_config(_config(connection)).get_current_head()
    return _revision(connection) == newest
