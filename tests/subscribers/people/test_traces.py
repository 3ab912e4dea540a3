"""What is erased is in no file any more, while the database is open and others work in it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flows.editions.model import Interests, Kind
from flows.outcomes import Outcome, Stage, Verdict
from flows.storage.database import Database, connect, migrate
from subscribers.bounces import ReportedMail
from subscribers.ledger.came_back import CameBack
from subscribers.ledger.ledger import Ledger
from subscribers.ledger.whose_delivery import LETTER
from subscribers.people.store import Change
from subscribers.preferences import Preferences
from subscribers.tables import address_change, bounce, delivery, subscription
from tests.factories import HASHING_KEY
from tests.subscribers.everyone import DAY, HOUR, NOW, asked, people, wish

CANARY = "canary.bird@nest.example"
NEXT = "canary.moved@nest.example"
SECRET = "canary's secret interest"


class Life:
    """What can happen to an address, each of which leaves it somewhere."""

    def __init__(self, database: Database) -> None:
        self.database, self.people, self.at = database, people(database), NOW

    async def _number(self) -> int | None:
        for address in (CANARY, NEXT):
            if found := await self.people.by_address(address, "daily"):
                return found.id
        return None

    async def _with(self, act: Callable[[int], Awaitable[object]]) -> None:
        self.at += HOUR
        if (number := await self._number()) is not None:
            await act(number)

    async def sign_up(self) -> None:
        self.at += HOUR
        await self.people.sign_up(wish(CANARY.title()), self.at)

    async def confirm(self) -> None:
        await self._with(lambda number: self.people.confirm(number, self.at))

    async def follow(self) -> None:
        wanted = Preferences(interests=Interests(keywords=(SECRET, CANARY)))
        await self._with(lambda number: self.people.change(number, wanted, self.at))

    async def leave(self) -> None:
        await self._with(lambda number: self.people.unsubscribe(number, self.at))
        await self._with(lambda number: self.people.leave_reason(number, f"{SECRET}: write to {CANARY}", self.at))

    async def move(self) -> None:
        async def both(number: int) -> None:
            await self.people.ask_address(number, NEXT, self.at)
            # this one alone: another reader may have asked for the same address
            async with self.database.read() as connection:
                who = sa.select(subscription.c.subscriber_id).where(subscription.c.id == number).scalar_subquery()
                theirs = sa.select(sa.func.max(address_change.c.id)).where(address_change.c.subscriber_id == who)
                change = await connection.scalar(theirs)
            await self.people.confirm_address(change or 0, self.at)

        await self._with(both)

    async def be_mistyped(self) -> None:
        """Another reader asks to have their mail sent to it."""
        self.at += HOUR
        other = await self.people.by_address("reader3@example.org", "daily")
        assert other is not None
        await self.people.ask_address(other.id, CANARY, self.at)

    async def be_listed(self) -> None:
        self.at += HOUR
        await self.people.keep([Change(email=CANARY, newsletter="arxiv", columns={"tags": (SECRET,)})], self.at)

    async def bounce(self) -> None:
        """An edition goes out, and the server repeats the address."""
        ledger, words = Ledger(self.database), f"5.1.1 <{CANARY}>: <{NEXT}>: no such user"
        self.at += DAY
        edition = (self.at - NOW).days
        await ledger.open(edition, "daily", Kind.DAILY, self.at.date(), self.at, at_once=True)
        claim = await ledger.claim(edition, self.at)
        for item in await ledger.due(claim, self.at) if claim else ():
            assert claim is not None
            if await ledger.mark(item, self.at):
                await ledger.record(item, Outcome(Verdict.REJECTED, Stage.RCPT, 550, "5.1.1", words), self.at)
        if claim:
            await ledger.release(claim, self.at)
        await ledger.settled()
        await self._as_it_was_kept(delivery, words)

    async def _as_it_was_kept(self, table: sa.Table, words: str) -> None:
        """Earlier versions kept the addresses in a server's words."""
        async with self.database.write() as connection:
            said = table.c.words.contains("(address)")
            await connection.execute(sa.update(table).where(said).values(words=words))

    async def be_named(self) -> None:
        """Another reader's mail comes back, and the report names where it was passed on to."""
        self.at += HOUR
        other = await self.people.by_address("reader3@example.org", "daily")
        assert other is not None
        words = f"<{CANARY.upper()}>, <{NEXT}>: over quota"
        said = ReportedMail(subscription_id=other.id, edition_id=LETTER, words=words)
        await CameBack(self.database, HASHING_KEY).record([said], self.at)
        await self._as_it_was_kept(bounce, words)


ACTS = ("sign_up", "confirm", "follow", "leave", "move", "be_mistyped", "be_listed", "bounce", "be_named")


def found(folder: Path) -> list[str]:
    """The files in which anything of it can be found."""
    lower = [one.lower().encode() for one in ("canary", "secret interest")]
    return [file.name for file in folder.rglob("*") if any(one in file.read_bytes().lower() for one in lower)]


async def live(folder: Path, acts: list[str], *, by_address: bool) -> None:
    database = connect(f"sqlite+aiosqlite:///{folder / 'paperround.db'}")
    try:
        await migrate(database)
        await _live(database, folder, acts, by_address=by_address)
    finally:
        await database.close()


async def _live(database: Database, folder: Path, acts: list[str], *, by_address: bool) -> None:
    others = [Change(email=f"reader{n}@example.org", newsletter="daily", columns={}) for n in range(60)]
    await people(database).keep(others, NOW)
    life = Life(database)
    await life.sign_up()
    for act in acts:
        await getattr(life, act)()
    assert found(folder)
    number = await life._number()
    if not by_address and number is not None:
        await people(database).erase(number, life.at)
    for address in (CANARY, NEXT):
        await people(database).forget(address, life.at)
    assert found(folder) == []
    assert await people(database).by_address("reader3@example.org", "daily") is not None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(ACTS), max_size=10), st.booleans())
@example(["confirm", "move", "be_mistyped", "move"], False)
@example(["sign_up", "bounce", "sign_up", "bounce", "confirm", "sign_up", "bounce", "bounce"], False)
def test_an_address_that_is_erased_is_in_no_file(tmp_path_factory: object, acts: list[str], by_address: bool) -> None:
    folder = tmp_path_factory.mktemp("traces")  # type: ignore[attr-defined]
    asyncio.run(live(folder, acts, by_address=by_address))


def test_after_everything_that_can_happen_it_is_in_no_file(tmp_path: Path) -> None:
    acts = ["confirm", "follow", "bounce", "be_listed", "move", "bounce", "follow", "leave", "sign_up", "be_mistyped"]
    acts.append("be_named")
    asyncio.run(live(tmp_path, acts, by_address=True))


async def test_what_an_earlier_version_left_in_free_pages_goes_with_the_nightly_upkeep(tmp_path: Path) -> None:
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'paperround.db'}")
    await migrate(database)
    await database._pragma("secure_delete=OFF")
    reader = await asked(database, CANARY)
    async with database.write() as connection:
        await connection.exec_driver_sql("PRAGMA secure_delete=OFF")
        await connection.exec_driver_sql(f"DELETE FROM subscriber WHERE email = '{reader.email}'")
    assert await database.scrub()
    assert found(tmp_path) == ["paperround.db"]
    await database.rewrite_once()
    assert await database.scrub()
    assert found(tmp_path) == []
    await database.close()


async def test_what_sqlite_left_in_unused_parts_goes_at_once_or_of_a_large_file_at_night(
    tmp_path: Path,
) -> None:
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'paperround.db'}")
    await migrate(database)
    for email in (CANARY, NEXT):
        other = await asked(database, "other@example.org")
        reader = await asked(database, email)
        async with database.write() as connection:
            # as a row that was moved leaves it, which can't be had at will
            await connection.exec_driver_sql("PRAGMA secure_delete=OFF")
            await connection.exec_driver_sql(f"DELETE FROM subscriber WHERE email = '{reader.email}'")
            await connection.exec_driver_sql("PRAGMA secure_delete=ON")
        assert await database.scrub()
        assert found(tmp_path) == ["paperround.db"]
        if email == CANARY:
            await people(database).erase(other.id, NOW)
        else:
            assert await database.erased(at_once=0)
            assert found(tmp_path) == ["paperround.db"]
            await database.rewrite_once()
            assert await database.scrub()
        assert found(tmp_path) == []
    await database.close()


async def test_a_delivery_goes_on_while_somebody_is_erased(tmp_path: Path) -> None:
    """It has a connection of its own to the file that is rewritten."""
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'paperround.db'}")
    await migrate(database)
    reader = await asked(database, CANARY)
    await people(database).keep(
        [Change(email=f"r{n}@example.org", newsletter="daily", columns={}) for n in range(9)], NOW
    )
    ledger = Ledger(database)
    await ledger.open(1, "daily", Kind.DAILY, NOW.date(), NOW, at_once=True)
    claim = await ledger.claim(1, NOW)
    assert claim is not None
    marked, *rest = await ledger.due(claim, NOW)
    assert await ledger.mark(marked, NOW)
    erasing = asyncio.create_task(people(database).erase(reader.id, NOW))
    for other in rest:
        assert await ledger.mark(other, NOW)
        await asyncio.sleep(0.005)
    await erasing
    taken = Outcome(Verdict.SENT, Stage.CONTENT, 250, "2.0.0", "taken")
    assert all([await ledger.record(one, taken, NOW) for one in (marked, *rest)])
    assert await database.erased()
    assert found(tmp_path) == []
    await database.close()


async def test_a_reader_of_an_older_state_only_delays_it(tmp_path: Path) -> None:
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'paperround.db'}")
    await migrate(database)
    reader = await asked(database, CANARY)
    async with database.read() as connection:
        await connection.exec_driver_sql("SELECT * FROM subscriber")
        erasing = asyncio.create_task(people(database).erase(reader.id, NOW))
        await asyncio.sleep(1)
    await erasing
    assert found(tmp_path) == []
    await database.close()


async def test_a_domain_of_ones_own_goes_with_the_address(database: Database) -> None:
    """What came back while somebody had it is still counted, for no domain."""
    life = Life(database)
    await life.sign_up()
    await life.confirm()
    number = await life._number()
    assert number is not None
    said = ReportedMail(subscription_id=number, edition_id=LETTER, words="over quota")
    await CameBack(database, HASHING_KEY).record([said], NOW)
    await life.people.ask_address(number, "ada@example.org", NOW)
    async with database.read() as connection:
        change = await connection.scalar(sa.select(sa.func.max(address_change.c.id)))
    await life.people.confirm_address(change or 0, NOW)
    assert await life.people.forget(CANARY, NOW)
    async with database.read() as connection:
        assert (await connection.execute(sa.select(bounce.c.domain, bounce.c.words))).all() == [("", "over quota")]
    assert await life.people.by_address("ada@example.org", "daily") is not None
