"""The second half of a sign-up, and its refusal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from subscribers.model import Frequency, Subscription, SubscriptionState, Suppressed
from subscribers.tables import suppression
from subscribers.tokens import Purpose
from tests.context import NOON
from tests.subscribers.everyone import wish
from tests.subscribers.readers import tree_of
from tests.subscribers.site import READER, Site, link, unsubscribe
from tests.subscribers.web.routes.test_signup_page import sign_up
from tests.subscribers.web.test_abuse import HOUR, post


async def test_the_confirmation_is_a_button_and_pressing_it_twice_confirms_once(site: Site) -> None:
    path = link(Purpose.CONFIRM, reader := await sign_up(site))
    for method in ("GET", "HEAD", "GET"):
        answer = await site.browser.request(method, path)
        assert (answer.status_code, await site.state(reader)) == (200, SubscriptionState.UNCONFIRMED)
    assert "Confirm your sign-up to Paperround" in answer.text
    assert READER not in answer.text
    for words in ("on its way", "confirmed"):
        answer = await site.browser.post(path)
        assert (answer.status_code, words in answer.text) == (200, True)
        assert 'href="/manage/' in answer.text
        assert await site.state(reader) is SubscriptionState.CONFIRMED
    assert sorted(await site.letters()) == ["confirm", "welcome"]
    assert "confirmed already" in (await site.browser.get(path)).text


async def test_an_old_confirmation_offers_the_sign_up_and_brings_nobody_back(site: Site) -> None:
    reader = await sign_up(site)
    late = link(Purpose.CONFIRM, reader, NOON - dt.timedelta(days=8))
    for method in ("GET", "POST"):
        answer = await site.browser.request(method, late)
        assert (answer.status_code, "has expired" in answer.text, 'href="/subscribe"' in answer.text) == (
            410,
            True,
            True,
        )
    assert await site.state(reader) is SubscriptionState.UNCONFIRMED
    await site.browser.post(link(Purpose.CONFIRM, reader))
    await site.browser.post(unsubscribe(reader))
    answer = await site.browser.post(link(Purpose.CONFIRM, reader))
    assert "You have unsubscribed" in answer.text
    assert await site.state(reader) is SubscriptionState.UNSUBSCRIBED


async def test_who_did_not_sign_up_says_never_again_and_is_held_to_it(site: Site) -> None:
    await post(site, "/subscribe", READER, "192.0.2.7")
    found = await site.context.subscribers.by_address(READER, "daily")
    assert found
    path = f"{link(Purpose.CONFIRM, found.id)}/never"
    before = await site.everything()
    for method in ("GET", "HEAD"):
        assert (await site.browser.request(method, path)).status_code == 200
    assert await site.everything() == before
    answer = await site.browser.post(path)
    assert (answer.status_code, "We do not write to you again" in answer.text) == (200, True)
    async with site.context.database.read() as connection:
        assert (await connection.scalars(sa.select(suppression.c.reason))).all() == [Suppressed.DECLINED]
    assert READER not in str(await site.everything())
    again = await post(site, "/subscribe", READER, "198.51.100.7", NOON + 30 * HOUR)
    assert (again.status_code, await site.letters()) == (200, [])
    assert (await site.browser.get(path)).status_code == (await site.browser.post(path)).status_code == 410


async def test_never_again_changes_nothing_for_who_has_confirmed(site: Site) -> None:
    identity = await site.subscribe()
    answer = await site.browser.post(f"{link(Purpose.CONFIRM, identity)}/never")
    assert (answer.status_code, "This address is subscribed" in answer.text) == (200, True)
    assert await site.state(identity) is SubscriptionState.CONFIRMED


async def test_never_again_for_one_newsletter_leaves_a_reader_the_other(site: Site) -> None:
    known = await site.subscribe()
    await site.context.subscribers.sign_up(wish(READER, newsletter="arxiv"), NOON)
    asked = await site.context.subscribers.by_address(READER, "arxiv")
    assert asked
    await site.browser.post(f"{link(Purpose.CONFIRM, asked.id)}/never")
    assert await site.context.subscribers.by_address(READER, "arxiv") is None
    assert await site.state(known) is SubscriptionState.CONFIRMED
    assert (await site.now(known)).suppressed is None


async def test_a_stranger_whose_address_somebody_moved_to_says_never_again(site: Site) -> None:
    identity = await site.subscribe()
    await site.context.subscribers.ask_address(identity, "stranger@example.net", NOON)
    path = f"{link(Purpose.ADDRESS, 1)}/never"
    assert (await site.browser.get(path)).status_code == 200
    assert (await site.browser.post(path)).status_code == 200
    assert "stranger@" not in str(await site.everything())
    assert (await site.browser.post(link(Purpose.ADDRESS, 1))).status_code == 410
    kept = await site.context.subscribers.ask_address(identity, "stranger@example.net", NOON + 30 * HOUR)
    assert kept == ""
    assert await site.letters() == ["address"]
    assert (await site.now(identity)).email == READER


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_after_the_confirmation_each_choice_is_one_press(site: Site) -> None:
    identity = await sign_up(site)
    page = tree_of((await site.browser.post(link(Purpose.CONFIRM, identity))).content)
    start = page.xpath("//form[contains(@action, '/start')]")[0].get("action")
    presses: list[tuple[dict[str, str], str, Callable[[Subscription], object], object]] = [
        ({"frequency": "weekly"}, "once a week", lambda now: now.frequency, Frequency.WEEKLY),
        ({"frequency": "weekdays"}, "Monday to Friday", lambda now: now.frequency, Frequency.WEEKDAYS),
        ({"hour": "7"}, "from 07:00 on", lambda now: now.hour, 7),
        ({"hour": "any"}, "as soon as an edition", lambda now: now.hour, None),
        ({"mute": "agents"}, "Papers of Agents no longer come.", lambda now: now.interests.muted, {"agents"}),
        ({"unmute": "agents"}, "Papers of Agents come from now on.", lambda now: now.interests.muted, set()),
    ]
    for data, words, what, value in presses:
        before = await site.everything()
        assert (await site.browser.get(start)).status_code == 200
        assert await site.everything() == before
        answer = await site.browser.post(start, data=data)
        assert (answer.status_code, words in answer.text) == (200, True), data
        assert what(await site.now(identity)) == value
        assert 'name="do" value="undo"' in answer.text
    before = await site.everything()
    for wrong in ({}, {"frequency": "hourly"}, {"hour": "25"}, {"hour": "x"}):
        assert (await site.browser.post(start, data=wrong)).status_code == 400
    assert (await site.browser.post(start, data={"mute": "nope"})).status_code == 200
    assert await site.everything() == before
