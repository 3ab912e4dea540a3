"""Who got an edition, by the ledger."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from dataclasses import replace

import pytest
import sqlalchemy as sa

from flows.editions.model import Kind
from flows.outcomes import Outcome, Stage, Verdict
from flows.storage.database import Database
from subscribers.ledger.ledger import Ledger
from subscribers.ledger.report import DISTINCT, DeliveryLine, DeliveryReport, alike
from subscribers.model import DeliveryState, Frequency, SubscriptionState, Suppressed
from subscribers.people.store import Change
from subscribers.tables import delivery, subscription
from tests.subscribers.everyone import NOW, people

EDITION = 1
DAY = dt.date(2026, 6, 9)
LATER = NOW + dt.timedelta(hours=25)
SENT = Outcome(Verdict.SENT, Stage.CONTENT, 250, "2.0.0", "2.0.0 taken")
DEFERRED = Outcome(Verdict.DEFERRED, Stage.RCPT, 451, "4.7.1", "4.7.1 greylisted")
REJECTED = Outcome(Verdict.REJECTED, Stage.RCPT, 550, "5.1.1", "5.1.1 no such user")
UNCERTAIN = Outcome(Verdict.UNCERTAIN, Stage.CONTENT, text="connection lost")


def address(n: int) -> str:
    return f"reader{n}@example.org"


async def subscribe(database: Database, *numbers: int, **columns: object) -> None:
    changes = [Change(email=address(n), newsletter="daily", columns=dict(columns)) for n in numbers]
    await people(database).keep(changes, NOW, resubscribe=True)


async def open_ledger(database: Database, kind: Kind = Kind.DAILY, edition: int = EDITION) -> int:
    return await Ledger(database).open(edition, "daily", kind, DAY, NOW, at_once=False)


async def attempt(database: Database, outcomes: Mapping[int, Outcome], now: dt.datetime = NOW) -> None:
    """What is due is attempted, and comes to what is given by reader; without one, a delivery is left."""
    ledger = Ledger(database)
    claim = await ledger.claim(EDITION, now)
    assert claim
    for item in await ledger.due(claim, now):
        for n, outcome in outcomes.items():
            mine = item.subscription is not None and item.subscription.email == address(n)
            # who was suppressed is not marked
            if mine and await ledger.mark(item, now):
                assert await ledger.record(item, outcome, now)
    await ledger.release(claim, now)


async def listed(database: Database, state: DeliveryState | None = None, size: int = 7) -> list[DeliveryLine]:
    return [one async for page in DeliveryReport(database).walk(EDITION, state=state, size=size) for one in page]


async def test_every_delivery_is_told_with_its_reader_its_state_and_the_servers_last_words(database: Database) -> None:
    await subscribe(database, 1, 2, 3, 4)
    await open_ledger(database)
    await attempt(database, {1: SENT, 2: DEFERRED, 3: REJECTED})
    sent, deferred, rejected, pending = await listed(database)
    assert [one.email for one in (sent, deferred, rejected, pending)] == [address(n) for n in (1, 2, 3, 4)]
    assert (sent.state, sent.attempts, sent.code, sent.words) == (DeliveryState.SENT, 1, 250, "2.0.0 taken")
    assert (sent.first_at, sent.changed_at, sent.due_at) == (NOW, NOW, None)
    assert (deferred.state, deferred.due_at) == (DeliveryState.DEFERRED, NOW + dt.timedelta(minutes=1))
    assert (rejected.state, rejected.code, rejected.words) == (DeliveryState.REJECTED, 550, "5.1.1 no such user")
    assert (pending.state, pending.attempts, pending.first_at, pending.at_once) == (
        DeliveryState.PENDING,
        0,
        None,
        True,
    )


async def test_a_page_goes_on_behind_a_delivery_and_within_a_state(database: Database) -> None:
    await subscribe(database, *range(9))
    await open_ledger(database)
    await attempt(database, {1: SENT, 4: SENT, 5: SENT, 7: SENT})
    report = DeliveryReport(database)
    first = await report.page(EDITION, state=DeliveryState.SENT, size=3)
    assert [one.email for one in first] == [address(n) for n in (1, 4, 5)]
    rest = await report.page(EDITION, state=DeliveryState.SENT, after=first[-1].subscription_id, size=3)
    assert [one.email for one in rest] == [address(7)]
    assert len(await listed(database)) == 9
    assert await listed(database, DeliveryState.REJECTED) == []


async def test_an_address_is_found_however_it_is_written(database: Database) -> None:
    await subscribe(database, 1, 2)
    await open_ledger(database)
    await subscribe(database, 3)
    await people(database).keep([Change(email=address(1), newsletter="arxiv", columns={})], NOW)
    report = DeliveryReport(database)
    found = await report.find(EDITION, "Reader1@Example.org")
    assert found
    assert (found.email, found.state) == (address(1), DeliveryState.PENDING)
    assert await report.find(EDITION, address(3)) is None
    assert await report.find(EDITION + 1, address(1)) is None


async def test_who_is_erased_keeps_a_row_that_names_nobody(database: Database) -> None:
    await subscribe(database, 1, 2)
    await open_ledger(database)
    await attempt(database, {1: replace(REJECTED, text=f"5.1.1 <{address(1)}> unknown"), 2: SENT})
    await people(database).forget(address(1), NOW)
    erased, other = await listed(database)
    assert (erased.email, erased.state, erased.words) == ("", DeliveryState.REJECTED, "")
    assert other.email == address(2)
    assert await DeliveryReport(database).find(EDITION, address(1)) is None


async def test_the_states_add_up_to_the_rows_that_were_made_whatever_becomes_of_the_readers(database: Database) -> None:
    """Many passes, and between them readers come, go, pause, change their rhythm, are mailed, suppressed, erased."""
    chance, people_, made = random.Random(7), people(database), set[int]()
    await subscribe(database, *range(30))
    wanted = (
        subscription.c.state == SubscriptionState.CONFIRMED,
        subscription.c.frequency.in_([Frequency.DAILY, Frequency.WEEKDAYS]),
        subscription.c.newsletter == "daily",
    )
    barred = set[int]()
    for turn in range(8):
        async with database.read() as connection:
            there = set(await connection.scalars(sa.select(subscription.c.id).where(*wanted))) - barred
        assert await open_ledger(database) == len(there - made)
        made |= there
        outcomes = {n: chance.choice([SENT, REJECTED, DEFERRED]) for n in chance.sample(range(60), 9)}
        await attempt(database, outcomes, NOW + dt.timedelta(hours=turn))
        for n in chance.sample(range(60), 12):
            found = await people_.by_address(address(n), "daily")
            match chance.randrange(6):
                case 0:
                    await people_.forget(address(n), NOW)
                case 1 if found:
                    await people_.unsubscribe(found.id, NOW)
                case 2 if found:
                    await subscribe(database, n, frequency=chance.choice(list(Frequency)))
                case 3 if found:
                    await people_.suppress(address(n), Suppressed.COMPLAINT, NOW)
                    barred.add(found.id)
                case 4:
                    await subscribe(database, 100 * (turn + 1) + n)
                case _:
                    await subscribe(database, n, state=SubscriptionState.PAUSED)
        summary = await DeliveryReport(database).summary(EDITION)
        rows = await listed(database)
        assert summary.total == len(rows) == len(made)
        assert {one.subscription_id for one in rows} == made
        for state, count in summary.counts.items():
            assert len(await listed(database, state)) == count
        assert summary.counts == await Ledger(database).counts(EDITION)
    assert {DeliveryState.SENT, DeliveryState.REJECTED, DeliveryState.PENDING} <= summary.counts.keys()
    assert any(not one.email for one in rows)


async def test_editions_are_told_apart(database: Database) -> None:
    await subscribe(database, 1, 2)
    await subscribe(database, 3, frequency=Frequency.WEEKLY)
    await open_ledger(database)
    await open_ledger(database, Kind.WEEKLY, edition=2)
    assert (await DeliveryReport(database).summary(1)).total == 2
    assert (await DeliveryReport(database).summary(2)).total == 1
    assert (await DeliveryReport(database).summary(3)).counts == {}


async def test_answers_of_a_kind_are_counted_together(database: Database) -> None:
    await subscribe(database, *range(5))
    await open_ledger(database)
    gone = "5.1.1 <{}>: unknown, see https://mail.example/help d9443c01a7{}-1d5f2ad.12 - smtp"
    outcomes = {n: replace(REJECTED, text=gone.format(address(n), n)) for n in range(3)}
    await attempt(database, {**outcomes, 3: replace(REJECTED, text="5.7.1 blocked"), 4: SENT})
    summary = await DeliveryReport(database).summary(EDITION)
    assert summary.answers.keys() == {DeliveryState.REJECTED}
    answers = summary.answers[DeliveryState.REJECTED]
    assert answers.frequent == [
        ("550 5.1.1 <(address)>: unknown, see https://mail.example/help … - smtp", 3),
        ("550 5.7.1 blocked", 1),
    ]
    fewer = (await DeliveryReport(database).summary(EDITION, 1)).answers[DeliveryState.REJECTED]
    assert (len(fewer.frequent), fewer.others) == (1, 1)


async def test_what_is_told_of_answers_does_not_grow_with_their_number(database: Database) -> None:
    await subscribe(database, *range(DISTINCT + 30))
    await open_ledger(database)
    async with database.write() as connection:
        answer = sa.literal("said ") + sa.cast(delivery.c.subscription_id, sa.String)
        await connection.execute(sa.update(delivery).values(state=DeliveryState.SKIPPED, words=answer))
    answers = (await DeliveryReport(database).summary(EDITION)).answers[DeliveryState.SKIPPED]
    assert len(answers.frequent) == 10
    assert sum(number for _, number in answers.frequent) + answers.others == DISTINCT + 30


@pytest.mark.parametrize(
    ("words", "form"),
    [
        ("paused until 2026-07-01", "paused until 2026-07-01"),
        ("2.0.0 Ok: queued as 4Rk0001ZqP9", "2.0.0 Ok: queued as …"),
        ("4.7.1 <ada@example.org>: try mx1.example.org later", "4.7.1 <(address)>: try mx1.example.org later"),
        ("see https://mail.example/answer/81126 for help", "see https://mail.example/answer/81126 for help"),
        ("", ""),
    ],
)
def test_an_answer_loses_what_is_one_readers_own_alone(words: str, form: str) -> None:
    assert alike(None, words) == form


async def test_domains_that_many_share_are_told_apart_and_no_reader_is_named_by_their_own(database: Database) -> None:
    columns: dict[str, object] = {}
    at = {"large.example": 7, "small.example": 5, "ada.example": 1, "ben.example": 4}
    emails = [f"r{n}@{domain}" for domain, number in at.items() for n in range(number)]
    changes = [Change(email=one, newsletter="daily", columns=columns) for one in emails]
    await people(database).keep(changes, NOW, resubscribe=True)
    await open_ledger(database)
    ledger = Ledger(database)
    claim = await ledger.claim(EDITION, NOW)
    assert claim
    for item in await ledger.due(claim, NOW):
        assert item.subscription is not None
        if item.subscription.email.endswith("@large.example"):
            assert await ledger.mark(item, NOW)
            assert await ledger.record(item, DEFERRED, NOW)
    found = await DeliveryReport(database).domains(EDITION)
    assert [(one.name, dict(one.counts)) for one in found] == [
        ("large.example", {DeliveryState.DEFERRED: 7}),
        ("small.example", {DeliveryState.PENDING: 5}),
        ("others", {DeliveryState.PENDING: 5}),
    ]
    assert [one.name for one in await DeliveryReport(database).domains(EDITION, most=1)] == ["large.example", "others"]
    assert await DeliveryReport(database).domains(EDITION + 1) == []
