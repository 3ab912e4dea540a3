"""An operator's word about an edition, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import datetime as dt
from functools import partial

from flows.editions.decisions import Decisions, EditionDecision, decisions
from flows.editions.model import Kind
from flows.storage.approvals import Approval, Approvals, ApprovalState
from flows.storage.database import Database
from flows.storage.editions import Store
from tests import factories
from tests.context import NOON

KEY = ("daily", Kind.DAILY, factories.DAY)
HOUR = dt.timedelta(hours=1)
NONE = Decisions()
WORDS = decisions("A subject", "A note", ["2606.00002"], "2606.00003")


async def ask(approvals: Approvals, run: str = "one", now: dt.datetime = NOON) -> Approval:
    return await approvals.ask(*KEY, otherwise=EditionDecision.HOLD, deadline=now + HOUR, run=run, now=now)


async def test_what_was_decided_comes_back(database: Database) -> None:
    approvals = Approvals(database)
    assert await approvals.find(*KEY) is None
    assert (await ask(approvals)).state is ApprovalState.ASKED
    assert await approvals.decide(*KEY, EditionDecision.SEND, WORDS, now=NOON)
    found = await approvals.find(*KEY)
    assert found is not None
    assert (found.state, found.decisions, found.by) == (ApprovalState.SEND, WORDS, "operator")


async def test_who_asks_again_changes_nothing_unless_it_was_held(database: Database) -> None:
    approvals = Approvals(database)
    first = await ask(approvals)
    assert await ask(approvals, now=NOON + HOUR) == first
    await approvals.decide(*KEY, EditionDecision.HOLD, WORDS, now=NOON, answer="one")
    assert (await ask(approvals)).state is ApprovalState.HOLD
    # another run asks anew, with what was written so far
    again = await ask(approvals, "two", NOON + HOUR)
    assert (again.state, again.deadline_at, again.decisions) == (ApprovalState.ASKED, NOON + 2 * HOUR, WORDS)
    await approvals.decide(*KEY, EditionDecision.SEND, WORDS, now=NOON)
    assert (await ask(approvals, "three")).state is ApprovalState.SEND


async def test_an_answer_is_taken_once_and_the_latest_word_counts_until_the_edition_is_frozen(
    database: Database,
) -> None:
    approvals = Approvals(database)
    await ask(approvals)
    assert await approvals.decide(*KEY, EditionDecision.SEND, WORDS, now=NOON, answer="one")
    assert await approvals.decide(*KEY, EditionDecision.HOLD, NONE, now=NOON)
    # the run that was resumed is started again after a crash
    assert not await approvals.decide(*KEY, EditionDecision.SEND, WORDS, now=NOON, answer="one")
    found = await approvals.find(*KEY)
    assert found is not None
    assert found.state is ApprovalState.HOLD
    await Store(database).freeze(factories.edition(), b"cards", NOON)
    assert not await approvals.decide(*KEY, EditionDecision.SEND, WORDS, now=NOON)


async def test_at_the_deadline_an_operators_word_is_not_passed_over(database: Database) -> None:
    approvals = Approvals(database)
    await ask(approvals)
    assert await approvals.due("daily", NOON) == []
    assert [one.state for one in await approvals.due("daily", NOON + HOUR)] == [ApprovalState.ASKED]
    await approvals.decide(*KEY, EditionDecision.HOLD, NONE, now=NOON)
    assert not await approvals.decide(*KEY, EditionDecision.SEND, NONE, now=NOON, by="deadline")
    assert await approvals.due("daily", NOON + HOUR) == []


async def test_what_was_allowed_is_due_until_it_is_frozen(database: Database) -> None:
    approvals = Approvals(database)
    await approvals.decide(*KEY, EditionDecision.SEND, NONE, now=NOON)
    assert len(await approvals.due("daily", NOON)) == 1
    assert await approvals.due("weekly", NOON) == []
    await Store(database).freeze(factories.edition(), b"cards", NOON)
    assert await approvals.due("daily", NOON) == []


async def test_an_edition_is_frozen_as_it_was_allowed_or_not_at_all(database: Database) -> None:
    """However a hold and a freezing meet, an operator who is told that it is held has held it."""
    approvals, store = Approvals(database), Store(database)
    await approvals.decide(*KEY, EditionDecision.SEND, WORDS, now=NOON)
    known = await approvals.find(*KEY)
    assert known is not None
    held, frozen = await asyncio.gather(
        approvals.decide(*KEY, EditionDecision.HOLD, NONE, now=NOON),
        store.freeze_if(factories.edition(), b"cards", NOON, partial(approvals.still, known=known)),
    )
    assert held is (frozen is None)
    if held:
        late = partial(approvals.still, known=known)
        assert await store.freeze_if(factories.edition(), b"cards", NOON, late) is None


async def test_dropped_papers_come_in_no_later_edition(database: Database) -> None:
    approvals = Approvals(database)
    await approvals.decide(*KEY, EditionDecision.SEND, WORDS, now=NOON)
    tomorrow = factories.DAY + dt.timedelta(days=1)
    assert await approvals.dropped_before("daily", tomorrow) == {"2606.00002"}
    assert await approvals.dropped_before("daily", factories.DAY) == frozenset()
    assert await approvals.dropped_before("other", tomorrow) == frozenset()


async def test_one_of_two_mails_it_to_the_operator(database: Database) -> None:
    approvals = Approvals(database)
    await ask(approvals)
    both = await asyncio.gather(approvals.test(*KEY, NOON), approvals.test(*KEY, NOON))
    assert sorted(both) == [False, True]
    await approvals.not_tested(*KEY)
    assert await approvals.test(*KEY, NOON)
