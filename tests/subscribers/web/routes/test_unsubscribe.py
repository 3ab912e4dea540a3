from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from flows.delivery.run import deliver
from flows.editions.model import Kind
from subscribers.model import DeliveryState, SubscriptionState
from subscribers.tokens import PREVIEW_READER, Purpose, sign
from tests.context import NOON
from tests.factories import DAY
from tests.subscribers.site import NEW, OLD, READER, Site, unsubscribe

BODIES: dict[str, dict[str, Any]] = {
    "one click": {"data": {"List-Unsubscribe": "One-Click"}},
    "multipart": {"files": {"List-Unsubscribe": (None, "One-Click")}},
    "empty": {},
    "1 MB": {"content": b"x" * 1_000_000},
    "a form that is none": {
        "content": b"\xff\x00--",
        "headers": {"Content-Type": "multipart/form-data; boundary=\xe9".encode("latin-1")},
    },
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_post_unsubscribes_with_whatever_body_however_often(site: Site, body: dict[str, Any]) -> None:
    reader, other = await site.subscribe(), await site.subscribe("ben@example.org")
    asked = await site.browser.get(unsubscribe(reader))
    assert "<button" in asked.text
    assert await site.state(reader) is SubscriptionState.CONFIRMED
    for _ in range(2):
        answer = await site.browser.post(unsubscribe(reader), **body)
        assert (answer.status_code, "You are unsubscribed" in answer.text) == (200, True)
        assert "Location" not in answer.headers
        assert await site.state(reader) is SubscriptionState.UNSUBSCRIBED
    assert await site.state(other) is SubscriptionState.CONFIRMED
    after = await site.browser.get(unsubscribe(reader))
    assert "One-Click" not in after.text
    assert READER not in asked.text + answer.text + after.text


async def test_a_link_of_an_older_key_still_unsubscribes(site: Site) -> None:
    reader = await site.subscribe()
    assert (await site.browser.post(unsubscribe(reader, OLD))).status_code == 200
    assert await site.state(reader) is SubscriptionState.UNSUBSCRIBED


async def test_a_link_that_was_changed_does_nothing_and_says_so(site: Site) -> None:
    reader, other = await site.subscribe(), await site.subscribe("ben@example.org")
    good, another = unsubscribe(reader), unsubscribe(other)
    before = await site.everything()
    for path in (
        good[:-1],
        good + "A",
        good[: len("/unsubscribe/") + 11] + another[len("/unsubscribe/") + 11 :],
        f"/unsubscribe/{sign(Purpose.MANAGE, reader, NEW.encode(), NOON)}",
        unsubscribe(reader, "a key of somebody else"),
        f"/unsubscribe/{reader}",
        "/unsubscribe/" + "A" * 32,
        "/unsubscribe/" + "é" * 32,
        "/unsubscribe/%00" + "A" * 31,
        "/unsubscribe/" + "A" * 10_000,
        f"{good}%0d%0aX-Injected:%20yes",
    ):
        for method in ("GET", "HEAD", "POST"):
            answer = await site.browser.request(method, path)
            assert answer.status_code == 404
            assert method == "HEAD" or "is not complete" in answer.text
            assert "X-Injected" not in answer.headers
    assert await site.everything() == before


async def test_a_link_of_who_was_erased_still_ends_in_peace(site: Site) -> None:
    answer = await site.browser.post(unsubscribe(4711))
    assert (answer.status_code, "You are unsubscribed" in answer.text) == (200, True)


async def test_the_link_of_a_preview_unsubscribes_nobody(site: Site) -> None:
    await site.subscribe()
    before = await site.everything()
    for method in ("GET", "POST"):
        answer = await site.browser.request(method, unsubscribe(PREVIEW_READER))
        assert (answer.status_code, "comes from a preview" in answer.text) == (200, True)
    assert await site.everything() == before


async def test_who_leaves_while_a_delivery_waits_gets_no_mail_of_it(site: Site) -> None:
    frozen = await site.publish()
    reader, other = await site.subscribe(), await site.subscribe("ben@example.org")
    await site.context.ledger.open(frozen.id, "daily", Kind.DAILY, DAY, NOON, at_once=True)
    await site.browser.post(unsubscribe(reader))
    delivered = await deliver(site.context, frozen, lambda sentence: None, at_once=True)
    assert delivered.counts == {DeliveryState.SENT: 1, DeliveryState.SKIPPED: 1}
    assert await site.state(other) is SubscriptionState.CONFIRMED


async def test_leaving_can_be_undone_for_a_day_and_once(site: Site) -> None:
    reader = await site.subscribe()
    await site.context.subscribers.pause(reader, DAY + dt.timedelta(days=9), NOON)
    left = (await site.browser.post(unsubscribe(reader))).text
    revision = (await site.now(reader)).revision
    assert f'name="revision" value="{revision}"' in left
    assert (await site.browser.get(unsubscribe(reader) + "/undo")).status_code == 405
    for wrong in ("", "x", "²", "-1", "999999999999999999999"):
        answer = await site.browser.post(unsubscribe(reader) + "/undo", data={"revision": wrong})
        assert (answer.status_code, await site.state(reader)) == (200, SubscriptionState.UNSUBSCRIBED)
    for _ in range(2):
        answer = await site.browser.post(unsubscribe(reader) + "/undo", data={"revision": str(revision)})
        assert (answer.status_code, "You are subscribed again" in answer.text) == (200, True)
        assert (await site.now(reader)).paused_until == DAY + dt.timedelta(days=9)
    assert await site.letters() == []


async def test_after_a_day_leaving_is_for_good(site: Site) -> None:
    reader = await site.subscribe()
    await site.context.subscribers.unsubscribe(reader, NOON - dt.timedelta(days=2))
    revision = (await site.now(reader)).revision
    assert "/undo" not in (await site.browser.get(unsubscribe(reader))).text
    answer = await site.browser.post(unsubscribe(reader) + "/undo", data={"revision": str(revision)})
    assert "undone any more" in answer.text
    assert await site.state(reader) is SubscriptionState.UNSUBSCRIBED


async def test_a_reason_is_kept_shortened_and_only_of_who_has_left(site: Site) -> None:
    reader = await site.subscribe()
    path = unsubscribe(reader) + "/reason"
    await site.browser.post(path, data={"reason": "too early"})
    assert (await site.now(reader)).left_reason == ""
    await site.browser.post(unsubscribe(reader))
    answer = await site.browser.post(path, data={"reason": "w" * 600})
    assert "we have noted it" in answer.text
    assert (await site.now(reader)).left_reason == "w" * 500
    assert (await site.browser.post(path, content=b"reason=" + b"x" * 70_000)).status_code == 413
