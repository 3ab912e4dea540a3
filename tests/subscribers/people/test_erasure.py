from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from flows.editions.model import Interests, Kind
from flows.outcomes import Outcome, Stage, Verdict
from flows.storage.database import Database
from subscribers.bounces import ReportedMail
from subscribers.ledger.came_back import CameBack
from subscribers.ledger.ledger import Ledger
from subscribers.ledger.whose_delivery import LETTER
from subscribers.model import DeliveryState, Letter, Suppressed
from subscribers.people.rows import SETTINGS
from subscribers.people.store import Change
from subscribers.preferences import Preferences
from subscribers.tables import bounce
from tests.factories import HASHING_KEY
from tests.subscribers.everyone import ADA, HOUR, NOW, asked, everything_kept, letters, people, reader

LATER = NOW + HOUR
BOUNCED = Outcome(Verdict.REJECTED, Stage.RCPT, 550, "5.1.1", "5.1.1 <ada@example.org>: no such user")
SENT = Outcome(Verdict.SENT, Stage.CONTENT, 250)


async def full_reader(database: Database) -> int:
    """A reader of whom every table holds something; returns the number of a subscription of theirs."""
    found = await reader(database, "Ada@example.org", interests=Interests(keywords=("secret passion",)))
    await reader(database, ADA, newsletter="arxiv")
    await reader(database, "ben@example.org")
    await people(database).change(found.id, Preferences(interests=Interests(authors=("Cleo Dunmore",))), NOW)
    await people(database).ask_private(found.id, NOW)
    await people(database).ask_address(found.id, "ada@example.net", NOW)
    ledger = Ledger(database)
    await ledger.open(1, "daily", Kind.DAILY, NOW.date(), NOW, at_once=True)
    claim = await ledger.claim(1, NOW)
    assert claim is not None
    for item in await ledger.due(claim, NOW):
        assert await ledger.mark(item, NOW)
        hers = item.subscription is not None and item.subscription.email.lower() == ADA
        assert await ledger.record(item, BOUNCED if hers else SENT, NOW)
    await ledger.release(claim, NOW)
    return found.id


async def test_all_that_we_hold_is_shown(database: Database) -> None:
    shown = await people(database).everything(await full_reader(database))
    text = json.dumps(shown)
    assert shown["address"] == "Ada@example.org"
    assert [one["newsletter"] for one in shown["subscriptions"]] == ["daily", "arxiv"]
    assert shown["subscriptions"][0]["authors"] == ["Cleo Dunmore"]
    assert shown["subscriptions"][0]["consent"]["at"] == NOW.isoformat()
    assert "secret passion" in text  # what was before the last change is held, too
    assert [one["letter"] for one in shown["letters"]] == [
        Letter.CONFIRM, Letter.WELCOME, Letter.CONFIRM, Letter.WELCOME, Letter.PRIVATE, Letter.ADDRESS,
    ]  # fmt: skip
    assert shown["changes_of_address"][0]["new_address"] == "ada@example.net"
    assert [one["state"] for one in shown["deliveries"]] == [DeliveryState.REJECTED]
    assert "5.1.1 <(address)>: no such user" in text  # the answer, without the address that it repeats
    assert "ben@example.org" not in text


async def test_every_setting_is_shown(database: Database) -> None:
    """By its name, or as what it is called there."""
    called = {"size": "papers_at_most"}
    shown = (await people(database).everything(await full_reader(database)))["subscriptions"][0]
    assert [name for name in SETTINGS if called.get(name, name) not in shown] == []


async def test_an_erasure_leaves_a_keyed_hash_and_states_that_belong_to_nobody(database: Database) -> None:
    identity = await full_reader(database)
    before = await Ledger(database).counts(1)
    for _ in range(2):
        await people(database).erase(identity, LATER)
    kept = await everything_kept(database)
    lower = kept.lower().replace("'suppressed': 'erased'", "")
    for personal in ("ada", "secret passion", "cleo dunmore"):
        assert personal not in lower
    assert "ben@example.org" in kept
    assert await Ledger(database).counts(1) == before
    assert await people(database).get(identity) is None


async def test_an_erased_address_is_not_brought_back_by_a_list(database: Database) -> None:
    await people(database).erase(await full_reader(database), LATER)
    lines = [
        Change(email=email, newsletter="daily", columns={}, line=n)
        for n, email in ((2, "ADA@example.org"), (3, "x@example.org"))
    ]
    kept = await people(database).keep(lines, LATER, resubscribe=True)
    assert (kept.added, [(one.line, one.because) for one in kept.refused]) == (1, [(2, Suppressed.ERASED)])
    assert ADA not in (await everything_kept(database)).lower()


async def test_an_operator_forgets_somebody_by_their_address(database: Database) -> None:
    await full_reader(database)
    assert await people(database).forget("ADA@EXAMPLE.ORG", LATER)
    assert not await people(database).forget(ADA, LATER)
    assert "ada@" not in (await everything_kept(database)).lower()


async def test_an_erasure_does_not_lift_what_was_suppressed_before(database: Database) -> None:
    found = await reader(database)
    await people(database).suppress(ADA, Suppressed.COMPLAINT, NOW)
    await people(database).erase(found.id, LATER)
    kept = await people(database).keep([Change(email=ADA, newsletter="daily", columns={})], LATER)
    assert [one.because for one in kept.refused] == [Suppressed.COMPLAINT]


@pytest.mark.parametrize("reason", list(Suppressed))
async def test_a_suppressed_address_is_known_however_it_is_written_and_can_be_lifted(
    database: Database, reason: Suppressed
) -> None:
    found = await reader(database)
    for _ in range(2):
        await people(database).suppress("ADA@Example.org", reason, NOW)
    barred = await people(database).get(found.id)
    assert barred is not None
    assert barred.suppressed is reason
    assert await people(database).lift("aDa@example.org", LATER)
    assert not await people(database).lift(ADA, LATER)
    assert await people(database).get(found.id) == found


async def test_the_latest_reason_counts(database: Database) -> None:
    found = await reader(database)
    for reason in (Suppressed.HARD_BOUNCE, Suppressed.COMPLAINT):
        await people(database).suppress(ADA, reason, NOW)
    barred = await people(database).get(found.id)
    assert barred is not None
    assert barred.suppressed is Suppressed.COMPLAINT


async def test_an_address_is_suppressed_before_it_ever_subscribes(database: Database) -> None:
    await people(database).suppress(ADA, Suppressed.OPERATOR, NOW)
    assert ADA not in await everything_kept(database)
    kept = await people(database).keep([Change(email="Ada@example.org", newsletter="daily", columns={})], NOW)
    assert [one.because for one in kept.refused] == [Suppressed.OPERATOR]
    assert await letters(database) == []


async def test_an_erasure_takes_the_letters_with_it(database: Database) -> None:
    found = await asked(database)
    await people(database).erase(found.id, NOW)
    assert await letters(database) == []


async def test_what_an_address_declined_stays_declined_whatever_a_server_says_of_it_later(database: Database) -> None:
    store = people(database)
    await store.suppress("eve@example.org", Suppressed.DECLINED, NOW)
    await store.suppress("eve@example.org", Suppressed.HARD_BOUNCE, NOW + HOUR)
    assert [one.reason async for one in store.suppressions()] == [Suppressed.DECLINED]


async def test_a_report_that_names_somebody_elses_longer_address_keeps_its_words(database: Database) -> None:
    """Erasing da@example.org says nothing about ada@example.org."""
    await reader(database, "da@example.org")
    words = {
        "<ada@example.org>: over quota": True,
        "da@example.org.au is full": True,
        "x-da@example.org: full": True,
        "passed on to DA@example.org.": False,
        "for=da@example.org; full": False,
    }
    others = [await reader(database, f"reader{n}@example.net") for n in range(len(words))]
    said = [ReportedMail(subscription_id=other.id, edition_id=LETTER) for other in others]
    await CameBack(database, HASHING_KEY).record(said, NOW)
    async with database.write() as connection:
        for other, text in zip(others, words, strict=True):  # as earlier versions kept them
            theirs = bounce.c.subscription_id == other.id
            await connection.execute(sa.update(bounce).where(theirs).values(words=text))
    await people(database).forget("da@example.org", LATER)
    async with database.read() as connection:
        left = set(await connection.scalars(sa.select(bounce.c.words)))
    assert left == {text for text, stays in words.items() if stays} | {""}
