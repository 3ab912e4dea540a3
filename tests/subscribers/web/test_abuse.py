"""What a day of attack on the forms comes to: nobody but the attacker is refused, and no inbox is flooded."""

from __future__ import annotations

import asyncio
import datetime as dt
import statistics
import time
from dataclasses import replace
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from flows.storage.database import Instant
from subscribers.model import Suppressed
from subscribers.tables import outbox, rate
from subscribers.web.abuse import IN_ALL, networks_of
from subscribers.web.request_limits import Count
from tests.context import NOON
from tests.subscribers.site import READER, Site, served

HOUR = dt.timedelta(hours=1)
FORM = {"address": READER, "newsletter": "daily", "frequency": "daily"}


async def post(site: Site, path: str, address: str, source: str, now: dt.datetime = NOON) -> httpx.Response:
    app, _ = served(replace(site.services, now=lambda: now))
    transport = httpx.ASGITransport(app, client=(source, 1))
    async with httpx.AsyncClient(
        transport=transport, base_url="https://papers.example.org", follow_redirects=True
    ) as browser:
        return await browser.post(path, data=FORM | {"address": address})


async def test_a_whole_48_of_networks_can_not_close_the_door_for_others(site: Site) -> None:
    """Each request comes from a /64 of its own."""
    asked = [post(site, "/subscribe", f"reader{n}@example.org", f"2001:db8:1:{n:x}::1") for n in range(0, 60_000, 100)]
    answers = [answer.status_code for batch in range(0, 600, 50) for answer in await _all(asked[batch : batch + 50])]
    assert answers.count(200) == 40
    assert answers.count(429) == 560
    assert (await post(site, "/subscribe", READER, "2001:db8:2:1::1")).status_code == 200


async def _all(asked: list[Any]) -> list[httpx.Response]:
    return list(await asyncio.gather(*asked))


@pytest.mark.parametrize(
    ("host", "around"),
    [
        ("2001:db8:1:2:3::4", {"2001:db8:1:2::/64": 1, "2001:db8:1::/56": 2, "2001:db8:1::/48": 4}),
        ("192.0.2.77", {"192.0.2.77": 1, "192.0.2.0/24": 4}),
        ("::ffff:192.0.2.77", {"192.0.2.77": 1, "192.0.2.0/24": 4}),
        ("fe80::1%eth0", {"fe80::/64": 1, "fe80::/56": 2, "fe80::/48": 4}),
        ("a pipe", {"a pipe": 1}),
    ],
)
def test_an_address_counts_for_the_networks_around_it(host: str, around: dict[str, int]) -> None:
    assert networks_of(host) == around


async def test_who_goes_on_asking_waits_longer_and_longer(site: Site) -> None:
    waits = []
    for hour in range(4):
        for number in range(11):
            answer = await post(site, "/manage-link", f"r{hour}.{number}@example.org", "192.0.2.7", NOON + hour * HOUR)
        waits.append((answer.status_code, int(answer.headers["Retry-After"])))
    assert waits == [(429, 3600), (429, 5 * 3600), (429, 4 * 3600), (429, 3 * 3600)]
    assert "try again in 3 hours" in answer.text


async def test_names_of_one_inbox_bring_it_a_few_confirmations_and_no_more(site: Site) -> None:
    names = [f"ada.brook+{n}@example.org" for n in range(10)]
    names += [f"{'adabrook'[:n]}.{'adabrook'[n:]}@Example.org" for n in range(1, 7)]
    for day, name in enumerate(names):
        assert (await post(site, "/subscribe", name, f"198.51.{day}.1")).status_code == 200
    assert await site.letters() == ["confirm"] * 3
    # and others of that domain are not taken for the same
    await post(site, "/subscribe", "ben.brook@example.org", "198.51.99.1")
    assert len(await site.letters()) == 4


async def _fill(site: Site, form: str, hours: int) -> None:
    """As if so many had asked for a mail by this form that the next hours are full."""
    for hour in range(hours):
        await site.services.limits.count([Count(f"{form} in all", "", IN_ALL, HOUR)], NOON + hour * HOUR)
    async with site.context.database.write() as connection:
        await connection.execute(sa.update(rate).values(count=IN_ALL))


async def test_where_more_is_asked_for_than_we_send_a_sign_up_waits_in_turn(site: Site) -> None:
    await _fill(site, "sign-up", 3)
    assert (await post(site, "/subscribe", READER, "192.0.2.7")).status_code == 200
    async with site.context.database.read() as connection:
        due = await connection.scalar(sa.select(sa.type_coerce(outbox.c.due_at, Instant)))
    assert due == NOON + 3 * HOUR
    assert await site.context.outbox.claim(NOON + 2 * HOUR) is None
    item = await site.context.outbox.claim(NOON + 3 * HOUR)
    assert item is not None
    assert item.to == READER
    # a lost link has a budget of its own
    await site.subscribe("known@example.org")
    assert (await post(site, "/manage-link", "known@example.org", "192.0.2.7")).status_code == 200
    link_item = await site.context.outbox.claim(NOON)
    assert link_item is not None
    assert link_item.to == "known@example.org"


async def test_where_no_turn_is_left_it_is_said(site: Site) -> None:
    await _fill(site, "sign-up", 24)
    answer = await post(site, "/subscribe", READER, "192.0.2.7")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3600")
    assert await site.letters() == []


async def test_a_repeated_sign_up_takes_the_same_time_as_a_first_one(site: Site) -> None:
    """What an answer takes says nothing of the address: compared within one run, by turns."""
    await site.subscribe("known@example.org")
    took: dict[str, list[float]] = {"new": [], "known": [], "suppressed": []}
    await site.context.subscribers.suppress("suppressed@example.org", Suppressed.COMPLAINT, NOON)
    for number in range(7):
        for kind, times in took.items():
            address = f"new{number}@example.org" if kind == "new" else f"{kind}@example.org"
            source = f"198.{18 + list(took).index(kind)}.{number}.1"
            begun = time.perf_counter()
            answer = await post(site, "/subscribe", address, source, NOON + number * HOUR)
            times.append(time.perf_counter() - begun)
            assert answer.status_code == 200
    medians = [statistics.median(times) for times in took.values()]
    assert max(medians) < 1.3 * min(medians)
