"""Which delivery a report is about: the best proof in it counts, and whose key shows it."""

from __future__ import annotations

import datetime as dt

import pytest

from flows.incoming.model import Event, Evidence, Report
from flows.incoming.whose import said
from subscribers.return_address import return_address
from subscribers.tokens import PREVIEW_READER, Purpose, sign

KEYS = (b"a key of sixteen letters or more", b"an older key of sixteen letters")
DAY = dt.date(2026, 6, 9)
MESSAGE_ID = "daily.daily.2026-06-09.7@x.example"


def token_of(edition: int, reader: int, key: bytes = KEYS[0]) -> str:
    return return_address("bounces@example.org", edition, reader, key).partition("+")[2].partition("@")[0]


def report(event: Event = Event.FAILED, address: str = "", *, signed: bool = False, **evidence: str) -> Report:
    found = Evidence(**{name: (value,) for name, value in evidence.items()})
    return Report(event=event, address=address, evidence=found, signed=signed)


@pytest.mark.parametrize("key", KEYS)
def test_our_return_address_tells_the_delivery_and_is_proof(key: bytes) -> None:
    found = said(report(tokens=token_of(3, 8, key), message_ids=MESSAGE_ID), KEYS)
    assert found is not None
    assert (found.subscription_id, found.edition_id, found.edition, found.sealed) == (8, 3, None, True)


def test_a_message_id_tells_it_and_proves_nothing() -> None:
    found = said(report(message_ids=MESSAGE_ID), KEYS)
    assert found is not None
    assert (found.subscription_id, found.edition, found.sealed) == (7, ("daily", "daily", DAY), False)
    letter = said(report(message_ids="welcome.12.7@x.example"), KEYS)
    assert letter is not None
    assert (letter.subscription_id, letter.edition_id, letter.edition) == (7, 0, None)


def test_the_readers_link_proves_whose_it_is_and_the_message_id_of_the_same_reader_which() -> None:
    link = sign(Purpose.UNSUBSCRIBE, 7, KEYS[1])
    found = said(report(unsubscribes=link, message_ids=MESSAGE_ID), KEYS)
    assert found is not None
    assert (found.subscription_id, found.edition, found.sealed) == (7, ("daily", "daily", DAY), True)
    another = said(report(unsubscribes=sign(Purpose.UNSUBSCRIBE, 8, KEYS[0]), message_ids=MESSAGE_ID), KEYS)
    assert another is not None
    assert (another.subscription_id, another.edition) == (8, None)


def test_what_was_forged_or_is_nobodys_names_no_delivery() -> None:
    forged = b"somebody else's key, who forges"
    for one in (
        report(tokens=token_of(3, 8, forged)),
        report(unsubscribes=sign(Purpose.UNSUBSCRIBE, 7, forged)),
        report(unsubscribes=sign(Purpose.UNSUBSCRIBE, PREVIEW_READER, KEYS[0])),
        report(unsubscribes=sign(Purpose.MANAGE, 7, KEYS[0], dt.datetime(2026, 6, 9, tzinfo=dt.UTC))),
        report(message_ids="daily.daily.2026-13-09.7@x.example"),
    ):
        assert said(one, KEYS) is None


def test_without_proof_the_address_is_all_and_a_providers_signature_seals_it() -> None:
    found = said(report(Event.COMPLAINED, "ada@x.example"), KEYS)
    assert found is not None
    assert (found.complaint, found.address, found.sealed, found.source) == (True, "ada@x.example", False, "mail")
    signed = said(report(address="ada@x.example", signed=True), KEYS, "postmark")
    assert signed is not None
    assert (signed.sealed, signed.source) == (True, "postmark")
