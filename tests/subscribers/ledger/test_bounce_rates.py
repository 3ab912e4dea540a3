"""How much came back, of an edition and of a month."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.storage.database import Database
from subscribers.ledger.bounce_rates import Rates
from subscribers.tables import delivery
from tests.incoming.scene import DAY, FULL, Scene, complaint, report, scene_of

ADA, BEN, CLEO = "ada@one.example", "ben@one.example", "cleo@sub.two.example"


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> Scene:
    made = scene_of(database, tmp_path)
    await made.subscribe(ADA, BEN, CLEO)
    return made


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
