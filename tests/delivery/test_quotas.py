"""What does not fit a limit's window is due when it opens, and nobody gets it twice: days in a test by a clock that is
set forward."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.delivery.run import Delivered, deliver_due
from flows.storage.database import Database
from flows.turns import DAY
from subscribers.model import DeliveryState
from subscribers.tables import delivery, subscriber, subscription
from tests.delivery.test_run import LATER, NOON, SENT, Scene, about_the_mail_server_alone, context_for, readers
from tests.sending.smtp import mail_server


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    async with mail_server() as server:
        yield Scene(database, tmp_path, server)


async def sent_at(scene: Scene) -> Sequence[tuple[dt.datetime, str, int | None]]:
    """When the server took each reader's mail, with their address and hour, in this order."""
    query = (
        sa.select(delivery.c.changed_at, subscriber.c.email, subscription.c.hour)
        .where(
            subscription.c.id == delivery.c.subscription_id,
            subscriber.c.id == subscription.c.subscriber_id,
            delivery.c.state == DeliveryState.SENT,
        )
        .order_by(delivery.c.changed_at)
    )
    async with scene.database.read() as connection:
        return [(at, email, hour) for at, email, hour in await connection.execute(query)]


def most_in(times: Sequence[dt.datetime], span: dt.timedelta) -> int:
    """The most mails in any stretch of so long; the times are in order."""
    most = first = 0
    for last, at in enumerate(times):
        while at - times[first] >= span:
            first += 1
        most = max(most, last - first + 1)
    return most


async def days(scene: Scene, most: int) -> Delivered:
    """Delivers what is due whenever something is, until all have got it, at most so many days."""
    delivered = await scene.deliver(**LATER)
    end = scene.clock() + dt.timedelta(days=most)
    while delivered.next_due is not None:
        assert delivered.next_due < end, delivered.sentence
        assert not delivered.halted
        scene.clock.ahead += max(delivered.next_due - scene.clock(), dt.timedelta(0))
        (found,) = await deliver_due(scene.context, "daily", lambda _: None)
        assert isinstance(found, Delivered)
        delivered = found
    return delivered


async def test_a_list_that_is_larger_than_a_day_takes_several_and_nobody_gets_it_twice(scene: Scene) -> None:
    scene.with_settings(size=50, mail_rate="100/day")
    await scene.begin(*readers(500))
    delivered = await scene.deliver(**LATER)
    assert delivered.counts[SENT] == 100
    assert "400 wait for the limit of all mail (100/day), until 2026-06-10 12:" in delivered.sentence
    assert (await days(scene, 5)).counts == {SENT: 500}
    assert scene.server.readers == Counter(readers(500))
    times = [at for at, _, _ in await sent_at(scene)]
    assert most_in(times, dt.timedelta(seconds=DAY)) <= 100
    assert times[-1] - times[0] < dt.timedelta(days=4, hours=2)


async def test_whose_hour_came_first_is_served_first_and_at_their_hour_where_that_fits(scene: Scene) -> None:
    scene.with_settings(size=10, mail_rate="40/day", mail_connections=1)
    hours = [(13 + n) % 24 for n in range(20)]
    for number, hour in enumerate(hours):
        await scene.subscribe(*(f"reader-{n}-{number}@example.org" for n in range(5)), hour=hour)
    await scene.begin()
    await days(scene, 5)
    found = await sent_at(scene)
    assert len(found) == 100
    places = [hours.index(hour) for _, _, hour in found if hour is not None]
    assert places == sorted(places)
    for (at, _, _), place in zip(found[:40], places, strict=False):
        assert at - (NOON + dt.timedelta(hours=place + 1)) < dt.timedelta(minutes=1)


async def test_a_warm_up_brings_an_edition_to_more_readers_every_day(scene: Scene) -> None:
    scene.with_settings(size=50, mail_warm_up="20/day x1.5")
    await scene.begin(*readers(400))
    assert (await days(scene, 7)).counts == {SENT: 400}
    assert scene.server.readers == Counter(readers(400))
    times = [at for at, _, _ in await sent_at(scene)]
    by_day = Counter((at - times[0] + dt.timedelta(minutes=1)) // dt.timedelta(days=1) for at in times)
    assert (by_day[0], by_day[1]) == (20, 30)
    for day in range(6):
        assert sum(by_day[n] for n in range(day + 1)) <= sum(20 * 1.5**n for n in range(day + 1))


@about_the_mail_server_alone
async def test_a_warm_up_of_fourteen_days_brings_it_to_all_and_to_nobody_twice(scene: Scene) -> None:
    scene.with_settings(size=50, mail_warm_up="4/day x1.2")
    everybody = [f"reader-{n}@d{n % 40}.example" for n in range(230)]  # none of the domains is a large one
    await scene.begin(*everybody)
    assert (await days(scene, 16)).counts == {SENT: 230}
    assert scene.server.readers == Counter(everybody)
    times = [at for at, _, _ in await sent_at(scene)]
    by_day = Counter((at - times[0] + dt.timedelta(minutes=1)) // dt.timedelta(days=1) for at in times)
    assert 13 <= max(by_day) <= 15
    allowed = [int(4 * 1.2**day) for day in range(16)]
    for day in range(16):
        # also in a day that begins between two of its own no more than the later one's
        assert sum(by_day[n] for n in range(day + 1)) <= sum(allowed[: day + 1])
    assert most_in(times, dt.timedelta(days=1)) <= allowed[max(by_day)]


async def test_a_full_domain_keeps_nobody_else_waiting(scene: Scene) -> None:
    scene.with_settings(size=50, mail_limits="slow.example = 40/hour")
    slow = tuple(f"reader-{n}@slow.example" for n in range(100))
    await scene.begin(*slow, *readers(200))
    delivered = await scene.deliver(**LATER)
    assert delivered.counts[SENT] == 240
    assert "60 wait for the limit of slow.example (40/hour), until 2026-06-09 13:0" in delivered.sentence
    await days(scene, 1)
    assert scene.server.readers == Counter((*slow, *readers(200)))
    times = [at for at, email, _ in await sent_at(scene) if email in slow]
    assert most_in(times, dt.timedelta(hours=1)) <= 40


async def test_turns_that_can_not_be_had_end_the_run_with_the_reason(scene: Scene) -> None:
    scene.with_settings(size=50, mail_warm_up="200/day x1.5")
    await scene.begin(*readers(100))
    async with scene.database.write() as connection:
        await connection.execute(sa.text("DROP TABLE warm_up"))
    with pytest.raises(sa.exc.DBAPIError, match="warm_up"):
        await asyncio.wait_for(scene.deliver(**LATER), 30)


async def test_several_machines_share_one_quota(scene: Scene) -> None:
    await scene.begin(*readers(200))
    scene.with_settings(size=10, mail_rate="80/hour")
    scenes = []
    for _ in range(3):
        one = Scene(scene.database, scene.folder, scene.server)
        one.context = context_for(scene.database, scene.folder, scene.server.port, scene.clock, 10, mail_rate="80/hour")
        scenes.append(one)
    await asyncio.gather(*(one.deliver(**LATER) for one in scenes))
    assert 70 <= len(scene.server.taken) <= 80
    await days(scene, 1)
    assert scene.server.readers == Counter(readers(200))
    assert most_in([at for at, _, _ in await sent_at(scene)], dt.timedelta(hours=1)) <= 80
