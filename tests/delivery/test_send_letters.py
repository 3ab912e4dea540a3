"""Letters leave the outbox, with a real mail server, on SQLite and PostgreSQL.

As a program, `python -m tests.delivery.test_send_letters DATABASE FOLDER PORT`, it is the process that a test kills.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import email
import email.policy
import logging
import os
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import fields
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from flows.context import Context
from flows.delivery.run import deliver, deliver_due
from flows.delivery.send_letters import work
from flows.editions.model import Kind
from flows.outcomes import Outcome, Stage, Verdict
from flows.storage.database import Database, connect
from flows.storage.editions import Frozen
from flows.turns import Asked
from subscribers.ledger.ledger import Ledger
from subscribers.model import DeliveryState, Frequency, Letter, SubscriptionState
from subscribers.people.outbox import Outbox, put
from subscribers.people.signups import SignUp
from subscribers.people.store import Change
from subscribers.tables import batch, outbox, pause, subscriber, subscription
from subscribers.tokens import Purpose, verify
from tests import factories
from tests.conftest import free_port
from tests.delivery.test_run import Clock, Quick, cards, context_for
from tests.sending.smtp import MailServer, Taken, mail_server

SENT, PENDING, DEFERRED = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.DEFERRED
REJECTED, SKIPPED = DeliveryState.REJECTED, DeliveryState.SKIPPED
EDITION = f"daily.daily.{factories.DAY}."
"""What the Message-ID of an edition begins with."""


CALM = dt.timedelta(seconds=8)


class Hasty(Quick):
    """What a dead process left is taken over within the test."""

    @cached_property
    def outbox(self) -> Outbox:
        return Outbox(self.database, lease=dt.timedelta(seconds=1))


class Calm(Hasty):
    """Where nobody dies: a machine that stands still for a second takes nothing from whoever is at work."""

    @cached_property
    def outbox(self) -> Outbox:
        return Outbox(self.database, lease=CALM)

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.database, lease=CALM, final_reply=CALM, size=self.size)


def hasty(database: Database, folder: Path, port: int, clock: Clock | None = None, **given: Any) -> Hasty:
    made = context_for(database, folder, port, clock, **given)
    return Hasty(
        settings=made.settings,
        database=database,
        topics=made.topics,
        newsletters=made.newsletters,
        now=made.now,
        size=made.size,
    )


async def eventually(reached: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + 20
    while not await reached():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


class Room:
    """Readers, a mail server, and whoever sends the outbox."""

    def __init__(self, database: Database, folder: Path, server: MailServer) -> None:
        self.database, self.folder, self.server = database, folder, server
        self.clock = Clock()
        self.context: Context = hasty(database, folder, server.port, self.clock)
        self.stop, self.wake = asyncio.Event(), asyncio.Event()

    def with_settings(self, **given: Any) -> None:
        self.context = hasty(self.database, self.folder, self.server.port, self.clock, **given)

    @contextlib.asynccontextmanager
    async def open(self, context: Context | None = None) -> AsyncIterator[asyncio.Task[None]]:
        """The postroom at work; at the end it is asked to stop, and does."""
        stop, wake = self.stop, self.wake = asyncio.Event(), asyncio.Event()
        working = asyncio.create_task(work(context or self.context, stop, wake))
        try:
            yield working
        finally:
            stop.set()
            await asyncio.wait_for(working, 20)

    async def sign_up(self, *addresses: str, **wish: Any) -> None:
        for address in addresses:
            made: dict[str, Any] = {"email": address, "newsletter": "daily"}
            made |= {"consent_version": "1", "consent_network": "a network"}
            await self.context.subscribers.sign_up(SignUp(**(made | wish)), self.clock())
        self.wake.set()

    async def welcome(self, *addresses: str, **columns: Any) -> None:
        """Readers who have just confirmed: their welcome alone is wanted."""
        columns["state"] = SubscriptionState.CONFIRMED
        changes = [Change(email=address, newsletter="daily", columns=columns) for address in addresses]
        await self.context.subscribers.keep(changes, self.clock(), resubscribe=True)
        for address in addresses:
            number = await self.number(address)
            async with self.database.write() as connection:
                await put(connection, Letter.WELCOME, number, self.clock())
        self.wake.set()

    async def number(self, address: str) -> int:
        found = await self.context.subscribers.by_address(address, "daily")
        assert found is not None
        return found.id

    async def freeze(self) -> Frozen:
        return await self.context.store.freeze(factories.edition(), cards(), self.clock())

    async def letters(self) -> dict[tuple[str, str], DeliveryState]:
        """The state of every letter, by its kind and its reader's address."""
        query = sa.select(outbox.c.kind, outbox.c.state, subscriber.c.email).where(
            subscription.c.id == outbox.c.subscription_id, subscriber.c.id == subscription.c.subscriber_id
        )
        async with self.database.read() as connection:
            return {(row.kind, row.email): DeliveryState(row.state) for row in await connection.execute(query)}

    async def until(self, wanted: Mapping[tuple[str, str], DeliveryState]) -> None:
        """Waits until every letter stands so."""

        async def reached() -> bool:
            return await self.letters() == wanted

        await eventually(reached)

    async def until_none_is(self, kind: Letter, *states: DeliveryState) -> None:
        async def reached() -> bool:
            return not any(each == kind and state in states for (each, _), state in (await self.letters()).items())

        await eventually(reached)

    async def counts(self) -> Mapping[DeliveryState, int]:
        frozen = await self.context.store.latest("daily", Kind.DAILY)
        assert frozen is not None
        return await self.context.ledger.counts(frozen.id)

    def got(self, address: str) -> list[Taken]:
        return [taken for taken in self.server.taken if taken.recipient == address]

    def editions(self) -> Counter[str]:
        """How many times each reader was sent the edition, with or without a welcome."""
        return Counter(taken.recipient for taken in self.server.taken if taken.message_id.startswith(EDITION))


@pytest.fixture
async def room(database: Database, tmp_path: Path) -> AsyncIterator[Room]:
    async with mail_server() as server:
        yield Room(database, tmp_path, server)


one_database_is_enough = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def read(taken: Taken) -> EmailMessage:
    return email.message_from_bytes(taken.content, EmailMessage, policy=email.policy.default)


def text_of(taken: Taken) -> str:
    part = read(taken).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def link(text: str, page: str) -> str:
    """The token of a link to a page."""
    return text.split(f"/{page}/", 1)[1].split(maxsplit=1)[0]


CONFIRM, WELCOME = ("confirm", "ada@example.net"), ("welcome", "ada@example.net")


async def test_a_confirmation_leaves_within_two_seconds_of_the_click(room: Room) -> None:
    async with room.open():
        await asyncio.sleep(0.3)
        began = time.monotonic()
        await room.sign_up("ada@example.net")
        await asyncio.wait_for(room.server.has_taken(1), 10)
        assert time.monotonic() - began < 2
        await room.until({CONFIRM: SENT})
    (taken,) = room.server.taken
    number = await room.number("ada@example.net")
    assert verify(Purpose.CONFIRM, link(text_of(taken), "confirm"), room.context.settings.keys, room.clock()) == number
    assert read(taken)["Auto-Submitted"] == "auto-generated"
    assert not room.server.breaches


async def test_what_another_process_put_in_is_found_without_being_woken(room: Room) -> None:
    async with room.open():
        await asyncio.sleep(0.2)
        wake, room.wake = room.wake, asyncio.Event()
        await room.sign_up("ada@example.net")
        await asyncio.wait_for(room.server.has_taken(1), 3)
        room.wake = wake


async def test_whatever_a_server_does_each_letter_ends_in_the_right_state(room: Room) -> None:
    """What can be mended is sent again under the same Message-ID, what can't is not."""
    kinds = {"reject": REJECTED, "spam": REJECTED, "grey": DEFERRED, "later": DEFERRED, "good": SENT}
    kinds |= {"shut": DEFERRED, "drop": DeliveryState.UNCERTAIN, "lost": DeliveryState.UNCERTAIN}
    async with room.open():
        await room.sign_up(*(f"{kind}-1@example.net" for kind in kinds))
        await room.until({("confirm", f"{kind}-1@example.net"): state for kind, state in kinds.items()})
        room.clock.forward(minutes=2)
        await room.until({("confirm", f"{k}-1@example.net"): s if s is REJECTED else SENT for k, s in kinds.items()})
    first, second = room.got("lost-1@example.net")
    assert first.message_id == second.message_id
    assert {address for address, count in room.server.readers.items() if count > 1} == {"lost-1@example.net"}
    assert len({taken.message_id for taken in room.server.taken}) == len(kinds) - 2
    assert not room.server.breaches


async def test_a_server_that_is_away_costs_nobody_a_letter_and_is_said_once(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    await room.server.stop()
    async with room.open():
        await room.sign_up("ada@example.net", "ben@example.net")
        await asyncio.sleep(2)
        assert set((await room.letters()).values()) == {PENDING}
        await room.server.start()
        await room.until({CONFIRM: SENT, ("confirm", "ben@example.net"): SENT})
    said = [record.getMessage() for record in caplog.records if record.name == "flows.delivery.send_letters"]
    assert len([sentence for sentence in said if "check PAPERROUND_MAIL_URL" in sentence]) == 1
    assert not any("example.net" in sentence for sentence in said)
    assert len(room.server.taken) == 2


async def test_a_sender_who_is_refused_costs_nobody_a_letter(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    room.server.refuses_sender = "digest@example.org"
    async with room.open():
        await room.sign_up("ada@example.net")

        async def said() -> bool:
            return "PAPERROUND_SENDER" in caplog.text

        await eventually(said)
        assert await room.letters() == {CONFIRM: PENDING}
        room.server.refuses_sender = ""
        room.clock.forward(seconds=10)
        await room.until({CONFIRM: SENT})
    assert "digest@example.org" not in caplog.text


@one_database_is_enough
async def test_without_a_mail_server_the_log_says_so_and_the_letters_wait(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    room.with_settings(mail_url="")
    async with room.open():
        await room.sign_up("ada@example.net")
        await asyncio.sleep(0.2)
        assert await room.letters() == {CONFIRM: PENDING}
    assert caplog.messages[0].startswith("Mail is not set up: confirmations and all other letters wait")
    assert "PAPERROUND_MAIL_URL is not set" in caplog.messages[0]
    room.with_settings()
    async with room.open():
        await room.until({CONFIRM: SENT})


async def test_a_connection_serves_several_letters_and_one_that_the_server_closed_is_opened_anew(room: Room) -> None:
    async with room.open():
        for number, address in enumerate(("ada@example.net", "ben@example.net", "cleo@example.net"), 1):
            await room.sign_up(address)
            await asyncio.wait_for(room.server.has_taken(number), 5)
        assert room.server.connections <= 3
        await room.server.stop()
        await room.server.start()
        await room.sign_up("dov@example.net")
        await asyncio.wait_for(room.server.has_taken(4), 5)
    assert len(room.server.readers) == 4


async def test_a_stop_lets_the_letter_under_way_come_to_its_end(room: Room) -> None:
    async with room.open():
        await room.sign_up("slow-1@example.net")
        await asyncio.wait_for(room.server.has_taken(1), 5)
    assert await room.letters() == {("confirm", "slow-1@example.net"): SENT}
    assert len(room.server.taken) == 1


async def test_a_reply_that_takes_longer_than_the_lease_keeps_the_letter(room: Room) -> None:
    room.server.slowness = 2.5
    async with room.open():
        await room.sign_up("slow-1@example.net")
        await room.until({("confirm", "slow-1@example.net"): SENT})
    assert len(room.server.taken) == 1


async def test_a_database_that_fails_for_a_while_ends_nothing(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    async def rename(old: str, new: str) -> None:
        async with room.database.write() as connection:
            await connection.execute(sa.text(f"ALTER TABLE {old} RENAME TO {new}"))

    await room.sign_up("ada@example.net")
    await rename("outbox", "elsewhere")
    async with room.open() as working:
        await asyncio.sleep(1.2)
        assert not working.done()
        await rename("elsewhere", "outbox")
        await room.until({CONFIRM: SENT})
    assert "The outbox can't be worked" in caplog.messages[0]
    assert len(room.server.taken) == 1


@one_database_is_enough
async def test_a_letter_that_cannot_be_made_keeps_no_other_waiting(
    room: Room, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = tmp_path / "templates"
    own.mkdir()
    (own / "words.toml").write_text('[letter.welcome]\nsubject = "Welcome to {newsletter}"\n')
    (own / "email" / "letter").mkdir(parents=True)
    (own / "email" / "letter" / "letter.txt").write_text(
        '{% if words == "letter.confirm" %}{{ nonsense }}{% endif %}{{ link }}\n'
    )
    room.with_settings(templates_dir=own)
    async with room.open():
        await room.sign_up("ada@example.net")
        await room.welcome("ben@example.net")
        await room.until({CONFIRM: DEFERRED, ("welcome", "ben@example.net"): SENT})
    assert (
        "A letter (confirm) waits: the letter can't be made (UndefinedError: 'nonsense' is undefined)." in caplog.text
    )


async def test_two_postrooms_send_each_letter_once(room: Room) -> None:
    addresses = [f"reader-{n}@example.net" for n in range(30)]
    other = connect(room.database.engine.url.render_as_string(hide_password=False))
    try:
        await room.sign_up(*addresses)
        async with room.open(), room.open(hasty(other, room.folder, room.server.port, room.clock)):
            await room.until({("confirm", address): SENT for address in addresses})
    finally:
        await other.close()
    assert room.server.readers == Counter(addresses)


@one_database_is_enough
async def test_a_refused_login_is_not_tried_again_and_again_for_letters(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    """Every further try could lock the account."""
    room.server.login = ("me", "secret")
    room.with_settings(mail_url=room.server.url.replace("//", "//me:wrong@"))
    async with room.open():
        await room.sign_up(*(f"reader-{n}@example.net" for n in range(5)))
        await asyncio.sleep(4)
        assert set((await room.letters()).values()) == {PENDING}
    assert room.server.commands["AUTH"] <= 2
    assert "the user and password in PAPERROUND_MAIL_URL" in caplog.text


@one_database_is_enough
async def test_letters_keep_the_rate_of_all_mail(room: Room) -> None:
    room.with_settings(mail_rate=4)
    async with room.open():
        began = time.monotonic()
        await room.sign_up(*(f"reader-{n}@example.net" for n in range(12)))
        await asyncio.wait_for(room.server.has_taken(12), 20)
        assert time.monotonic() - began > (12 - 4) / 4


@one_database_is_enough
async def test_letters_take_their_turns_from_the_same_rate_as_editions(room: Room) -> None:
    """Whoever else sends by the same database: what they have taken of the rate comes first."""
    room.with_settings(mail_rate=4)
    async with room.open():
        began = time.monotonic()
        await room.context.turns.reserve(Asked("", 12, rate=4))
        await room.sign_up("reader@example.net")
        await asyncio.wait_for(room.server.has_taken(1), 20)
        assert time.monotonic() - began > 12 / 4 - 0.5


@one_database_is_enough
async def test_an_edition_that_has_all_connections_gives_one_to_a_letter(room: Room) -> None:
    room.with_settings(mail_connections=2)
    room.server.slowness = 0.2
    frozen = await room.freeze()
    people = [Change(email=f"slow-{n}@example.net", newsletter="daily", columns={}) for n in range(80)]
    await room.context.subscribers.keep(people, room.clock())
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, len(room.server._open))
            await asyncio.sleep(0.01)

    watching = asyncio.create_task(watch())
    async with room.open():
        delivering = asyncio.create_task(deliver(room.context, frozen, lambda _: None))
        await room.server.has_taken(4)
        await room.sign_up("ada@example.net")
        began = time.monotonic()
        await room.until({CONFIRM: SENT})
        assert not delivering.done()
        assert time.monotonic() - began < 3
        assert (await delivering).counts == {SENT: 80}
    watching.cancel()
    assert most <= 2


@one_database_is_enough
async def test_whatever_runs_on_a_machine_shares_its_connections(room: Room) -> None:
    """A delivery, three runs of what is due beside it, and letters."""
    room.with_settings(mail_connections=4, size=20)
    room.context = Calm(**{field.name: getattr(room.context, field.name) for field in fields(room.context)})
    room.server.slowness = 0.1
    frozen = await room.freeze()
    people = [Change(email=f"slow-{n}@example.net", newsletter="daily", columns={}) for n in range(120)]
    await room.context.subscribers.keep(people, room.clock())
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, len(room.server._open))
            await asyncio.sleep(0.005)

    watching = asyncio.create_task(watch())
    async with room.open():
        delivering = asyncio.create_task(deliver(room.context, frozen, lambda _: None))
        await room.server.has_taken(4)
        beside = [asyncio.create_task(deliver_due(room.context, "daily", lambda _: None)) for _ in range(3)]
        await room.sign_up(*(f"new-{n}@example.net" for n in range(8)))
        assert (await delivering).counts == {SENT: 120}
        await asyncio.gather(*beside)
        await room.until_none_is(Letter.CONFIRM, DeliveryState.PENDING, DeliveryState.SENDING)
    watching.cancel()
    assert 2 <= most <= 4
    assert set(room.editions().values()) == {1}
    assert len(room.server.taken) == 120 + 8


@one_database_is_enough
async def test_a_letter_that_was_taken_is_recorded_however_long_the_database_is_away(room: Room) -> None:
    room.server.slowness = 2
    file = room.database.engine.url.database
    async with room.open():
        await room.sign_up("slow-1@example.net")
        await asyncio.wait_for(room.server.has_taken(1), 15)
        other = sqlite3.connect(str(file), isolation_level=None, timeout=0)
        while not other.in_transaction:  # whoever renews a lease needs this loop to come to an end
            with contextlib.suppress(sqlite3.OperationalError):
                other.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(0.01)
        await asyncio.sleep(14)  # SQLite itself waits for ten seconds
        other.execute("ROLLBACK")
        other.close()
        await room.until({("confirm", "slow-1@example.net"): SENT})
    assert len(room.server.taken) == 1


# --- the welcome and the latest edition


async def test_a_welcome_brings_the_latest_edition_and_its_delivery_brings_it_to_nobody_again(room: Room) -> None:
    frozen = await room.freeze()
    async with room.open():
        await room.welcome("ada@example.net", "ben@example.net")
        await room.until(
            {
                WELCOME: SENT,
                ("welcome", "ben@example.net"): SENT,
            }
        )
    assert room.editions() == {"ada@example.net": 1, "ben@example.net": 1}
    (taken,) = room.got("ada@example.net")
    said, body = read(taken), text_of(taken)
    assert said["Subject"] == "Welcome to Paperround: the edition of 9 June"
    assert said["Auto-Submitted"] == "auto-generated"
    assert said["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert body.index("Welcome to Paperround.") < body.index("Lighthouse")
    number = await room.number("ada@example.net")
    assert verify(Purpose.MANAGE, link(body, "manage"), room.context.settings.keys, room.clock()) == number
    assert verify(Purpose.UNSUBSCRIBE, link(body, "unsubscribe"), room.context.settings.keys) == number

    await room.context.subscribers.keep([Change(email="old@example.net", newsletter="daily", columns={})], room.clock())
    delivered = await deliver(room.context, frozen, lambda _: None)
    assert delivered.counts == {SENT: 3}
    assert room.editions() == {"ada@example.net": 1, "ben@example.net": 1, "old@example.net": 1}
    assert await room.context.ledger.next_due(frozen.id, room.clock()) is None


async def test_a_welcome_goes_alone_where_no_edition_has_anything_for_the_reader(room: Room) -> None:
    async with room.open():
        await room.welcome("early@example.net")
        await asyncio.wait_for(room.server.has_taken(1), 5)
        frozen = await room.freeze()
        await room.welcome("choosy@example.net", topics=("robots",))
        await asyncio.wait_for(room.server.has_taken(2), 5)
        # who comes back has got it before
        await deliver(room.context, frozen, lambda _: None)
        await room.context.subscribers.unsubscribe(await room.number("early@example.net"), room.clock())
        room.clock.forward(hours=2)
        await room.welcome("early@example.net")
        await asyncio.wait_for(room.server.has_taken(4), 5)
    assert room.editions() == {"early@example.net": 1}
    welcome = read(room.got("choosy@example.net")[0])
    assert welcome["Subject"] == "Welcome to Paperround"
    assert welcome["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert await room.counts() == {SENT: 1, SKIPPED: 1}


@one_database_is_enough
@pytest.mark.parametrize("what", ["the newsletter is paused", "the edition is held"])
async def test_a_welcome_goes_alone_where_nothing_of_its_newsletter_is_to_be_sent(room: Room, what: str) -> None:
    """And once it goes on, what is delivered by hand brings the edition."""
    frozen = await room.freeze()
    if what == "the edition is held":
        await room.context.store.hold(frozen.id, room.clock(), "cancelled")
    else:
        async with room.database.write() as connection:
            row = {"newsletter": "daily", "reason": "Too much came back.", "at": room.clock()}
            await connection.execute(sa.insert(pause).values(row))
    async with room.open():
        await room.welcome("ada@example.net")
        await room.until({WELCOME: SENT})
    assert room.editions() == {}
    assert await deliver_due(room.context, "daily", lambda _: None) != []
    assert room.editions() == {}
    if what == "the edition is held":
        await room.context.store.release(frozen.id)
    else:
        await room.context.pauses.resume("daily", room.clock())
    assert (await deliver(room.context, frozen, lambda _: None)).counts == {SENT: 1}
    assert room.editions() == {"ada@example.net": 1}


@one_database_is_enough
async def test_a_weekly_reader_is_welcomed_with_the_week_or_where_there_is_none_with_the_day(room: Room) -> None:
    await room.freeze()
    async with room.open():
        await room.welcome("ada@example.net", frequency=Frequency.WEEKLY)
        await asyncio.wait_for(room.server.has_taken(1), 5)
        week = factories.edition(kind=Kind.WEEKLY, day=factories.DAY - dt.timedelta(days=2))
        await room.context.store.freeze(week, cards(), room.clock())
        await room.welcome("ben@example.net", frequency=Frequency.WEEKLY)
        await asyncio.wait_for(room.server.has_taken(2), 5)
    assert room.got("ada@example.net")[0].message_id.startswith(EDITION)
    assert room.got("ben@example.net")[0].message_id.startswith("daily.weekly.2026-06-07.")


async def test_a_welcome_that_was_put_off_is_sent_again_as_the_same_mail(room: Room) -> None:
    await room.freeze()
    addresses = [f"{kind}-1@example.net" for kind in ("later", "grey", "lost", "drop", "reject")]
    async with room.open():
        await room.welcome(*addresses)
        await room.until_none_is(Letter.WELCOME, PENDING, DeliveryState.SENDING)
        room.clock.forward(minutes=2)
        welcomes = {("welcome", address): REJECTED if "reject" in address else SENT for address in addresses}
        await room.until(welcomes)
    assert room.editions() == {address: 1 + ("lost" in address) for address in addresses if "reject" not in address}
    assert all(taken.message_id.startswith(EDITION) for taken in room.server.taken)
    assert len({taken.message_id for taken in room.server.taken}) == 4
    assert await room.counts() == {SENT: 4, REJECTED: 1}


async def test_a_welcome_waits_for_who_may_be_bringing_its_edition(room: Room) -> None:
    """A process that died had begun to: nobody can say yet that it will not be taken up."""
    frozen = await room.freeze()
    await room.welcome("new@example.net")
    ledger, number = room.context.ledger, await room.number("new@example.net")
    claim = await ledger.claim_one(frozen.id, number, room.clock())
    assert claim is not None
    (due,) = await ledger.due(claim, room.clock())
    assert await ledger.mark(due, room.clock())
    async with room.open():
        await room.until({("welcome", "new@example.net"): SENT})
    (taken,) = room.server.taken
    assert taken.message_id.startswith(EDITION)
    assert await room.counts() == {SENT: 1}


async def test_an_edition_that_its_delivery_is_sending_is_not_sent_beside_it(room: Room) -> None:
    """Its row lies in two batches: that the welcome's own is free says nothing about the worker of the other."""
    frozen = await room.freeze()
    await room.welcome("new@example.net")
    ledger, number = room.context.ledger, await room.number("new@example.net")
    own = await ledger.claim_one(frozen.id, number, room.clock())
    assert own is not None
    await ledger.release(own, room.clock())
    async with room.database.write() as connection:
        await connection.execute(
            sa.insert(batch).values(edition_id=frozen.id, lo=0, hi=number + 9, next_at=room.clock() - dt.timedelta(1))
        )
    theirs = await ledger.claim(frozen.id, room.clock())
    assert theirs is not None
    assert theirs.lo == 0
    (due,) = await ledger.due(theirs, room.clock())
    marked = room.clock()
    assert await ledger.mark(due, marked)
    assert await ledger.claim_one(frozen.id, number, marked) is None
    until = await ledger.busy_until(frozen.id, number, marked)
    assert until is not None
    assert abs(until - marked - dt.timedelta(seconds=1)) < dt.timedelta(milliseconds=2)
    async with room.open():
        await asyncio.sleep(0.5)
        assert room.server.taken == []
        assert await ledger.record(due, Outcome(Verdict.SENT, Stage.CONTENT, 250), room.clock())
        room.clock.forward(minutes=1)
        await room.until({("welcome", "new@example.net"): SENT})
    assert room.editions() == {}
    assert [read(taken)["Subject"] for taken in room.server.taken] == ["Welcome to Paperround"]


async def test_what_a_postroom_left_is_brought_by_what_is_due_and_the_welcome_goes_alone(room: Room) -> None:
    await room.freeze()
    async with room.open():
        await room.welcome("grey-1@example.net")
        await room.until({("welcome", "grey-1@example.net"): DEFERRED})
    room.clock.forward(minutes=2)
    await deliver_due(room.context, "daily", lambda _: None)
    assert await room.counts() == {SENT: 1}
    async with room.open():
        await room.until({("welcome", "grey-1@example.net"): SENT})
    assert room.editions() == {"grey-1@example.net": 1}
    assert [read(taken)["Subject"] for taken in room.server.taken][1] == "Welcome to Paperround"


async def test_readers_who_come_while_the_edition_is_delivered_get_it_once(room: Room) -> None:
    """Also those whose row the delivery makes at the same moment: it is never decided twice who sends it."""
    old = [f"old-{n}@example.net" for n in range(60)]
    new = [f"new-{n}@example.net" for n in range(12)]
    room.context = Calm(**{field.name: getattr(room.context, field.name) for field in fields(room.context)})
    frozen = await room.freeze()
    changes = [Change(email=address, newsletter="daily", columns={}) for address in old]
    await room.context.subscribers.keep(changes, room.clock())
    async with room.open():
        delivering = [asyncio.create_task(deliver(room.context, frozen, lambda _: None)) for _ in range(2)]
        for address in new:
            await room.welcome(address)
            if address == new[6]:  # in the midst of them, another delivery opens
                delivering.append(asyncio.create_task(deliver(room.context, frozen, lambda _: None)))
        await asyncio.gather(*delivering)
        await room.until_none_is(Letter.WELCOME, PENDING, DeliveryState.SENDING, DEFERRED)
    assert (await deliver(room.context, frozen, lambda _: None)).counts == {SENT: len(old) + len(new)}
    assert room.editions() == Counter(old + new)
    welcomed = Counter(taken.recipient for taken in room.server.taken if "Welcome to" in str(read(taken)["Subject"]))
    assert welcomed == Counter(new)


# --- processes


async def process(room: Room) -> asyncio.subprocess.Process:
    url = room.database.engine.url.render_as_string(hide_password=False)
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, url, str(room.folder), str(room.server.port)
    )


@pytest.mark.parametrize("kind", [Letter.CONFIRM, Letter.WELCOME])
async def test_a_process_that_is_killed_loses_no_letter(room: Room, kind: Letter) -> None:
    """Whatever it had not recorded is sent again, under the same Message-ID."""
    room.server.slowness = 6
    addresses = [f"slow-{n}@example.net" for n in range(4)]
    if kind is Letter.WELCOME:
        await room.freeze()
        await room.welcome(*addresses)
    else:
        await room.sign_up(*addresses)
    killed = await process(room)
    try:
        await asyncio.wait_for(room.server.has_taken(3), 20)  # one for each hand, none answered
    finally:
        killed.kill()
        await killed.wait()
    room.server.slowness = 0
    async with room.open():
        await room.until_none_is(kind, PENDING, DeliveryState.SENDING, DEFERRED, DeliveryState.UNCERTAIN)
    assert set(room.server.readers) == set(addresses)
    assert len(room.server.taken) == 4 + 3
    assert len({taken.message_id for taken in room.server.taken}) == 4
    if kind is Letter.WELCOME:
        assert await room.counts() == {SENT: 4}


@one_database_is_enough
async def test_the_web_process_sends_and_stops_at_the_boundary_of_a_letter(room: Room) -> None:
    room.clock.ahead = dt.timedelta(0)  # the process has no other clock than the real one
    await room.sign_up("slow-1@example.net")
    settings = {
        "PAPERROUND_HOME_DIR": str(room.folder),
        "PAPERROUND_DATABASE_URL": f"sqlite:///{room.database.engine.url.database}",
        "PAPERROUND_MAIL_URL": room.server.url,
    }
    room.server.slowness = 2
    web = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "flows", "web", "--port", str(free_port()), env={**os.environ, **settings}
    )
    try:
        await asyncio.wait_for(room.server.has_taken(1), 30)
        web.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(web.wait(), 15) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            web.kill()
    assert await room.letters() == {("confirm", "slow-1@example.net"): SENT}


async def _in_a_process(url: str, folder: str, port: str) -> None:
    database = connect(url)
    await work(hasty(database, Path(folder), int(port)), asyncio.Event(), asyncio.Event())


if __name__ == "__main__":
    logging.basicConfig()
    asyncio.run(_in_a_process(*sys.argv[1:]))
