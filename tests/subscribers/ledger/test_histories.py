"""Whatever happens to a ledger, in whatever order, somebody looks at what is open in time."""

from __future__ import annotations

import asyncio
import datetime as dt
import tempfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flows.editions.model import Kind
from flows.outcomes import Outcome, Stage, Verdict
from flows.storage.database import connect, database_now, migrate
from subscribers.ledger.ledger import FINAL_REPLY, Ledger
from subscribers.ledger.model import Claim, Delivery
from subscribers.model import FINAL, DeliveryState
from subscribers.people.store import Change, Subscribers
from subscribers.tables import batch, delivery
from tests.factories import HASHING_KEY

NOW = dt.datetime(2026, 6, 9, 17, 0, tzinfo=dt.UTC)
DAY = dt.date(2026, 6, 9)
OUTCOMES = [
    Outcome(Verdict.SENT, Stage.CONTENT, 250, "2.0.0", "taken"),
    Outcome(Verdict.DEFERRED, Stage.CONTENT, 451, None, "later"),
    Outcome(Verdict.REJECTED, Stage.RCPT, 550, "5.1.1", "no such user"),
    Outcome(Verdict.UNCERTAIN, Stage.CONTENT, text="connection lost"),
    Outcome(Verdict.UNSENT, Stage.MAIL, 550, None, "not you"),
]
STEPS = st.one_of(
    st.tuples(st.just("claim"), st.just(0)),
    st.tuples(st.just("mark"), st.integers(0, 7)),
    st.tuples(st.just("record"), st.integers(0, 39)),
    st.tuples(st.just("refuse"), st.integers(0, 39)),
    st.tuples(st.just("put off"), st.integers(0, 7)),
    st.tuples(st.just("skip"), st.integers(0, 7)),
    st.tuples(st.just("release"), st.integers(0, 3)),
    st.tuples(st.just("die"), st.integers(0, 3)),
    st.tuples(st.just("overtaken"), st.integers(0, 3)),
    st.tuples(st.just("wait"), st.integers(1, 30)),
)


class History:
    """A ledger to which things happen."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.now = NOW
        self.claims: list[Claim] = []
        self.fetched: list[Delivery] = []
        self.marked: list[Delivery] = []

    async def step(self, what: str, which: int) -> None:  # noqa: PLR0912 - one branch for each thing that happens
        ledger, now = self.ledger, self.now
        match what:
            case "claim":
                if (claim := await ledger.claim(1, now)) is not None:
                    self.claims.append(claim)
                    self.fetched += await ledger.due(claim, now)
            case "mark" if self.fetched:
                one = self.fetched[which % len(self.fetched)]
                if await ledger.mark(one, now):
                    self.marked.append(one)
            case "record" if self.marked:  # it may come long after the lease
                one = self.marked[which % len(self.marked)]
                await ledger.record(one, OUTCOMES[which % len(OUTCOMES)], now)
            case "refuse" if self.fetched:
                one = self.fetched[which % len(self.fetched)]
                await ledger.record(one, OUTCOMES[1 + which % 2], now, marked=False)
            case "put off" if self.fetched:
                later = now + dt.timedelta(minutes=which)
                await ledger.put_off(self.fetched[which % len(self.fetched)], later, now)
            case "skip" if self.fetched:
                await ledger.skip(self.fetched[which % len(self.fetched)], "paused", now)
            case "release" if self.claims:
                await ledger.release(self.claims[which % len(self.claims)], now)
            case "die" if self.claims:  # nobody is at work any more, and its lease runs out
                await self._expire(self.claims.pop(which % len(self.claims)))
            case "overtaken" if self.claims:  # another finds it, looks at it, and gives it back
                await self._expire(self.claims[which % len(self.claims)])
                self.now += 2 * FINAL_REPLY
                if (claim := await ledger.claim(1, self.now)) is not None:
                    await ledger.release(claim, self.now)
            case "wait":
                self.now += dt.timedelta(minutes=which)

    async def _expire(self, claim: Claim) -> None:
        past = sa.update(batch).where(batch.c.id == claim.id, batch.c.lease == claim.lease)
        async with self.ledger._database.write() as connection:
            await connection.execute(past.values(lease_until=database_now() - 1))

    async def forgotten(self) -> list[tuple[int, str]]:
        """Open rows that nobody looks at: in a batch that has no time and no owner, or a later time than theirs."""
        open_rows = sa.select(delivery).where(delivery.c.state.not_in(FINAL))
        async with self.ledger._database.read() as connection:
            rows = (await connection.execute(open_rows)).all()
            batches = (await connection.execute(sa.select(batch))).all()
        found = []
        for row in rows:
            if row.state == DeliveryState.UNCERTAIN and row.due_at is None:
                continue  # it waits for the operator, who is told
            owner = next(one for one in batches if one.lo <= row.subscription_id <= one.hi)
            due = row.due_at or NOW
            if row.state == DeliveryState.SENDING:
                due = row.changed_at + FINAL_REPLY
            if (owner.next_at is None and owner.lease is None) or (
                owner.lease is None and owner.next_at > max(due, self.now)
            ):
                found.append((row.subscription_id, row.state))
        return found


@pytest.mark.parametrize("resend", [True, False])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(steps=[("claim", 0), ("mark", 0), ("overtaken", 0), ("record", 1)])
@given(steps=st.lists(STEPS, min_size=5, max_size=30))
def test_an_open_delivery_always_has_a_time_at_which_somebody_looks_at_it(
    resend: bool, steps: list[tuple[str, int]]
) -> None:
    asyncio.run(_live(resend, steps))


async def _live(resend: bool, steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = connect(f"sqlite+aiosqlite:///{Path(folder) / 'test.db'}")
        await migrate(database)
        changes = [Change(email=f"reader{n}@example.org", newsletter="daily", columns={}) for n in range(3)]
        await Subscribers(database, HASHING_KEY).keep(changes, NOW)
        ledger = Ledger(database, size=1, resend=resend)
        await ledger.open(1, "daily", Kind.DAILY, DAY, NOW, at_once=False)
        history = History(ledger)
        for what, which in steps:
            await history.step(what, which)
            assert await history.forgotten() == []
        await database.close()
