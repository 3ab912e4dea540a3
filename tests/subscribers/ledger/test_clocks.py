"""What a clock that jumps does to deliveries: nobody is given up by it, and nobody waits for a day that it made up."""

from __future__ import annotations

import datetime as dt

import pytest

from flows.outcomes import Outcome, Stage, Verdict
from flows.storage.database import Database
from subscribers.ledger import clocks
from subscribers.ledger.ledger import Ledger
from subscribers.model import DeliveryState
from subscribers.people.store import Change
from subscribers.policy import BACK_OFF, GIVE_UP, follow, tries
from tests.subscribers.delivered import delivered
from tests.subscribers.everyone import DAY, NOW, people

PUT_OFF = Outcome(Verdict.DEFERRED, Stage.RCPT, 451)
LONGEST = max(BACK_OFF)


def test_a_clock_that_jumps_three_days_ahead_gives_nobody_up() -> None:
    follows = follow(PUT_OFF, 2, NOW, NOW + 3 * DAY)
    assert follows.state is DeliveryState.DEFERRED
    # after as many attempts as there are waits it is over all the same
    assert follow(PUT_OFF, len(BACK_OFF), NOW, NOW + 3 * DAY).state is DeliveryState.REJECTED


def test_a_clock_that_went_back_makes_no_end_of_attempts() -> None:
    first, attempts = NOW + 3 * DAY, 1
    while follow(PUT_OFF, attempts, first, NOW).state is DeliveryState.DEFERRED:
        attempts += 1
        assert attempts < 100
    assert attempts > tries(tuple(BACK_OFF), GIVE_UP)


def test_by_a_clock_that_is_right_nothing_changes() -> None:
    at, attempts = NOW, 1
    while (follows := follow(PUT_OFF, attempts, NOW, at)).retry_at is not None:
        at, attempts = follows.retry_at, attempts + 1
    assert GIVE_UP - LONGEST < at - NOW <= GIVE_UP
    assert attempts == tries(tuple(BACK_OFF), GIVE_UP)


async def test_when_the_clock_is_set_back_what_was_put_off_is_due(database: Database) -> None:
    await people(database).keep([Change(email="ada@example.org", newsletter="daily", columns={})], NOW)
    await delivered(database, 1, NOW + 3 * DAY, PUT_OFF)
    ledger = Ledger(database)
    assert await ledger.claim(1, NOW) is None
    assert await clocks.mend(database, NOW, LONGEST) == 1
    assert await clocks.mend(database, NOW, LONGEST) == 0
    claim = await ledger.claim(1, NOW)
    assert claim is not None
    assert len(await ledger.due(claim, NOW)) == 1


async def test_what_waits_for_an_hour_of_a_day_that_was_not_is_due_too(database: Database) -> None:
    """The edition was frozen while the clock stood three days ahead, and its reader wants it at an hour."""
    columns = {"hour": 5, "zone": "UTC"}
    await people(database).keep([Change(email="ada@example.org", newsletter="daily", columns=columns)], NOW)
    await delivered(database, 1, NOW + 3 * DAY, PUT_OFF, at_once=False)
    assert await clocks.mend(database, NOW, LONGEST) == 1
    assert await Ledger(database).claim(1, NOW) is not None


@pytest.mark.parametrize("hours", [0, 1.9])
async def test_what_waits_as_it_should_goes_on_waiting(database: Database, hours: float) -> None:
    await people(database).keep([Change(email="ada@example.org", newsletter="daily", columns={})], NOW)
    await delivered(database, 1, NOW + dt.timedelta(hours=hours), PUT_OFF)
    assert await clocks.mend(database, NOW, LONGEST) == 0


async def test_a_clock_is_compared_with_the_databases(database: Database) -> None:
    now = dt.datetime.now(dt.UTC)
    assert abs(await clocks.ahead(database, now)) < clocks.SLACK
    assert await clocks.ahead(database, now + 3 * DAY) > 2 * DAY
