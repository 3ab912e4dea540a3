"""Postmark tells one event in a call, and repeats what we gave it of our mail."""

from __future__ import annotations

from typing import Any

import pytest

from flows.causes import Cause
from flows.incoming.model import Report
from flows.incoming.providers.postmark import read
from flows.incoming.webhooks import Call
from tests.context import NOON
from tests.incoming.test_hooks import ADA, SPOKEN, Amazon, postmark

LEFT = {"RecordType": "SubscriptionChange", "Recipient": ADA, "SuppressSending": True}
LEFT |= {"SuppressionReason": "ManualSuppression", "Origin": "Recipient"}


async def reports(event: dict[str, Any]) -> list[Report]:
    return list((await read(Call(*postmark(event)), SPOKEN["postmark"].secret, NOON, Amazon())).reports)


async def test_a_soft_bounce_says_nothing_of_the_address() -> None:
    (hard,) = await reports({"RecordType": "Bounce", "Type": "BadEmailAddress", "Email": ADA, "Details": "no"})
    (soft,) = await reports({"RecordType": "Bounce", "Type": "SoftBounce", "Email": ADA, "Description": "later"})
    assert (hard.cause, hard.words) == (Cause.DEAD, "BadEmailAddress: no")
    assert (soft.cause is Cause.DEAD, soft.words) == (False, "SoftBounce: later")


@pytest.mark.parametrize(
    "more", [{"Origin": "Customer"}, {"SuppressSending": False}, {"SuppressionReason": "HardBounce"}]
)
async def test_only_the_readers_own_word_unsubscribes(more: dict[str, Any]) -> None:
    assert len(await reports(LEFT)) == 1
    assert await reports({**LEFT, **more}) == []


async def test_what_it_repeats_of_our_mail_shows_which_it_is() -> None:
    token = "a" * 40
    metadata = {"return-path": f"bounces+{token}@example.org"}
    (found,) = await reports({"RecordType": "SpamComplaint", "Email": ADA, "Metadata": metadata})
    assert found.evidence.tokens == (token,)


async def test_an_address_with_half_a_character_in_it_is_kept_as_one_that_nobody_has() -> None:
    (found,) = await reports({"RecordType": "SpamComplaint", "Email": "a\ud800\0@x.example"})
    assert found.address == "a?@x.example"
