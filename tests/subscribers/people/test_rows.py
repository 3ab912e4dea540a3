"""How a subscription stands in its table and comes out of it, and by what an address is known."""

from __future__ import annotations

import datetime as dt
import hashlib
import json

import pytest
import sqlalchemy as sa

from flows.editions.model import Interests
from flows.storage.database import Database
from subscribers.model import Frequency, SubscriptionState, Suppressed
from subscribers.people.lookup import locked
from subscribers.people.rows import (
    BLOCKED,
    DELIVERABLE,
    SETTINGS,
    address_key,
    address_keys,
    beginning,
    domains_of,
    interests_columns,
    keep_settings,
    kept_settings,
    read_deliverable,
    read_subscription,
    subscriptions,
    suppressed,
)
from subscribers.people.store import Change
from subscribers.tables import subscriber, subscription
from tests.factories import HASHING_KEY, newsletter
from tests.subscribers.everyone import ADA, NOW, people

CHOSEN = Interests(
    topics=frozenset({"agents"}),
    muted=frozenset({"video"}),
    keywords=("bells", "sheep, black"),
    authors=("Ada Brook",),
    leave_out=("drums",),
    size=5,
)


async def listed(database: Database, **columns: object) -> None:
    await people(database).keep([Change(email=ADA, newsletter="daily", columns=columns)], NOW)


async def test_what_a_reader_chose_comes_back_for_a_page_and_for_a_delivery(database: Database) -> None:
    await listed(database, frequency=Frequency.DAILY, zone="Europe/Rome", language="de")
    async with database.write() as connection:
        await connection.execute(sa.update(subscription).values(interests_columns(CHOSEN)))
        whole = read_subscription((await connection.execute(subscriptions())).one())
        row = (await connection.execute(sa.select(*DELIVERABLE).join(subscriber))).one()
    part = read_deliverable(row)
    assert whole.interests == part.interests == CHOSEN
    assert (whole.email, whole.zone, whole.language) == (part.email, part.zone, part.language)
    assert (part.email, part.zone, part.language) == (ADA, "Europe/Rome", "de")
    assert whole.state is part.state is SubscriptionState.CONFIRMED


async def test_settings_that_were_kept_for_an_undo_come_back_as_they_were(database: Database) -> None:
    until = dt.date(2026, 7, 1)
    await listed(database, paused_until=until, hour=7)
    async with database.read() as connection:
        number = await connection.scalar(sa.select(subscription.c.id))
        row = await locked(connection, number or 0)
    assert row is not None
    back = kept_settings(keep_settings(row, consent_at=NOW))
    assert back == {**{name: row._mapping[name] for name in SETTINGS}, "consent_at": NOW}
    assert back["paused_until"] == until


def test_of_what_was_kept_only_settings_come_back() -> None:
    assert kept_settings(json.dumps({"hour": 7, "email": "eve@example.org"})) == {"hour": 7}


def test_who_does_not_choose_begins_as_the_newsletter_has_it() -> None:
    assert beginning(newsletter(hour=None)) == {"frequency": Frequency.DAILY}
    at = beginning(newsletter(hour=6, zone="Asia/Tokyo", frequency="weekly"))
    assert at == {"frequency": Frequency.WEEKLY, "hour": 6, "zone": "Asia/Tokyo"}


def test_an_address_is_known_by_the_same_keys_however_it_is_written() -> None:
    ours, sha256, md5 = address_keys("Ada@Example.ORG", HASHING_KEY)
    assert (ours, sha256, md5) == address_keys(ADA, HASHING_KEY)
    assert ours == address_key(ADA, HASHING_KEY) != address_key(ADA, b"another key of the installation's")
    assert md5 == hashlib.md5(ADA.encode(), usedforsecurity=False).hexdigest()
    assert len({ours, sha256, md5}) == 3


@pytest.mark.parametrize(
    ("email", "domains"),
    [
        ("a@Mail.One.example", ["mail.one.example", "one.example", "example"]),
        ('"a@b"@one.example', ["one.example", "example"]),
    ],
)
def test_the_domains_of_an_address_are_its_own_and_those_above(email: str, domains: list[str]) -> None:
    assert domains_of(email) == domains


async def test_an_address_is_suppressed_by_its_own_or_by_its_domain(database: Database) -> None:
    store = people(database)
    await store.suppress("ben@one.example", Suppressed.COMPLAINT, NOW)
    await store.rule("two.example", BLOCKED, NOW)
    async with database.read() as connection:
        assert await suppressed(connection, "BEN@one.example", HASHING_KEY) is Suppressed.COMPLAINT
        assert await suppressed(connection, "cleo@sub.two.example", HASHING_KEY) is Suppressed.BLOCKED
        assert await suppressed(connection, "dov@notwo.example", HASHING_KEY) is None
