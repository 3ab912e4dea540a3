"""What reports do, from the mailbox to the reader's state."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.causes import Cause
from flows.storage.database import Database
from subscribers.bounces import BounceKind, BounceState
from subscribers.ledger.came_back import Refused
from subscribers.model import SubscriptionState, Suppressed
from subscribers.tables import delivery
from tests.incoming.scene import DAY, FULL, Scene, complaint, report, scene_of

ADA, BEN = "ada@reader.example", "ben@reader.example"


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> Scene:
    made = scene_of(database, tmp_path)
    await made.subscribe(ADA, BEN)
    return made


async def test_a_hard_bounce_to_a_return_address_of_ours_suppresses(scene: Scene) -> None:
    number = await scene.send()
    # whatever address the report names: it may have been forwarded
    scene.put(report(scene.token_of(number, ADA).upper(), "elsewhere@other.example"))
    done = await scene.read()
    assert done.sentence == ("Returned mail: 1 hard bounce, 0 left unread in the mailbox. 1 address suppressed.")
    assert await scene.suppressed() == {ADA: Suppressed.HARD_BOUNCE}
    (row,) = await scene.rows()
    assert (row.edition_id, row.subscription_id, row.kind, row.status, row.domain) == (
        number, scene.readers[ADA], "hard", "5.1.1", "reader.example",
    )  # fmt: skip
    assert row.words == "550 5.1.1 user unknown"


async def test_a_forged_report_does_no_more_than_count_once_for_each_edition(scene: Scene) -> None:
    for _ in range(4):
        await scene.send()
        for _ in range(10):
            scene.put(report(address=ADA))
        scene.put(report(f"bounces+{'a' * 40}@example.org", ADA))
        await scene.read()
        assert await scene.suppressed() == {}
        scene.now += DAY
    assert [row.kind for row in await scene.rows()] == ["soft"] * 4


async def test_five_in_a_row_suppress_and_a_success_between_begins_anew(scene: Scene) -> None:
    for day in range(9):
        number = await scene.send()
        if day != 4:
            scene.put(report(scene.token_of(number, ADA), ADA, **FULL))
        scene.put(report(scene.token_of(number, BEN), BEN, **FULL))
        await scene.read()
        scene.now += DAY
        assert await scene.suppressed() == ({BEN: Suppressed.SOFT_BOUNCES} if day >= 4 else {})


async def test_reports_that_come_late_and_out_of_order_are_counted_by_their_mails(scene: Scene) -> None:
    numbers = []
    for _ in range(6):
        numbers.append(await scene.send())
        scene.now += DAY
    for number in (numbers[5], numbers[1], numbers[3], numbers[0]):
        scene.put(report(scene.token_of(number, ADA), ADA, **FULL))
        await scene.read()
    assert await scene.suppressed() == {}
    scene.put(report(scene.token_of(numbers[2], ADA), ADA, **FULL))
    await scene.read()
    assert await scene.suppressed() == {}  # the fifth mail went well
    scene.put(report(scene.token_of(numbers[4], ADA), ADA, **FULL))
    await scene.read()
    assert await scene.suppressed() == {ADA: Suppressed.SOFT_BOUNCES}


async def test_what_is_about_our_mail_suppresses_nobody(scene: Scene) -> None:
    for _ in range(8):
        number = await scene.send()
        scene.put(report(scene.token_of(number, ADA), diagnostic="smtp; 550 5.7.1 user unknown", status="5.7.1"))
        scene.put(report(scene.token_of(number, BEN), diagnostic="smtp; 553 5.1.8 no such domain", status="5.1.8"))
        assert (await scene.read()).kinds == {BounceKind.REFUSED: 2}
        scene.now += DAY
    assert await scene.suppressed() == {}
    assert {row.cause for row in await scene.rows()} == {"policy", "our address"}


async def test_the_same_report_twice_counts_once_and_a_worse_one_replaces_it(scene: Scene) -> None:
    number = await scene.send()
    to = scene.token_of(number, ADA)
    for _ in range(3):
        scene.put(report(to, ADA, **FULL))
    done = await scene.read()
    assert (done.kinds, done.known) == ({BounceKind.SOFT: 1}, 2)
    scene.put(report(to, ADA))
    scene.put(report(to, ADA, **FULL))
    done = await scene.read()
    assert (done.kinds, done.known) == ({BounceKind.HARD: 1}, 1)
    assert [row.kind for row in await scene.rows()] == ["hard"]


async def test_what_is_no_failure_does_nothing(scene: Scene) -> None:
    number = await scene.send()
    for action in ("delayed", "relayed", "expanded", "delivered"):
        scene.put(report(scene.token_of(number, ADA), ADA, action=action))
    done = await scene.read()
    assert done.passing.total() == 4
    assert await scene.rows() == []
    assert scene.left() == []


async def test_a_complaint_unsubscribes_and_suppresses_at_once(scene: Scene) -> None:
    await scene.subscribe(ADA, newsletter="arxiv")
    daily = await scene.context.subscribers.by_address(ADA, "daily")
    assert daily
    scene.readers[ADA] = daily.id
    number = await scene.send(ADA)
    return_path = f"Return-Path: <{scene.token_of(number, ADA)}>\n"
    scene.put(complaint(headers=return_path))
    scene.put(complaint(headers=return_path))
    done = await scene.read()
    assert (done.kinds, done.known, done.suppressed) == ({BounceKind.COMPLAINT: 1}, 1, 1)
    assert (await scene.reader(ADA)).state is SubscriptionState.UNSUBSCRIBED
    assert await scene.suppressed() == {ADA: Suppressed.COMPLAINT}


async def test_what_is_not_understood_stays_and_is_told_with_the_reason(scene: Scene) -> None:
    await scene.send()
    scene.put(report(address="nobody@other.example"), "1")
    scene.put(b"From: MAILER-DAEMON@x\nSubject: failure\n\nSomething.\n", "2")
    scene.put(b"From: a@b.example\nSubject: hello\n\nYou are great!\n", "3")
    done = await scene.read()
    assert done.left == 3
    assert scene.left() == ["1:2,", "2:2,", "3:2,"]
    assert "about no mail of ours" in done.why_left
    assert "names no address" in done.why_left


async def test_a_freed_reader_is_mailed_whatever_old_mails_still_come_back(scene: Scene) -> None:
    numbers = [await scene.send()]
    scene.now += DAY
    numbers.append(await scene.send())
    scene.put(report(scene.token_of(numbers[0], ADA), ADA))
    await scene.read()
    scene.now += DAY
    assert await scene.context.subscribers.lift(ADA, scene.now)
    assert await scene.suppressed() == {}
    for number in numbers:
        scene.put(report(scene.token_of(number, ADA), ADA))
    scene.put(complaint(address=ADA))
    await scene.read()
    assert await scene.suppressed() == {}
    scene.now += DAY
    later = await scene.send()
    scene.put(report(scene.token_of(later, ADA), ADA))
    await scene.read()
    assert await scene.suppressed() == {ADA: Suppressed.HARD_BOUNCE}


async def test_a_letter_that_comes_back_hard_suppresses(scene: Scene) -> None:
    scene.put(report(scene.token_of(0, ADA), ADA))
    scene.put(report(address=BEN, headers=f"Message-ID: <welcome.7.{scene.readers[BEN]}@papers.example.org>\n"))
    await scene.read()
    assert await scene.suppressed() == {ADA: Suppressed.HARD_BOUNCE, BEN: Suppressed.HARD_BOUNCE}


async def test_a_mass_of_hard_bounces_from_one_domain_is_held_and_nobody_is_suppressed(scene: Scene) -> None:
    many = [f"r{n}@one.example" for n in range(12)]
    await scene.subscribe(*many)
    number = await scene.send()
    for one in many[:9]:
        scene.put(report(scene.token_of(number, one), one))
    assert (await scene.read()).suppressed == 9
    scene.put(report(scene.token_of(number, many[9]), many[9]))
    scene.put(report(scene.token_of(number, ADA), ADA))
    done = await scene.read()
    assert (done.suppressed, done.held) == (1, 10)
    assert "held for you" in done.sentence
    assert await scene.suppressed() == {ADA: Suppressed.HARD_BOUNCE}
    assert await scene.states() == {BounceState.HELD: 10, BounceState.SUPPRESSED: 1}


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_domain_all_of_whose_readers_fail_softly_is_held_too(scene: Scene, at_once: bool) -> None:
    many = [f"r{n}@one.example" for n in range(12)]
    await scene.subscribe(*many)
    for _ in range(5):
        scene.now += DAY
        number = await scene.send()
        for one in many:
            scene.put(report(scene.token_of(number, one), one, **FULL))
            if not at_once:
                await scene.read()
        done = await scene.read()
    assert await scene.suppressed() == {}
    if at_once:
        assert (done.suppressed, done.held) == (0, 12)
    assert await scene.states() == {BounceState.COUNTED: 48, BounceState.HELD: 12}
    assert await scene.context.held_bounces.decide(scene.now, suppress=True) == 12
    assert await scene.suppressed() == dict.fromkeys(many, Suppressed.SOFT_BOUNCES)


@pytest.mark.parametrize("sent_after_all", [True, False])
async def test_what_was_given_up_and_sent_again_since_has_not_failed(scene: Scene, sent_after_all: bool) -> None:
    mine = delivery.c.subscription_id == scene.readers[ADA]
    for day in range(5):
        scene.now += DAY
        number = await scene.send(ADA)
        become = sa.update(delivery).where(mine, delivery.c.edition_id == number)
        async with scene.context.database.write() as connection:
            await connection.execute(become.values(state="rejected"))
        given_up = Refused(
            edition_id=number,
            subscription_id=scene.readers[ADA],
            address=ADA,
            cause=Cause.FULL,
            code=452,
            status="4.2.2",
            words="4.2.2 full",
            put_off=True,
        )
        await scene.context.came_back.refused([given_up], scene.now)
        if day == 2 and sent_after_all:
            async with scene.context.database.write() as connection:
                await connection.execute(become.values(state="sent"))
    assert await scene.suppressed() == ({} if sent_after_all else {ADA: Suppressed.SOFT_BOUNCES})


async def test_a_few_of_a_large_domain_are_no_mass(scene: Scene) -> None:
    many = [f"r{n}@large.example" for n in range(100)]
    await scene.subscribe(*many)
    number = await scene.send()
    for one in many[:12]:
        scene.put(report(scene.token_of(number, one), one))
    assert (await scene.read()).suppressed == 12


async def test_a_mass_of_one_day_is_held_over_all_domains(scene: Scene) -> None:
    many = [f"r@d{n}.example" for n in range(150)]
    await scene.subscribe(*many)
    number = await scene.send()
    for one in many[:120]:
        scene.put(report(scene.token_of(number, one), one))
    done = await scene.read()
    assert await scene.suppressed() == {}
    assert (done.suppressed, done.held) == (0, 120)
    assert done.kinds == {BounceKind.HARD: 120}
    assert await scene.states() == {BounceState.HELD: 120}


async def test_who_is_erased_leaves_no_words_behind(scene: Scene) -> None:
    number = await scene.send()
    scene.put(report(scene.token_of(number, ADA), ADA, diagnostic=f"smtp; 550 <{ADA}> unknown"))
    await scene.read()
    held = await scene.context.subscribers.everything(scene.readers[ADA])
    assert held["bounces_and_complaints"][0]["words"].startswith("550")
    await scene.context.subscribers.erase(scene.readers[ADA], scene.now)
    (row,) = await scene.rows()
    assert (row.words, row.domain, row.kind) == ("", "", "hard")
