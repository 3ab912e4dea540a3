"""What an operator sees of it, and decides: rates, pauses, what is held, the list of suppressions."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.delivery.run import deliver_due, paused_sentence
from flows.storage.database import Database
from subscribers.bounces import BounceState
from subscribers.ledger.bounce_rates import Rates
from subscribers.ledger.pause_bounds import Bounds, exceeded
from subscribers.model import Suppressed
from subscribers.people.rows import ALLOWED, BLOCKED
from subscribers.people.signups import SignUp
from subscribers.people.suppression_file import read_line, written
from subscribers.tables import delivery
from tests.incoming.scene import DAY, FULL, KEY, Scene, complaint, report, scene_of

ADA, BEN, CLEO = "ada@one.example", "ben@one.example", "cleo@sub.two.example"


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> Scene:
    made = scene_of(database, tmp_path)
    await made.subscribe(ADA, BEN, CLEO)
    return made


# --- rates


async def test_the_rates_of_an_edition_and_of_thirty_days_add_up(scene: Scene) -> None:
    old = await scene.send()
    scene.put(report(scene.token_of(old, ADA), ADA, **FULL))
    await scene.read()
    scene.now += 2 * DAY
    number = await scene.send()
    scene.now += DAY / 24
    scene.put(report(scene.token_of(number, ADA), ADA))
    scene.put(report(scene.token_of(number, BEN), diagnostic="smtp; 550 5.7.1 no", status="5.7.1"))
    scene.put(complaint(headers=f"Return-Path: <{scene.token_of(number, CLEO)}>\n"))
    await scene.read()
    rates = scene.context.rates
    edition = await rates.of_edition(number, scene.now)
    assert edition == Rates(sent=3, hard=1, soft=0, refused=1, complaints=1, unsubscribed=1)
    assert edition.delivered + edition.hard + edition.soft + edition.refused == edition.sent
    weeks = await rates.of_newsletter("daily", scene.now - 30 * DAY, scene.now)
    assert weeks == Rates(sent=6, hard=1, soft=1, refused=1, complaints=1, unsubscribed=1)
    assert await rates.of_newsletter("arxiv", scene.now - 30 * DAY, scene.now) == Rates()
    one, two = await rates.domains(number)
    assert (one.domain, one.rates) == ("one.example", Rates(sent=2, hard=1, refused=1))
    assert (two.domain, two.rates) == ("sub.two.example", Rates(sent=1, complaints=1))


@pytest.mark.parametrize(
    ("sent", "complaints", "hard", "words"),
    [
        (10_000, 10, 0, ""),
        (10_000, 11, 0, "11 of the 10,000 mails of the last 7 days were complained about (0.11%; 0.10% at most)."),
        (100, 2, 0, ""),
        (100, 0, 9, ""),
        (
            1_000,
            0,
            51,
            "51 of the 1,000 mails of the last 7 days were refused or came back for good (5.10%; 5.00% at most).",
        ),
        (0, 0, 0, ""),
    ],
)
def test_a_bound_is_exceeded_by_enough_and_too_large_a_part(sent: int, complaints: int, hard: int, words: str) -> None:
    assert exceeded(sent, complaints, hard, Bounds(0.001, 0.05)) == words
    assert exceeded(sent, complaints, hard, Bounds()) == ""


async def test_a_newsletter_with_too_many_complaints_is_paused_until_the_operator_lets_it_go_on(scene: Scene) -> None:
    number = await scene.send()
    assert await paused_sentence(scene.context, "daily") == ""
    for one in (ADA, BEN, CLEO):
        scene.put(complaint(headers=f"Return-Path: <{scene.token_of(number, one)}>\n"))
    await scene.read()
    paused = await scene.context.watch("daily")
    assert paused is not None
    assert paused.fresh
    again = await scene.context.watch("daily")
    assert again is not None
    assert not again.fresh
    said: list[str] = []
    (held,) = await deliver_due(scene.context, "daily", said.append)
    assert "3 of the 3 mails" in said[0]
    assert "paperround bounces resume --newsletter daily" in held.sentence
    assert await paused_sentence(scene.context, "arxiv") == ""
    scene.now += DAY / 24
    assert await scene.context.pauses.resume("daily", scene.now)
    assert not await scene.context.pauses.resume("daily", scene.now)
    assert await scene.context.watch("daily") is None
    assert await deliver_due(scene.context, "daily", said.append) == []


async def test_what_a_server_refuses_at_once_counts_with_the_bounces(scene: Scene) -> None:
    await scene.subscribe(*(f"r{n}@three.example" for n in range(12)))
    number = await scene.send()
    refused = sa.update(delivery).where(
        delivery.c.edition_id == number, delivery.c.subscription_id > scene.readers[CLEO]
    )
    async with scene.context.database.write() as connection:
        await connection.execute(refused.values(state="rejected", code=550, words="5.1.1 unknown"))
    rates = await scene.context.rates.of_edition(number, scene.now)
    assert (rates.sent, rates.rejected, rates.offered, rates.part(rates.rejected)) == (3, 12, 15, 0.8)
    paused = await scene.context.watch("daily")
    assert paused is not None
    assert paused.reason.startswith("12 of the 15 mails of the last 7 days were refused or came back for good (80.00%")


async def test_never_is_no_bound(database: Database, tmp_path: Path) -> None:
    scene = scene_of(database, tmp_path, pause_above="never")
    await scene.subscribe(ADA, BEN, CLEO)
    number = await scene.send()
    for one in (ADA, BEN, CLEO):
        scene.put(complaint(headers=f"Return-Path: <{scene.token_of(number, one)}>\n"))
    await scene.read()
    assert await scene.context.watch("daily") is None


# --- what is held


async def many_held(scene: Scene) -> list[str]:
    many = [f"r{n}@held.example" for n in range(12)]
    await scene.subscribe(*many)
    number = await scene.send()
    for one in many:
        scene.put(report(scene.token_of(number, one), one))
    await scene.read()
    assert await scene.suppressed() == {}
    return many


async def test_what_is_held_is_told_by_domain_and_suppressed_in_one_step(scene: Scene) -> None:
    many = await many_held(scene)
    (waiting,) = await scene.context.held_bounces.waiting()
    assert (waiting.domain, waiting.readers) == ("held.example", 12)
    assert await scene.context.held_bounces.decide(scene.now, suppress=True, at="other.example") == 0
    assert await scene.context.held_bounces.decide(scene.now, suppress=True) == 12
    assert await scene.suppressed() == dict.fromkeys(many, Suppressed.HARD_BOUNCE)
    assert await scene.context.held_bounces.waiting() == []
    # what was decided stays so when more come within the day
    scene.now += 0.75 * DAY
    number = await scene.send(ADA)
    scene.put(report(scene.token_of(number, ADA), ADA))
    await scene.read()
    assert len(await scene.suppressed()) == 13


async def test_what_is_held_is_freed_in_one_step_and_mailed(scene: Scene) -> None:
    many = await many_held(scene)
    scene.now += DAY / 24
    assert await scene.context.held_bounces.decide(scene.now, suppress=False, at="held.example") == 12
    assert await scene.suppressed() == {}
    assert await scene.states() == {BounceState.SETTLED: 12}
    for one in many:
        scene.put(report(scene.token_of(scene.sent[-1], one), one))
    await scene.read()
    assert await scene.suppressed() == {}


async def test_suppressions_are_lifted_in_bulk_by_reason_domain_and_day(scene: Scene) -> None:
    store = scene.context.subscribers
    await store.suppress(ADA, Suppressed.HARD_BOUNCE, scene.now - 5 * DAY)
    await store.suppress(BEN, Suppressed.HARD_BOUNCE, scene.now)
    await store.suppress(CLEO, Suppressed.COMPLAINT, scene.now)
    assert await store.lift_all(Suppressed.HARD_BOUNCE, scene.now, at="two.example") == 0
    assert await store.lift_all(Suppressed.HARD_BOUNCE, scene.now, at="one.example", since=scene.now - DAY) == 1
    assert await scene.suppressed() == {ADA: Suppressed.HARD_BOUNCE, CLEO: Suppressed.COMPLAINT}
    assert await store.lift_all(Suppressed.HARD_BOUNCE, scene.now) == 1
    assert await scene.suppressed() == {CLEO: Suppressed.COMPLAINT}


# --- domains


async def sign_up(scene: Scene, email: str) -> bool:
    wish = SignUp(email=email, newsletter="daily", consent_version="1", consent_network="")
    await scene.context.subscribers.sign_up(wish, scene.now)
    return await scene.context.subscribers.by_address(email, "daily") is not None


async def test_a_blocked_domain_is_neither_mailed_nor_taken_and_comes_back(scene: Scene) -> None:
    store = scene.context.subscribers
    await store.suppress(BEN, Suppressed.COMPLAINT, scene.now)
    assert await store.rule("one.example", BLOCKED, scene.now) == 1
    assert await store.rule("two.example", BLOCKED, scene.now) == 1
    assert await scene.suppressed() == {
        ADA: Suppressed.BLOCKED, BEN: Suppressed.COMPLAINT, CLEO: Suppressed.BLOCKED,
    }  # fmt: skip
    assert not await sign_up(scene, "eve@deep.one.example")
    assert await sign_up(scene, "eve@none.example")
    with pytest.raises(AssertionError):
        await scene.subscribe("dov@one.example")
    await store.lift(ADA, scene.now)
    assert (await scene.suppressed())[ADA] == Suppressed.BLOCKED
    assert await store.rule("one.example", "", scene.now) == 1
    assert await scene.suppressed() == {BEN: Suppressed.COMPLAINT, CLEO: Suppressed.BLOCKED}
    assert await store.rules() == [("two.example", BLOCKED)]


async def test_what_comes_back_from_an_allowed_domain_waits_for_the_operator(scene: Scene) -> None:
    await scene.context.subscribers.rule("one.example", ALLOWED, scene.now)
    assert await scene.context.subscribers.allows("eve@mail.one.example")
    assert not await scene.context.subscribers.allows(CLEO)
    number = await scene.send()
    scene.put(report(scene.token_of(number, ADA), ADA))
    assert (await scene.read()).held == 1
    assert await scene.suppressed() == {}


# --- the list


async def test_another_senders_hashes_stop_whom_we_mail_and_who_would_sign_up(scene: Scene) -> None:
    store, key = scene.context.subscribers, scene.context.settings.hashing_key
    sha256 = hashlib.sha256(ADA.encode()).hexdigest()
    md5 = hashlib.md5(b"eve@none.example", usedforsecurity=False).hexdigest()
    lines = [{"sha256": sha256.upper()}, {"md5": md5}, {"email": "Dov@None.example", "reason": "complaint"}]
    kept = dict(read_line(line, key) for line in lines)
    assert await store.adopt(kept, scene.now) == 3
    assert await store.adopt(kept, scene.now) == 0
    assert await store.apply() == 1
    assert await scene.suppressed() == {ADA: Suppressed.OPERATOR}
    assert not await sign_up(scene, "eve@none.example")
    assert not await sign_up(scene, "dov@none.example")
    out = [written(one.address, one.key, one.reason, one.at, hashed=True) async for one in store.suppressions()]
    assert {read_line({"key": line[2]}, key)[0] for line in out} == set(kept)
    assert await store.lift(ADA, scene.now)
    assert await scene.suppressed() == {}


async def test_our_list_goes_out_and_comes_in_to_the_same(scene: Scene, database: Database) -> None:
    store, key = scene.context.subscribers, scene.context.settings.hashing_key
    await store.suppress(ADA, Suppressed.COMPLAINT, scene.now)
    await store.suppress("gone@none.example", Suppressed.HARD_BOUNCE, scene.now)
    for hashed in (False, True):
        lines = [written(one.address, one.key, one.reason, one.at, hashed=hashed) async for one in store.suppressions()]
        out = io.StringIO()
        csv.writer(out).writerows([("email", "sha256", "key", "reason", "at"), *lines])
        assert (ADA in out.getvalue()) is not hashed
        read = [read_line(line, key) for line in csv.DictReader(io.StringIO(out.getvalue()))]
        assert sorted(reason for _, reason in read) == [Suppressed.COMPLAINT, Suppressed.HARD_BOUNCE]
        assert await store.adopt({key: reason for key, reason in read if key == lines[1][2]}, scene.now) == 0
    assert lines[0][1] == hashlib.sha256(ADA.encode()).hexdigest()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"email": "nobody"}, "'nobody' is no address"),
        ({"sha256": "abc"}, "sha256 should be 64"),
        ({"md5": "z" * 32}, "md5 should be 32"),
        ({"key": "short"}, "none of email, sha256, md5 or key"),
        ({}, "none of email, sha256, md5 or key"),
    ],
)
def test_a_line_that_cannot_be_read_says_why(line: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_line(line, KEY.encode())


def test_an_address_that_begins_as_a_formula_does_is_none_in_the_list_and_comes_back() -> None:
    line = written("=cmd@one.example", "k", Suppressed.COMPLAINT, dt.datetime.now(dt.UTC), hashed=False)
    assert line[0] == "'=cmd@one.example"
    assert read_line({"email": line[0]}, KEY.encode()) == read_line({"email": "=cmd@one.example"}, KEY.encode())


def test_no_list_has_an_address_erased_or_blocked() -> None:
    for reason in ("erased", "blocked", "whatever they say"):
        assert read_line({"email": ADA, "reason": reason}, KEY.encode())[1] is Suppressed.OPERATOR
    assert read_line({"email": ADA, "reason": "Hard-Bounce"}, KEY.encode())[1] is Suppressed.HARD_BOUNCE
    assert dt.datetime.fromisoformat(written(ADA, "k", Suppressed.COMPLAINT, dt.datetime.now(dt.UTC), hashed=True)[4])
