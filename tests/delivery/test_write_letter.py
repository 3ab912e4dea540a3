"""What an item of the outbox becomes: where its links lead, under which name it goes, and which edition welcomes."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from flows.delivery.write_letter import LetterWriter
from flows.editions.model import Edition, Kind
from flows.mail.cards import pack
from flows.mail.model import Message
from flows.storage.database import Database
from flows.storage.editions import Frozen
from subscribers.model import Frequency, Letter, Subscription, SubscriptionState
from subscribers.people.outbox import OutboxLetter
from subscribers.people.store import Change
from subscribers.tokens import Purpose, verify
from tests import factories
from tests.delivery.test_run import NOON, Clock, Quick, about_the_mail_server_alone, context_for
from tests.mail import made

ADA = "ada@example.net"
CHANGE = 77
"""The number of a change of address, which no subscription has."""


@pytest.fixture
async def context(database: Database, tmp_path: Path) -> Quick:
    return context_for(database, tmp_path, 25, Clock(), public_url="https://papers.example.org")


async def subscribed(context: Quick, **columns: object) -> Subscription:
    wanted = {"state": SubscriptionState.CONFIRMED, **columns}
    await context.subscribers.keep([Change(email=ADA, newsletter="daily", columns=wanted)], NOON)
    found = await context.subscribers.by_address(ADA, "daily")
    assert found is not None
    return found


def item(kind: Letter, subscription: Subscription, **given: object) -> OutboxLetter:
    plain = OutboxLetter(
        id=5,
        kind=kind,
        subscription=subscription,
        to=ADA,
        address_change_id=CHANGE if kind is Letter.ADDRESS else None,
        attempts=0,
        first_at=None,
        created_at=NOON,
        lease="",
    )
    return dataclasses.replace(plain, **given)  # type: ignore[arg-type]


def read(message: Message) -> EmailMessage:
    return message_from_bytes(message.content, policy=default)


def text_of(message: Message) -> str:
    part = read(message).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


async def freeze(context: Quick, **given: object) -> Frozen:
    edition: Edition = factories.edition(**given)  # type: ignore[arg-type]
    return await context.store.freeze(edition, pack(made.rendered(edition)), context.now())


WHERE = {
    Letter.CONFIRM: Purpose.CONFIRM,
    Letter.KNOWN: Purpose.MANAGE,
    Letter.WELCOME: Purpose.MANAGE,
    Letter.LINK: Purpose.MANAGE,
    Letter.PRIVATE: Purpose.PRIVATE,
    Letter.ADDRESS: Purpose.ADDRESS,
    Letter.MOVED: None,
}


@about_the_mail_server_alone
@pytest.mark.parametrize("kind", Letter)
async def test_a_letters_link_leads_to_its_page_and_opens_no_other(context: Quick, kind: Letter) -> None:
    reader = await subscribed(context)
    said = text_of(LetterWriter(context).write(item(kind, reader)))
    purpose = WHERE[kind]
    links = re.findall(r"https://papers\.example\.org/(\w+)/([\w-]{20,})", said)
    if purpose is None:
        assert links == []
        return
    pages = {page: token for page, token in links if page != "unsubscribe"}
    assert set(pages) == {purpose.value}
    number = CHANGE if kind is Letter.ADDRESS else reader.id
    keys, now = context.settings.keys, context.now()
    opened = {other for other in Purpose if verify(other, pages[purpose.value], keys, now) == number}
    assert opened == {purpose}


@about_the_mail_server_alone
@pytest.mark.parametrize("kind", Letter)
async def test_only_a_welcome_can_be_unsubscribed_from(context: Quick, kind: Letter) -> None:
    """The others were asked for, or ask whether there is to be a subscription at all."""
    said = read(LetterWriter(context).write(item(kind, await subscribed(context))))
    assert ("List-Unsubscribe" in said) == (kind is Letter.WELCOME)
    assert said["To"] == ADA


@about_the_mail_server_alone
async def test_a_letter_has_the_same_message_id_at_every_attempt_and_each_item_its_own(context: Quick) -> None:
    reader, writer = await subscribed(context), LetterWriter(context)

    def named(**given: object) -> str:
        return str(read(writer.write(item(Letter.LINK, reader, **given)))["Message-ID"])

    first = named()
    assert isinstance(context.now, Clock)
    context.now.forward(hours=3)
    assert named(attempts=2) == first
    assert named(id=6) != first


@about_the_mail_server_alone
async def test_a_change_of_address_that_is_gone_and_an_address_that_no_mail_can_hold_are_told(context: Quick) -> None:
    reader, writer = await subscribed(context), LetterWriter(context)
    with pytest.raises(LookupError, match="the change of address is gone"):
        writer.write(item(Letter.ADDRESS, reader, address_change_id=None))
    with pytest.raises(ValueError, match="address"):
        writer.write(item(Letter.LINK, reader, to="ada\r\nBcc: all@example.net"))


async def test_the_latest_edition_is_the_newest_of_the_readers_kind(context: Quick) -> None:
    weekly = await subscribed(context, frequency=Frequency.WEEKLY)
    daily = dataclasses.replace(weekly, frequency=Frequency.DAILY)
    writer = LetterWriter(context)
    assert await writer.latest(daily) is None
    day = await freeze(context)

    async def number(reader: Subscription) -> int:
        found = await writer.latest(reader)
        assert found is not None
        return found.frozen.id

    assert (await number(daily), await number(weekly)) == (day.id, day.id)
    week = await freeze(context, kind=Kind.WEEKLY, day=factories.DAY - dt.timedelta(days=3))
    assert (await number(daily), await number(weekly)) == (day.id, week.id)
    newer = await freeze(context, day=factories.DAY + dt.timedelta(days=1))
    assert (await number(daily), await number(weekly)) == (newer.id, week.id)


async def test_there_is_none_that_has_nothing_for_the_reader_or_is_held(context: Quick) -> None:
    reader, frozen = await subscribed(context), await freeze(context)
    writer = LetterWriter(context)
    assert await writer.latest(reader) is not None
    choosy = dataclasses.replace(reader, interests=dataclasses.replace(reader.interests, topics=frozenset({"robots"})))
    assert await writer.latest(choosy) is None
    assert await writer.latest(dataclasses.replace(reader, state=SubscriptionState.PAUSED)) is None
    await context.store.hold(frozen.id, context.now(), "cancelled")
    assert await writer.latest(reader) is None


@about_the_mail_server_alone
async def test_a_welcome_is_the_edition_itself_under_its_message_id(context: Quick) -> None:
    reader, frozen = await subscribed(context), await freeze(context)
    writer = LetterWriter(context)
    latest = await writer.latest(reader)
    assert latest is not None
    welcome = await writer.welcome(reader, latest)
    said, body = read(welcome), text_of(welcome)
    assert str(said["Message-ID"]).startswith(f"<daily.daily.{factories.DAY}.{reader.id}@")
    assert body.index("Welcome to Paperround.") < body.index(frozen.edition.sections[0].entries[0].paper.title[:20])
    assert "List-Unsubscribe" in said
