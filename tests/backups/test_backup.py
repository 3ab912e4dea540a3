"""An installation goes into a file while its edition is delivered, and comes back from it; on both databases."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from flows.backups.backup import back_up, restore
from flows.config.installation import check_keys
from flows.config.settings import Settings
from flows.editions.model import Kind
from flows.outcomes import Outcome, Problem, Stage, Verdict
from flows.storage.database import Database, connect
from subscribers.ledger.ledger import Ledger
from subscribers.ledger.uncertain import HeldDeliveries
from subscribers.model import DeliveryState
from subscribers.people.store import Change, Subscribers
from subscribers.tables import delivery, subscriber

NOW = dt.datetime(2026, 6, 9, 17, 0, tzinfo=dt.UTC)
READERS = 300
SENT = Outcome(Verdict.SENT, Stage.CONTENT, 250, "2.0.0", "taken")


def settings_of(database: Database, home: Path) -> Settings:
    url = database.engine.url.render_as_string(hide_password=False)
    return Settings(_env_file=None, home_dir=home, database_url=url)


@pytest.fixture
async def elsewhere(database: Database, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database of the same kind, as on another machine."""
    if database.engine.dialect.name == "sqlite":
        there = connect(f"sqlite+aiosqlite:///{tmp_path / 'elsewhere.db'}")
    else:
        server = create_async_engine(database.engine.url, isolation_level="AUTOCOMMIT")
        async with server.connect() as connection:
            await connection.execute(sa.text("DROP DATABASE IF EXISTS elsewhere"))
            await connection.execute(sa.text("CREATE DATABASE elsewhere"))
        await server.dispose()
        there = connect(database.engine.url.set(database="elsewhere").render_as_string(hide_password=False))
    yield there
    await there.close()


@pytest.fixture
async def settings(database: Database, tmp_path: Path) -> Settings:
    """An installation with keys and readers, whose edition is open."""
    made = settings_of(database, tmp_path / "home")
    await check_keys(database, made)
    assert made.login  # it is made when it is asked for
    changes = [Change(email=f"reader{n}@example.org", newsletter="daily", columns={}) for n in range(READERS)]
    await Subscribers(database, made.hashing_key).keep(changes, NOW)
    await Ledger(database).open(1, "daily", Kind.DAILY, NOW.date(), NOW, at_once=False)
    return made


async def _deliver(ledger: Ledger, begun: asyncio.Event) -> None:
    """Marks and records one reader after the other, as senders do."""
    claim = await ledger.claim(1, NOW)
    assert claim is not None
    for one in await ledger.due(claim, NOW):
        await ledger.mark(one, NOW)
        await asyncio.sleep(0.002)
        await ledger.record(one, SENT, NOW, marked=True)
        begun.set()


async def states(database: Database) -> Counter[str]:
    async with database.read() as connection:
        return Counter((await connection.scalars(sa.select(delivery.c.state))).all())


async def test_what_was_not_sent_by_then_is_uncertain_and_waits_for_the_operator(
    database: Database, elsewhere: Database, settings: Settings, tmp_path: Path
) -> None:
    begun, file, ledger = asyncio.Event(), tmp_path / "paperround.tar.gz", Ledger(database)
    delivering = asyncio.create_task(_deliver(ledger, begun))
    await begun.wait()
    assert await back_up(settings, file) == []
    still_delivering = not delivering.done()
    delivering.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await delivering
    await ledger.settled()
    assert still_delivering
    assert file.stat().st_mode & 0o077 == 0

    there = settings_of(elsewhere, tmp_path / "new home")
    done = await restore(there, file)
    found = await states(elsewhere)
    assert sum(found.values()) == READERS
    assert set(found) == {DeliveryState.SENT, DeliveryState.UNCERTAIN}
    assert done.doubtful == found[DeliveryState.UNCERTAIN]
    assert 0 < found[DeliveryState.SENT] <= (await states(database))[DeliveryState.SENT]
    assert await Ledger(elsewhere).claim(1, NOW + dt.timedelta(days=1)) is None  # nothing is sent by itself
    assert await HeldDeliveries(elsewhere).resend(1, NOW) == done.doubtful  # but all of it where the operator says so
    assert (there.keys, there.hashing_key, there.login) == (settings.keys, settings.hashing_key, settings.login)


async def test_life_goes_on_where_it_was_brought_back(
    database: Database, elsewhere: Database, settings: Settings, tmp_path: Path
) -> None:
    await back_up(settings, tmp_path / "file")
    there = settings_of(elsewhere, tmp_path / "new home")
    await restore(there, tmp_path / "file")
    new = Change(email="new@example.org", newsletter="daily", columns={})
    await Subscribers(elsewhere, there.hashing_key).keep([new], NOW)
    async with elsewhere.read() as connection:
        ids = (await connection.scalars(sa.select(subscriber.c.id))).all()
    assert len(ids) == len(set(ids)) == READERS + 1


async def test_what_is_there_is_replaced_only_where_that_is_said(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    await back_up(settings, tmp_path / "file")
    with pytest.raises(Problem, match="exists already"):
        await back_up(settings, tmp_path / "file")
    async with database.write() as connection:
        await connection.execute(sa.delete(delivery))
    with pytest.raises(Problem, match="in use already"):
        await restore(settings, tmp_path / "file")
    assert not await states(database)
    await database.close()
    (settings.home_dir / "secret_key").write_text("another key than that of the backup")
    done = await restore(settings, tmp_path / "file", replace=True)
    assert (await states(database)).total() == READERS
    # what was there can be had again, its keys too
    assert done.kept is not None
    assert done.kept.stat().st_mode & 0o077 == 0
    await database.close()
    again = await restore(settings, done.kept, replace=True)
    assert again.kept is not None
    assert not await states(database)
    olds = [old.read_text() for old in sorted(settings.home_dir.glob("secret_key-replaced-*"))]
    assert olds[0] == "another key than that of the backup"
    assert (settings.home_dir / "secret_key").read_text() == "another key than that of the backup"


async def test_a_database_that_cannot_be_read_is_not_replaced(settings: Settings, tmp_path: Path) -> None:
    await back_up(settings, tmp_path / "file")
    if settings.database_file is None:
        pytest.skip("a PostgreSQL is not damaged so easily")
    damaged = Path(settings.database_file)
    before = await asyncio.to_thread(_damage, damaged)
    with pytest.raises(Problem, match="can't be read, and so not be kept"):
        await restore(settings, tmp_path / "file", replace=True)
    assert await asyncio.to_thread(damaged.read_bytes) == before


def _damage(file: Path) -> bytes:
    for part in file.parent.glob(f"{file.name}*"):
        part.unlink()
    file.write_bytes(b"SQLite format 3\0" + bytes(5000))
    return file.read_bytes()


async def test_half_a_file_and_one_of_the_other_kind_change_nothing(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    whole, half = tmp_path / "whole", tmp_path / "half"
    await back_up(settings, whole)
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    before = await states(database)
    with pytest.raises(Problem, match="no whole backup"):
        await restore(settings, half, replace=True)
    other = "sqlite" if database.engine.dialect.name == "postgresql" else "postgresql"
    url = f"sqlite:///{tmp_path / 'other.db'}" if other == "sqlite" else "postgresql://nobody@127.0.0.1:1/none"
    with pytest.raises(Problem, match=f"one of {other}"):
        await restore(Settings(_env_file=None, home_dir=tmp_path / "third", database_url=url), whole)
    assert await states(database) == before


async def test_keys_that_are_set_elsewhere_are_named(database: Database, tmp_path: Path) -> None:
    made = settings_of(database, tmp_path / "home")
    elsewhere = made.model_copy(update={"secret_key": Settings(_env_file=None, secret_key="s" * 20).secret_key})
    await check_keys(database, elsewhere)
    assert await back_up(elsewhere, tmp_path / "file") == ["PAPERROUND_SECRET_KEY"]
