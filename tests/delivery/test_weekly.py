"""A weekly edition reaches its readers on their day, less what they had got before, with a real mail server, on SQLite
and PostgreSQL."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.delivery.run import Delivered, Held, deliver, deliver_due
from flows.editions.model import Edition, Kind
from flows.mail.cards import pack
from flows.papers.model import Paper
from flows.pipeline import tidy
from flows.storage.database import Database
from flows.storage.editions import Frozen
from subscribers.ledger.ledger import Ledger
from subscribers.model import DeliveryState, Frequency, SubscriptionState
from subscribers.tables import delivery, subscriber, subscription
from tests import factories
from tests.delivery.test_run import Scene
from tests.mail import made
from tests.sending.smtp import mail_server

MONDAY, TUESDAY, SATURDAY = dt.date(2026, 6, 8), factories.DAY, dt.date(2026, 6, 13)
SENT, PENDING, SKIPPED = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.SKIPPED
WEEKLY = {"frequency": Frequency.WEEKLY}


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    """Its clock stands at noon of a Tuesday."""
    async with mail_server() as server:
        yield Scene(database, tmp_path, server)


async def frozen(scene: Scene, kind: Kind, day: dt.date, listed: list[Paper] | None = None) -> Frozen:
    made_of: Edition = factories.edition(listed, kind=kind, day=day)
    return await scene.context.store.freeze(made_of, pack(made.rendered(made_of)), scene.clock())


async def delivered(scene: Scene, found: Frozen) -> Delivered:
    return await deliver(scene.context, found, lambda _: None, wait=dt.timedelta(0))


async def due(scene: Scene) -> Mapping[str, int]:
    """What a run of `deliver-due` brings about."""
    done = await deliver_due(scene.context, "daily", lambda _: None)
    return {str(state): n for one in done if isinstance(one, Delivered) for state, n in one.counts.items()}


def titles(scene: Scene, address: str) -> list[set[str]]:
    """The papers of each mail that an address got, by the numbers that end their titles."""
    mails = [taken for taken in scene.server.taken if taken.recipient == address]
    return [set(re.findall(r"Part (\d+)", mail.content.decode("utf-8", "replace"))) for mail in mails]


async def weekly_rows(scene: Scene, found: Frozen) -> dict[str, dt.datetime | None]:
    query = sa.select(subscriber.c.email, delivery.c.due_at).where(
        delivery.c.edition_id == found.id,
        subscription.c.id == delivery.c.subscription_id,
        subscriber.c.id == subscription.c.subscriber_id,
    )
    async with scene.database.read() as connection:
        return {row.email: row.due_at for row in await connection.execute(query)}


async def test_each_weekly_reader_is_due_on_their_day_and_hour_and_daily_readers_are_not(scene: Scene) -> None:
    scene.clock.forward(days=4)
    await scene.subscribe("at-once@example.org", **WEEKLY)
    await scene.subscribe("hour@example.org", hour=20, zone="UTC", **WEEKLY)
    await scene.subscribe("monday@example.org", weekday=0, zone="Europe/Berlin", **WEEKLY)
    await scene.subscribe("sunday@example.org", weekday=6, hour=9, zone="America/New_York", **WEEKLY)
    await scene.subscribe("friday@example.org", weekday=4, hour=6, zone="Asia/Tokyo", **WEEKLY)
    await scene.subscribe("today@example.org", weekday=5, zone="UTC", **WEEKLY)
    await scene.subscribe("daily@example.org")
    await scene.subscribe("weekdays@example.org", weekday=0, frequency=Frequency.WEEKDAYS)
    found = await frozen(scene, Kind.WEEKLY, SATURDAY)
    first = await delivered(scene, found)
    assert first.counts == {SENT: 2, PENDING: 4}
    assert await weekly_rows(scene, found) == {
        "at-once@example.org": None,
        "today@example.org": None,
        "hour@example.org": dt.datetime(2026, 6, 13, 20, tzinfo=dt.UTC),
        "sunday@example.org": dt.datetime(2026, 6, 14, 13, tzinfo=dt.UTC),
        "monday@example.org": dt.datetime(2026, 6, 15, 5, tzinfo=dt.UTC),
        "friday@example.org": dt.datetime(2026, 6, 18, 21, tzinfo=dt.UTC),
    }


async def test_a_daily_reader_with_a_day_from_before_gets_the_daily_edition_at_once(scene: Scene) -> None:
    await scene.subscribe("daily@example.org", weekday=0)
    assert (await delivered(scene, await frozen(scene, Kind.DAILY, TUESDAY))).counts == {SENT: 1}


async def test_what_waits_for_its_day_is_delivered_days_later_without_being_asked_for(scene: Scene) -> None:
    scene.clock.forward(days=4)
    await scene.subscribe("friday@example.org", weekday=4, **WEEKLY)
    await delivered(scene, await frozen(scene, Kind.WEEKLY, SATURDAY))
    scene.clock.forward(days=5)
    assert await due(scene) == {}
    scene.clock.forward(days=1)
    assert await due(scene) == {"sent": 1}
    assert scene.server.readers == {"friday@example.org": 1}


async def test_what_has_been_due_for_more_than_a_day_is_held(scene: Scene) -> None:
    scene.clock.forward(days=4)
    await scene.subscribe("friday@example.org", weekday=4, **WEEKLY)
    await scene.subscribe("evening@example.org", hour=20)
    for kind in Kind:
        await delivered(scene, await frozen(scene, kind, SATURDAY))
    for days, kind in ((3, Kind.DAILY), (5, Kind.WEEKLY)):
        scene.clock.forward(days=days)
        said: list[str] = []
        (held,) = await deliver_due(scene.context, "daily", said.append)
        assert isinstance(held, Held)
        assert said == [held.sentence]
        assert f"Held: the {kind} edition of 2026-06-13 has something due since 2026-06-" in held.sentence
        assert f"start a `{kind}` run with the date 2026-06-13" in held.sentence
    scene.clock.forward(days=14)
    assert await deliver_due(scene.context, "daily", said.append) == []
    assert not scene.server.taken


async def test_who_turns_to_weekly_before_their_hour_gets_the_weekly_edition_alone(scene: Scene) -> None:
    await scene.subscribe("evening@example.org", hour=20)
    found = await frozen(scene, Kind.DAILY, TUESDAY)
    await delivered(scene, found)
    scene.clock.forward(hours=1)
    await scene.subscribe("evening@example.org", **WEEKLY)
    scene.clock.forward(hours=8)
    assert await due(scene) == {"skipped": 1}
    scene.clock.forward(days=4)
    assert (await delivered(scene, await frozen(scene, Kind.WEEKLY, SATURDAY))).counts == {PENDING: 1}
    scene.clock.forward(hours=24)
    assert await due(scene) == {"sent": 1}
    assert len(scene.server.taken) == 1


async def test_who_turns_to_daily_gets_daily_editions_again(scene: Scene) -> None:
    await scene.subscribe("turns@example.org", **WEEKLY)
    assert (await delivered(scene, await frozen(scene, Kind.DAILY, MONDAY))).counts == {}
    await scene.subscribe("turns@example.org", frequency=Frequency.DAILY)
    assert (await delivered(scene, await frozen(scene, Kind.DAILY, TUESDAY))).counts == {SENT: 1}
    assert (await delivered(scene, await frozen(scene, Kind.WEEKLY, SATURDAY))).counts == {}


async def test_a_pause_that_ends_before_the_readers_day_costs_them_nothing(scene: Scene) -> None:
    scene.clock.forward(days=4)
    paused = {"state": SubscriptionState.PAUSED, **WEEKLY}
    monday, tuesday = dt.date(2026, 6, 15), dt.date(2026, 6, 16)
    await scene.subscribe("back@example.org", weekday=1, paused_until=monday, **paused)
    await scene.subscribe("away@example.org", weekday=0, paused_until=tuesday, **paused)
    await scene.subscribe("long@example.org", weekday=0, paused_until=dt.date(2026, 7, 1), **paused)
    found = await frozen(scene, Kind.WEEKLY, SATURDAY)
    assert (await delivered(scene, found)).counts == {PENDING: 2}
    scene.clock.forward(days=2)
    (ended,) = await deliver_due(scene.context, "daily", lambda _: None)
    assert isinstance(ended, Delivered)
    assert ended.reasons[SKIPPED] == {"paused until 2026-06-16": 1}
    scene.clock.forward(days=1)
    assert await due(scene) == {"sent": 1, "skipped": 1}
    assert set(scene.server.readers) == {"back@example.org"}


async def test_more_clocks_than_a_statement_could_bind_at_once_are_all_kept(scene: Scene) -> None:
    """A batch at a time: every weekday and hour in some zones."""
    from zoneinfo import available_timezones

    zones = sorted(zone for zone in available_timezones() if zone.startswith(("Europe/", "Asia/")))[:12]
    for zone in zones:
        for weekday in range(7):
            for hour in range(0, 24, 6):
                address = f"r{weekday}-{hour}-{zone.replace('/', '-').lower()}@example.org"
                await scene.subscribe(address, weekday=weekday, hour=hour, zone=zone, **WEEKLY)
    scene.with_settings(size=50)
    scene.clock.forward(days=4)
    found = await frozen(scene, Kind.WEEKLY, SATURDAY)
    ledger: Ledger = scene.context.ledger
    number = len(zones) * 7 * 4
    assert await ledger.open(found.id, "daily", Kind.WEEKLY, SATURDAY, found.at, at_once=False) == number
    rows = await weekly_rows(scene, found)
    assert all(moment is None or moment < found.at + dt.timedelta(days=7, hours=1) for moment in rows.values())
    assert sum(moment is None for moment in rows.values()) < number / 7


async def test_upkeep_forgets_what_was_not_confirmed_and_names_nobody(scene: Scene) -> None:
    assert await tidy(scene.context) == "Forgotten: 0 unconfirmed sign-ups; 0 wait to be confirmed."
    await scene.subscribe("ada@example.org", state=SubscriptionState.UNCONFIRMED)
    async with scene.database.write() as connection:
        await connection.execute(sa.update(subscription).values(asked_at=scene.clock()))
    assert await tidy(scene.context) == "Forgotten: 0 unconfirmed sign-ups; 1 waits to be confirmed."
    scene.clock.forward(days=8)
    assert await tidy(scene.context) == "Forgotten: 1 unconfirmed sign-up; 0 wait to be confirmed."
