"""A frozen edition reaches its readers, with a real mail server, on SQLite and PostgreSQL.

As a program, `python -m tests.delivery.test_run DATABASE FOLDER PORT`, it is the process that a test kills.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import re
import secrets
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.policy import default
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import dkim as judge
import pytest
import sqlalchemy as sa

from flows.config.settings import Settings
from flows.context import Context
from flows.delivery.run import Delivered, Held, deliver, deliver_due
from flows.editions.model import Kind
from flows.mail.cards import pack
from flows.outcomes import Problem
from flows.sending import dkim
from flows.storage.database import Database, connect
from flows.storage.editions import Frozen
from subscribers.ledger.ledger import Ledger
from subscribers.ledger.model import Claim
from subscribers.model import DeliveryState, SubscriptionState, Suppressed
from subscribers.people.store import Change, Subscribers
from subscribers.tables import delivery, subscriber, subscription
from tests import factories
from tests.factories import HASHING_KEY
from tests.mail import made
from tests.sending.smtp import MailServer, mail_server

NOON = dt.datetime(2026, 6, 9, 12, 0, tzinfo=dt.UTC)
SENT, PENDING, SKIPPED = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.SKIPPED
LATER = {"wait": dt.timedelta(0)}
"""What is not due now is left for another run."""


@dataclass
class Clock:
    """Goes with the real one, from noon of the edition's day; a test may set it forward."""

    ahead: dt.timedelta = field(default_factory=lambda: NOON - dt.datetime.now(dt.UTC))

    def __call__(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.ahead

    def forward(self, **span: float) -> None:
        self.ahead += dt.timedelta(**span)


@dataclass(frozen=True, kw_only=True)
class Quick(Context):
    """Its leases are short, so that what a dead process left is taken over within the test; its batches are small."""

    size: int = 500
    resend: bool = True
    kind: type[Ledger] = Ledger

    @cached_property
    def ledger(self) -> Ledger:
        second = dt.timedelta(seconds=1)
        return self.kind(self.database, lease=second, final_reply=second, size=self.size, resend=self.resend)


def context_for(
    database: Database, folder: Path, port: int, clock: Clock | None = None, size: int = 500, **given: Any
) -> Quick:
    values: dict[str, Any] = {
        "home_dir": folder,
        "mail_url": f"smtp://127.0.0.1:{port}",
        "mail_wait": 1.5,  # seconds for a server that is away
        "pause_above": "never",  # what servers refuse here would pause any newsletter
        "sender": "Paperround <digest@example.org>",
        "secret_key": "a key of sixteen letters or more",
    }
    settings = Settings(_env_file=None, **(values | given))
    return Quick(
        settings=settings,
        database=database,
        topics=(),
        newsletters={"daily": factories.newsletter()},
        now=clock or Clock(),
        size=size,
    )


@cache
def cards() -> bytes:
    return pack(made.rendered())


class Scene:
    """An edition, its readers, and a mail server."""

    def __init__(self, database: Database, folder: Path, server: MailServer) -> None:
        self.database, self.folder, self.server = database, folder, server
        self.clock = Clock()
        self.context = self.with_settings()

    def with_settings(self, size: int = 500, **given: Any) -> Quick:
        self.context = context_for(self.database, self.folder, self.server.port, self.clock, size, **given)
        return self.context

    async def begin(self, *addresses: str, **columns: Any) -> None:
        await self.subscribe(*addresses, **columns)
        await self.context.store.freeze(factories.edition(), cards(), self.clock())

    async def subscribe(self, *addresses: str, **columns: Any) -> None:
        changes = [Change(email=address, newsletter="daily", columns=columns) for address in addresses]
        await Subscribers(self.database, HASHING_KEY).keep(changes, self.clock())

    async def frozen(self) -> Frozen:
        found = await self.context.store.find("daily", Kind.DAILY, factories.DAY)
        assert isinstance(found, Frozen)
        return found

    async def deliver(self, **options: Any) -> Delivered:
        return await deliver(self.context, await self.frozen(), lambda _: None, **options)

    async def states(self) -> dict[str, DeliveryState]:
        """The state of each address, by the ledger."""
        query = sa.select(subscriber.c.email, delivery.c.state).where(
            subscription.c.id == delivery.c.subscription_id, subscriber.c.id == subscription.c.subscriber_id
        )
        async with self.database.read() as connection:
            return {row.email: DeliveryState(row.state) for row in await connection.execute(query)}

    def messages_per_reader(self) -> dict[str, int]:
        """How many different messages each reader got: every attempt at one has the same Message-ID."""
        return Counter(address for address, _ in {(taken.recipient, taken.message_id) for taken in self.server.taken})


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    async with mail_server() as server:
        yield Scene(database, tmp_path, server)


about_the_mail_server_alone = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def readers(number: int, kind: str = "reader") -> tuple[str, ...]:
    return tuple(f"{kind}-{n}@example.org" for n in range(number))


async def test_every_reader_gets_the_edition_once_however_often_it_is_delivered(scene: Scene) -> None:
    await scene.begin(*readers(60))
    for _ in range(2):
        delivered = await scene.deliver()
        assert (delivered.counts, delivered.next_due, delivered.halted) == ({SENT: 60}, None, "")
    assert scene.server.readers == Counter(readers(60))
    assert not scene.server.breaches


async def test_a_reader_whose_zone_is_not_known_stops_nobody_and_is_told_of(scene: Scene) -> None:
    await scene.subscribe("mars@example.org", zone="Mars/Phobos", hour=13)
    await scene.subscribe("west@example.org", zone="US/Pacific-New", hour=NOON.hour - 7)
    await scene.begin(*readers(3))
    told: list[str] = []
    delivered = await deliver(scene.context, await scene.frozen(), told.append, wait=LATER["wait"])
    assert (delivered.counts[SENT], delivered.counts[PENDING]) == (4, 1)
    (said,) = (one for one in told if "time zone" in one)
    assert said.startswith(
        "1 reader has a time zone that this machine does not know ('Mars/Phobos'): UTC, the newsletter's"
    )
    scene.clock.forward(hours=1)
    assert (await scene.deliver()).counts == {SENT: 5}


async def break_rows(scene: Scene, *addresses: str) -> None:
    """Gives readers what no version of ours has written, so that a bug is met where their mail is made."""
    who = sa.select(subscriber.c.id).where(subscriber.c.email.in_(addresses))
    async with scene.database.write() as connection:
        await connection.execute(
            sa.update(subscription).where(subscription.c.subscriber_id.in_(who)).values(keywords="[1]")
        )


async def test_a_bug_that_one_reader_meets_is_that_readers(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    await scene.begin(*readers(30))
    await break_rows(scene, "reader-0@example.org", "reader-17@example.org")
    delivered = await scene.deliver()
    assert (delivered.counts, delivered.halted) == ({SENT: 28, SKIPPED: 2}, "")
    found = [one async for page in scene.context.report.walk((await scene.frozen()).id) for one in page]
    assert {one.email for one in found if one.state is SKIPPED} == {"reader-0@example.org", "reader-17@example.org"}
    (words,) = {one.words for one in found if one.state is SKIPPED}
    assert re.fullmatch(r"the mail could not be written: \w+Error in \w+\.py, line \d+", words)
    assert "could not be written" in caplog.text
    assert "example.org" not in caplog.text


async def test_a_bug_that_all_meet_is_nobodys_and_stops_the_run(scene: Scene) -> None:
    everybody = readers(40)
    await scene.begin(*everybody)
    await break_rows(scene, *everybody)
    with pytest.raises(Problem, match=r"The mails of 1\d readers could not be written .* Please report it"):
        await scene.deliver()
    assert scene.server.taken == []
    assert list((await scene.states()).values()).count(SKIPPED) <= 10


async def test_a_message_id_stays_when_the_public_url_changes(scene: Scene) -> None:
    scene.with_settings(public_url="https://old.example.org")
    await scene.begin("lost-1@example.org")
    await scene.deliver(**LATER)
    scene.with_settings(public_url="https://new.example.com")
    scene.clock.forward(hours=1)
    await scene.deliver(**LATER)
    assert len(scene.server.taken) == 2
    assert len({taken.message_id for taken in scene.server.taken}) == 1


@about_the_mail_server_alone
async def test_digests_are_signed_where_there_is_a_key(scene: Scene, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(dkim.new_key("rsa"))
    name, record = dkim.read_key(key.read_bytes(), "s1", "example.org").record
    published = {f"{name}.".encode(): record.encode()}
    scene.with_settings(dkim_key=str(key), dkim_selector="s1")
    await scene.begin(*readers(20))
    await scene.deliver()
    assert len(scene.server.taken) == 20
    for taken in scene.server.taken:
        assert judge.verify(taken.content, dnsfunc=lambda asked, timeout=5: published[asked])


KINDS = {
    "reject": DeliveryState.REJECTED,
    "foreign": DeliveryState.REJECTED,
    "nodata": DeliveryState.REJECTED,
    "spam": DeliveryState.REJECTED,
    "grey": DeliveryState.DEFERRED,
    "full": DeliveryState.DEFERRED,
    "shut": DeliveryState.DEFERRED,
    "later": DeliveryState.DEFERRED,
    "drop": DeliveryState.UNCERTAIN,
    "lost": DeliveryState.UNCERTAIN,
    "slow": DeliveryState.SENT,
    "good": DeliveryState.SENT,
}


async def test_whatever_a_server_does_each_reader_ends_in_the_right_state(scene: Scene) -> None:
    """The good are served at once among the bad; what can be mended is tried again, under the same Message-ID."""
    scene.server.slowness = 0.3
    scene.server.per_connection = 7
    addresses = [f"{kind}-{n}@example.org" for n in range(4) for kind in KINDS]
    await scene.begin(*addresses)
    first = await scene.deliver(**LATER)
    assert await scene.states() == {address: KINDS[address.split("-")[0]] for address in addresses}
    assert first.reasons[DeliveryState.REJECTED]["5.1.1 no such user"] == 4
    assert all(words.startswith("connection lost: ") for words in first.reasons[DeliveryState.UNCERTAIN])
    assert first.next_due is not None
    assert not first.halted

    scene.clock.forward(minutes=2)
    await scene.deliver(**LATER)
    again = {"grey": SENT, "shut": SENT, "later": SENT, "drop": SENT, "lost": SENT}
    assert await scene.states() == {address: (KINDS | again)[address.split("-")[0]] for address in addresses}
    assert set(scene.messages_per_reader().values()) == {1}
    twice = {address for address, number in scene.server.readers.items() if number > 1}
    assert twice == {f"lost-{n}@example.org" for n in range(4)}
    assert not scene.server.breaches


async def test_a_dead_address_is_never_mailed_again_and_others_are(scene: Scene) -> None:
    await scene.begin("reject-1@example.org", "spam-1@example.org", "full-1@example.org", "good-1@example.org")
    await scene.deliver(**LATER)
    suppressed = {}
    async for one in scene.context.subscribers.walk("daily"):
        suppressed[one.email] = one.suppressed
    assert suppressed.pop("reject-1@example.org") is Suppressed.HARD_BOUNCE
    assert set(suppressed.values()) == {None}


async def test_refusals_for_policy_in_a_row_are_our_fault_and_nobodys_row_is_spent(scene: Scene) -> None:
    await scene.begin(*readers(60, "policy"))
    delivered = await scene.deliver(**LATER)
    assert "for reasons of policy" in delivered.halted
    assert delivered.counts == {PENDING: 60}
    assert {one.suppressed async for one in scene.context.subscribers.walk("daily")} == {None}


async def test_refusals_for_policy_among_others_are_about_the_readers(scene: Scene) -> None:
    await scene.begin(*(name for n in range(10) for name in (f"policy-{n}@example.org", f"good-{n}@example.org")))
    delivered = await scene.deliver(**LATER)
    assert (delivered.counts, delivered.halted) == ({DeliveryState.REJECTED: 10, SENT: 10}, "")


async def test_what_is_due_soon_is_waited_for(scene: Scene) -> None:
    await scene.begin("grey-1@example.org", "good-1@example.org")
    working = asyncio.create_task(scene.deliver(wait=dt.timedelta(minutes=5)))
    await scene.server.has_taken(1)
    scene.clock.forward(minutes=1)
    delivered = await asyncio.wait_for(working, 20)
    assert delivered.counts == {SENT: 2}


async def test_a_mistyped_sender_costs_no_reader_anything(scene: Scene) -> None:
    """And what was set wrongly can be set right, though the edition is frozen."""
    scene.server.refuses_sender = "digset@example.org"
    scene.with_settings(sender="Paperround <digset@example.org>")
    await scene.begin(*readers(50))
    delivered = await scene.deliver()
    assert delivered.counts == {PENDING: 50}
    assert "refuses the sender digset@example.org" in delivered.halted
    assert "PAPERROUND_SENDER" in delivered.halted

    scene.with_settings()
    assert (await scene.deliver()).counts == {SENT: 50}
    assert scene.server.readers == Counter(readers(50))


@about_the_mail_server_alone
async def test_a_refused_login_costs_no_reader_anything(scene: Scene) -> None:
    scene.server.login = ("me", "secret")
    await scene.begin(*readers(50))
    for url in (scene.server.url, scene.server.url.replace("//", "//me:wrong@")):
        scene.with_settings(mail_url=url)
        delivered = await scene.deliver()
        assert delivered.counts == {PENDING: 50}
        assert "user and password in PAPERROUND_MAIL_URL" in delivered.halted
    scene.with_settings(mail_url=scene.server.url.replace("//", "//me:secret@"))
    assert (await scene.deliver()).counts == {SENT: 50}


@about_the_mail_server_alone
async def test_a_dead_server_costs_no_reader_anything(scene: Scene) -> None:
    await scene.begin(*readers(50))
    await scene.server.stop()
    delivered = await scene.deliver()
    assert delivered.counts == {PENDING: 50}
    assert "check PAPERROUND_MAIL_URL" in delivered.halted
    await scene.server.start()
    assert (await scene.deliver()).counts == {SENT: 50}


async def test_a_server_that_dies_on_the_way_loses_nobody(scene: Scene) -> None:
    await scene.begin(*readers(100))
    working = asyncio.create_task(scene.deliver(**LATER))
    await scene.server.has_taken(30)
    await scene.server.stop()
    delivered = await working
    assert "check PAPERROUND_MAIL_URL" in delivered.halted
    assert sum(delivered.counts.values()) == 100
    assert delivered.counts[PENDING] >= 100 - len(scene.server.taken) - 8
    await scene.server.start()
    scene.clock.forward(minutes=2)
    assert (await scene.deliver()).counts == {SENT: 100}
    assert set(scene.messages_per_reader()) == set(readers(100))
    assert len(scene.server.taken) <= 104


@about_the_mail_server_alone
@pytest.mark.parametrize(
    ("sender", "name", "address"),
    [
        ("Paper@Round <digest@example.org>", "Paper@Round", "digest@example.org"),
        ("Digest: today <digest@example.org>", "Digest: today", "digest@example.org"),
        ("Fräulein Rund <digest@bücher.example>", "Fräulein Rund", "digest@xn--bcher-kva.example"),
    ],
)
async def test_a_sender_is_right_on_the_wire(scene: Scene, sender: str, name: str, address: str) -> None:
    scene.with_settings(sender=sender)
    await scene.begin("reader@example.org")
    assert (await scene.deliver()).counts == {SENT: 1}
    (taken,) = scene.server.taken
    head = taken.content.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    (author,) = message_from_bytes(taken.content, policy=default)["From"].addresses
    assert (author.display_name, author.addr_spec) == (name, address)
    assert taken.sender.rpartition("@")[2] == address.rpartition("@")[2]


@about_the_mail_server_alone
async def test_a_bad_mail_url_is_told_before_anything_is_made(scene: Scene) -> None:
    await scene.begin(*readers(3))
    scene.with_settings(mail_url="smtp://")
    with pytest.raises(Problem, match="PAPERROUND_MAIL_URL"):
        await scene.deliver()
    assert not await scene.states()


async def test_a_stop_comes_between_two_messages_and_the_next_run_goes_on(scene: Scene) -> None:
    await scene.begin(*readers(100))
    stop = asyncio.Event()
    working = asyncio.create_task(scene.deliver(stop=stop))
    await scene.server.has_taken(20)
    stop.set()
    delivered = await working
    assert delivered.counts == {SENT: len(scene.server.taken), PENDING: 100 - len(scene.server.taken)}
    assert len(scene.server.taken) < 40
    assert (await scene.deliver()).counts == {SENT: 100}
    assert scene.server.readers == Counter(readers(100))


async def test_who_leaves_during_the_run_gets_nothing(scene: Scene) -> None:
    """Whether unsubscribed, paused or erased: a delivery that is not marked yet is not made."""
    scene.with_settings(mail_connections=1)
    await scene.begin(
        "slow-1@example.org", "leaves@example.org", "pauses@example.org", "erased@example.org", "good@example.org"
    )
    working = asyncio.create_task(scene.deliver())
    await scene.server.has_taken(1)
    await scene.subscribe("leaves@example.org", state=SubscriptionState.UNSUBSCRIBED)
    await scene.subscribe("pauses@example.org", state=SubscriptionState.PAUSED)
    async with scene.database.write() as connection:
        erased = sa.select(subscriber.c.id).where(subscriber.c.email == "erased@example.org").scalar_subquery()
        await connection.execute(sa.delete(subscription).where(subscription.c.subscriber_id == erased))
        await connection.execute(sa.delete(subscriber).where(subscriber.c.id == erased))
    delivered = await working
    assert set(scene.server.readers) == {"slow-1@example.org", "good@example.org"}
    assert delivered.counts == {SENT: 2, DeliveryState.SKIPPED: 3}
    assert delivered.reasons[DeliveryState.SKIPPED] == {"unsubscribed": 1, "paused": 1, "erased": 1}


class Overlapping(Ledger):
    """Its second claim is answered while the first batch is being given back."""

    def __init__(self, database: Database, **given: Any) -> None:
        super().__init__(database, **given)
        self._claims = 0
        self._releasing = asyncio.Event()

    async def claim(self, edition_id: int, now: dt.datetime) -> Claim | None:
        self._claims += 1
        if self._claims == 2:
            await self._releasing.wait()
        return await super().claim(edition_id, now)

    async def release(self, claim: Claim, now: dt.datetime, *, not_before: dt.datetime | None = None) -> None:
        self._releasing.set()
        await asyncio.sleep(0.3)
        await super().release(claim, now, not_before=not_before)


async def test_what_a_batch_leaves_is_seen_also_when_it_is_given_back_at_this_moment(scene: Scene) -> None:
    scene.context = replace(scene.with_settings(mail_connections=1), kind=Overlapping)
    await scene.begin("slow-1@example.org", "leaves@example.org")
    working = asyncio.create_task(scene.deliver(**LATER))
    await scene.server.has_taken(1)
    await scene.subscribe("leaves@example.org", state=SubscriptionState.UNSUBSCRIBED)
    assert (await working).counts == {SENT: 1, DeliveryState.SKIPPED: 1}


async def test_a_readers_hour_is_respected(scene: Scene) -> None:
    await scene.begin("early@example.org")
    await scene.subscribe("evening@example.org", hour=19, zone="Europe/Berlin")  # 17:00 UTC
    delivered = await scene.deliver()
    assert delivered.counts == {SENT: 1, PENDING: 1}
    assert delivered.next_due == NOON + dt.timedelta(hours=5)
    scene.clock.forward(hours=5)
    assert (await scene.deliver()).counts == {SENT: 2}


async def test_an_hour_that_passed_since_the_edition_was_frozen_is_made_up_for(scene: Scene) -> None:
    await scene.begin("afternoon@example.org", hour=14)
    scene.clock.forward(hours=3)
    assert (await scene.deliver()).counts == {SENT: 1}


async def test_what_was_opened_before_adds_nobody(scene: Scene) -> None:
    await scene.begin("evening@example.org", hour=19)
    await scene.deliver()
    await scene.subscribe("late@example.org")
    scene.clock.forward(hours=8)
    assert (await scene.deliver(opened=True)).counts == {SENT: 1}
    assert (await scene.deliver()).counts == {SENT: 2}


async def test_a_delivery_that_was_cut_off_before_all_had_a_row_is_finished_by_what_is_due(scene: Scene) -> None:
    await scene.begin(*readers(40))
    frozen = await scene.frozen()
    said: list[str] = []
    (delivered,) = await deliver_due(scene.context, "daily", said.append)
    assert isinstance(delivered, Delivered)
    assert delivered.counts == {SENT: 40}
    assert await deliver_due(scene.context, "daily", said.append) == []
    assert frozen.id not in await scene.context.store.unopened("daily", NOON - dt.timedelta(days=9))


async def test_what_would_start_more_than_a_day_late_is_not_sent_unasked(scene: Scene) -> None:
    await scene.begin("evening@example.org", hour=19)
    await scene.deliver(**LATER)
    scene.clock.forward(hours=7 + 25)
    (held,) = await deliver_due(scene.context, "daily", lambda _: None)
    assert isinstance(held, Held)
    assert "Held: the daily edition of 2026-06-09 has something due since 2026-06-09 19:00 UTC" in held.sentence
    assert (await scene.deliver(**LATER)).counts == {SENT: 1}


async def test_what_is_tried_again_on_the_next_day_is_not_late(scene: Scene) -> None:
    await scene.begin("full-1@example.org")
    await scene.deliver(**LATER)
    for _ in range(9):
        scene.clock.forward(hours=2, minutes=1)
        (again,) = await deliver_due(scene.context, "daily", lambda _: None)
        assert isinstance(again, Delivered)
    scene.clock.forward(hours=12)
    (again,) = await deliver_due(scene.context, "daily", lambda _: None)
    assert isinstance(again, Delivered)


async def test_all_hours_disregards_it(scene: Scene) -> None:
    await scene.begin("evening@example.org", hour=19)
    assert (await scene.deliver()).counts == {PENDING: 1}
    assert (await scene.deliver(at_once=True)).counts == {SENT: 1}


@about_the_mail_server_alone
async def test_who_cannot_be_written_to_or_wants_nothing_of_it_is_skipped_with_the_reason(scene: Scene) -> None:
    await scene.begin("bücher@example.org", "good@example.org")
    await scene.subscribe("choosy@example.org", topics=("no-such-topic",))
    delivered = await scene.deliver()
    assert delivered.counts == {SENT: 1, DeliveryState.SKIPPED: 2}
    reasons = delivered.reasons[DeliveryState.SKIPPED]
    assert any("the address can't be written in a mail" in reason for reason in reasons)
    assert all(reasons)


async def test_a_reply_that_takes_longer_than_the_lease_keeps_the_batch(scene: Scene) -> None:
    """Otherwise another worker would take the row for a dead one's, and the reader would get it again."""
    scene.server.slowness = 1.5
    await scene.begin("slow-1@example.org")
    first, second = await asyncio.gather(scene.deliver(), scene.deliver())
    assert first.counts == second.counts == {SENT: 1}
    assert len(scene.server.taken) == 1


@about_the_mail_server_alone
async def test_a_rate_slower_than_the_lease_keeps_the_batch(scene: Scene) -> None:
    scene.with_settings(mail_rate=0.8)
    await scene.begin(*readers(2))
    delivered, _ = await asyncio.gather(scene.deliver(), scene.deliver())
    assert delivered.counts == {SENT: 2}
    assert scene.server.readers == Counter(readers(2))


async def test_a_rate_holds_over_all_that_share_the_database(scene: Scene) -> None:
    scene.with_settings(size=10, mail_rate=40)
    await scene.begin(*readers(80))
    other = connect(scene.database.engine.url.render_as_string(hide_password=False))
    try:
        there = context_for(other, scene.folder, scene.server.port, scene.clock, size=10, mail_rate=40)
        frozen, start = await scene.frozen(), time.monotonic()
        both = await asyncio.gather(*(deliver(each, frozen, lambda _: None) for each in (scene.context, there)))
    finally:
        await other.close()
    assert all(delivered.sent_now > 10 for delivered in both)
    assert scene.server.readers == Counter(readers(80))
    # the first block of turns is there at once
    assert time.monotonic() - start > (80 - 20) / 40


@about_the_mail_server_alone
async def test_a_limit_of_a_domain_slows_nobody_else(scene: Scene) -> None:
    slow = [f"{n}@slow.example" for n in range(6)]
    scene.with_settings(mail_limits="slow.example = 4/s, 1 connection")
    await scene.begin(*slow, *readers(40))
    start = time.monotonic()
    await scene.deliver()
    assert time.monotonic() - start > 0.9
    order = [taken.recipient for taken in scene.server.taken]
    assert len(order) == 46
    assert order.index(slow[-1]) == 45


async def test_what_is_uncertain_is_held_for_the_operator_who_wants_it_so(scene: Scene) -> None:
    scene.context = replace(scene.context, resend=False)
    await scene.begin("lost-1@example.org", "good@example.org")
    delivered = await scene.deliver()
    assert delivered.counts == {SENT: 1, DeliveryState.UNCERTAIN: 1}
    assert delivered.next_due is None
    scene.clock.forward(days=1)
    assert (await scene.deliver()).counts == delivered.counts
    assert scene.server.readers == {"lost-1@example.org": 1, "good@example.org": 1}


async def test_two_dispatches_at_once_serve_each_reader_once(scene: Scene) -> None:
    scene.with_settings(size=20)
    await scene.begin(*readers(100))
    other = connect(scene.database.engine.url.render_as_string(hide_password=False))
    try:
        there = context_for(other, scene.folder, scene.server.port, scene.clock, size=20)
        frozen = await scene.frozen()
        both = await asyncio.gather(*(deliver(each, frozen, lambda _: None) for each in (scene.context, there)))
    finally:
        await other.close()
    assert [delivered.counts for delivered in both] == [{SENT: 100}] * 2
    assert scene.server.readers == Counter(readers(100))


@contextlib.contextmanager
def _reaped(processes: Sequence[asyncio.subprocess.Process]) -> Iterator[None]:
    try:
        yield
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()


async def process(scene: Scene, size: int) -> asyncio.subprocess.Process:
    url = scene.database.engine.url.render_as_string(hide_password=False)
    home = scene.folder / f"home-{secrets.token_hex(4)}"  # its connections are its own, as on another machine
    arguments = (url, str(home), str(scene.server.port), str(size))
    return await asyncio.create_subprocess_exec(sys.executable, "-m", __name__, *arguments)


async def test_two_processes_serve_each_reader_once(scene: Scene) -> None:
    scene.server.waits_for = scene.context.settings.mail_connections + 1  # both take part
    await scene.begin(*readers(120))
    processes = [await process(scene, 20) for _ in range(2)]
    with _reaped(processes):
        assert [await one.wait() for one in processes] == [0, 0]
    assert await scene.states() == dict.fromkeys(readers(120), SENT)
    assert scene.server.readers == Counter(readers(120))


async def test_a_process_that_is_killed_loses_nobody(scene: Scene) -> None:
    """At most one reader for each connection gets the edition twice, and then under the same Message-ID."""
    await scene.begin(*readers(200))
    killed = await process(scene, 500)
    with _reaped([killed]):
        await scene.server.has_taken(60)
        killed.kill()
        await killed.wait()
    taken = set(scene.server.readers)
    for address, state in (await scene.states()).items():
        if state is PENDING:
            assert address not in taken
        elif state is SENT:
            assert address in taken
        else:
            assert state is DeliveryState.SENDING
    assert 60 <= len(taken) < 200

    delivered = await scene.deliver()
    assert delivered.counts == {SENT: 200}
    assert set(scene.server.readers) == set(readers(200))
    assert len(scene.server.taken) - 200 <= scene.context.settings.mail_connections
    assert set(scene.messages_per_reader().values()) == {1}


@about_the_mail_server_alone
async def test_a_dead_address_is_never_mailed_again_also_when_the_process_is_killed(scene: Scene) -> None:
    """Not when its batch is over, but before its refusal is recorded: nobody would look at it again."""
    scene.server.slowness = 3
    await scene.begin("reject-1@example.org", "slow-1@example.org")
    killed = await process(scene, 500)
    with _reaped([killed]):
        states = await scene.states()
        while states.get("reject-1@example.org") is not DeliveryState.REJECTED:
            states = await scene.states()
        killed.kill()
        await killed.wait()
    suppressed = {one.email: one.suppressed async for one in scene.context.subscribers.walk("daily")}
    assert suppressed == {"reject-1@example.org": Suppressed.HARD_BOUNCE, "slow-1@example.org": None}


async def _deliver_in_a_process(url: str, folder: str, port: str, size: str) -> None:
    database = connect(url)
    context = context_for(database, Path(folder), int(port), size=int(size))
    found = await context.store.find("daily", Kind.DAILY, factories.DAY)
    assert isinstance(found, Frozen)
    await deliver(context, found, lambda _: None)
    await database.close()


if __name__ == "__main__":
    asyncio.run(_deliver_in_a_process(*sys.argv[1:]))
