from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
import sqlalchemy as sa

from flows.editions.model import EVERY
from subscribers.model import Frequency, Subscription, SubscriptionState
from subscribers.tables import subscription
from subscribers.tokens import Purpose
from tests.context import NOON
from tests.factories import DAY
from tests.subscribers.site import READER, SCRIPT, Site, act, collect, link

WEEK = dt.timedelta(days=7)


def settings_of(site: Site, found: Subscription, **given: Any) -> dict[str, Any]:
    """The settings' form as a browser sends it when nothing was touched but `given`."""
    muted = found.interests.muted
    sent: dict[str, Any] = {
        "do": "save",
        "topics": [one.slug for one in site.context.topics if one.slug not in muted],
        "keywords": "\r\n".join(found.interests.keywords),
        "authors": "\r\n".join(found.interests.authors),
        "leave_out": "\r\n".join(found.interests.leave_out),
        "size": "",
        "frequency": found.frequency,
        "weekday": "",
        "hour": "",
        "zone": found.zone,
    }
    return sent | given


async def test_the_page_shows_what_is_so_and_not_whose(site: Site) -> None:
    reader = await site.reader()
    answer = await site.browser.get(link(Purpose.MANAGE, reader.id))
    assert answer.status_code == 200
    assert "a…@example.org" in answer.text
    assert READER not in answer.text
    assert answer.text.count('name="topics"') == len(site.context.topics)
    assert answer.text.count(" checked") == len(site.context.topics) + 1
    assert "Undo" not in answer.text


@pytest.mark.parametrize(
    ("zone", "offered", "said"),
    [("US/Pacific-New", "America/Los_Angeles", False), ("Asia/Hongkong", "Asia/Hong_Kong", True)],
)
async def test_a_page_opens_whose_zone_is_not_known_and_offers_the_nearest(
    site: Site,
    zone: str,
    offered: str,
    said: bool,
) -> None:
    reader = await site.reader()
    async with site.context.database.write() as connection:
        await connection.execute(sa.update(subscription).values(zone=zone))
    path = link(Purpose.MANAGE, reader.id)
    answer = await site.browser.get(path)
    assert answer.status_code == 200
    assert f"<option selected>{offered}</option>" in answer.text
    assert ("is not known any more" in answer.text) is said
    assert (await site.browser.post(path, data={"do": "pause-week"})).status_code == 200
    assert (await site.browser.post(path, data=settings_of(site, reader, zone=offered))).status_code == 200
    assert (await site.now(reader.id)).zone == offered
    assert "is not known any more" not in (await site.browser.get(path)).text


async def test_what_is_saved_is_kept_said_and_undone_once(site: Site) -> None:
    reader = await site.reader()
    path = link(Purpose.MANAGE, reader.id)
    topics = [one.slug for one in site.context.topics if one.slug != "agents"]
    sent = settings_of(
        site,
        reader,
        topics=topics,
        keywords='tensor, "state space"',
        authors="Ada Brook",
        size="12",
        frequency="weekly",
        weekday="4",
        hour="7",
        zone="Europe/Berlin",
    )
    for _ in range(2):
        answer = await site.browser.post(path, data=sent)
        assert answer.status_code == 200
    changed = await site.now(reader.id)
    assert changed.interests.muted == {"agents"}
    assert changed.interests.keywords == ("tensor", "state space")
    assert (changed.interests.authors, changed.interests.size) == (("Ada Brook",), 12)
    assert (changed.frequency, changed.weekday, changed.hour) == (Frequency.WEEKLY, 4, 7)
    assert changed.zone == "Europe/Berlin"
    page = (await site.browser.get(path)).text
    told = ("Papers of Agents no longer come.", "You follow “tensor” now.", "on Friday", "from 07:00 on, Europe/Berlin")
    for words in told:
        assert words in page
    for _ in range(2):
        answer = await site.browser.post(path, data={"do": "undo", "revision": str(changed.revision)})
        assert "Undone" in answer.text
        assert (await site.now(reader.id)).interests == reader.interests
    answer = await site.browser.post(path, data={"do": "undo", "revision": "99"})
    assert "can’t be undone" in answer.text


async def test_what_is_left_out_is_kept_and_counted(site: Site) -> None:
    frozen = await site.publish()
    await collect(site, *(entry.paper for entry in frozen.edition.entries))
    reader = await site.reader()
    path, size = link(Purpose.MANAGE, reader.id), frozen.edition.size
    sent = settings_of(site, reader, leave_out="Ada Brook")
    shown = await site.browser.post(path, data={**sent, "do": "preview"})
    assert f"they kept {size} papers from you" in shown.text
    assert "nothing would have been for you" in shown.text
    saved = await site.browser.post(path, data=sent)
    assert "Papers that match “Ada Brook” no longer come." in saved.text
    assert "Ada Brook</textarea>" in saved.text
    assert (await site.now(reader.id)).interests.leave_out == ("Ada Brook",)
    refused = await site.browser.post(path, data={**sent, "keywords": "ada brook"})
    assert (refused.status_code, "leave it out as well" in refused.text) == (422, True)


async def test_looking_first_saves_nothing(site: Site) -> None:
    await site.publish()
    reader = await site.reader()
    path = link(Purpose.MANAGE, reader.id)
    before = await site.everything()
    for do in ("preview", "off:language-models", "on:language-models", "off:nope", "on:"):
        answer = await site.browser.post(path, data=settings_of(site, reader, do=do, keywords="telescope"))
        assert (answer.status_code, "Not saved yet" in answer.text) == (200, True)
        assert "telescope</textarea>" in answer.text
    assert await site.everything() == before
    shown = await site.browser.post(path, data=settings_of(site, reader, do="preview", keywords="telescope"))
    assert "matches “<bdi>telescope</bdi>”" in shown.text
    assert "7 papers of 7" in shown.text


async def test_a_group_is_ticked_or_not_at_once(site: Site) -> None:
    reader = await site.reader()
    path = link(Purpose.MANAGE, reader.id)
    page = (await site.browser.get(path)).text
    group = re.findall(r'value="off:([\w-]+)"', page)[0]
    without = await site.browser.post(path, data=settings_of(site, reader, do=f"off:{group}"))
    assert (
        without.text.count(' name="topics"') - len(re.findall(r'name="topics" value="[\w-]+" checked', without.text))
        > 0
    )
    with_it = await site.browser.post(path, data={**settings_of(site, reader, do=f"on:{group}"), "topics": []})
    assert f'name="topics" value="{group}" checked' in with_it.text


async def test_only_what_is_followed_comes_where_no_topic_is_ticked(site: Site) -> None:
    reader = await site.reader()
    path = link(Purpose.MANAGE, reader.id)
    refused = await site.browser.post(path, data=settings_of(site, reader, topics=[]))
    assert (refused.status_code, "No topic is ticked" in refused.text) == (422, True)
    await site.browser.post(path, data=settings_of(site, reader, topics=[], keywords="tensor"))
    assert (await site.now(reader.id)).interests.muted == {EVERY}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("topics", "nope"),
        ("topics", "__proto__"),
        ("topics", SCRIPT),
        ("keywords", "w" * 81),
        ("keywords", ",".join(f"word{n}" for n in range(51))),
        ("keywords", "!!!"),
        ("authors", "w" * 81),
        ("size", "0"),
        ("size", "-1"),
        ("size", "1e3"),
        ("size", "²"),
        ("frequency", "hourly"),
        ("weekday", "7"),
        ("hour", "24"),
        ("hour", "'; DROP TABLE subscription; --"),
        ("zone", "Nowhere/Land"),
        ("zone", "../../etc/passwd"),
        ("zone", ""),
        ("zone", SCRIPT),
    ],
)
async def test_what_can_not_be_kept_is_said_beside_its_field(site: Site, field: str, value: str) -> None:
    reader = await site.reader()
    before = await site.everything()
    answer = await site.browser.post(link(Purpose.MANAGE, reader.id), data=settings_of(site, reader, **{field: value}))
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert 'role="alert"' in answer.text
    assert "<script" not in answer.text
    assert await site.everything() == before


async def test_a_pause_has_an_end_and_can_be_ended(site: Site) -> None:
    reader = await site.reader()
    path = link(Purpose.MANAGE, reader.id)
    for until in ("", "yesterday", str(DAY), "2030-01-01", "2026-02-30", "9999-12-31"):
        answer = await site.browser.post(path, data={"do": "pause", "until": until})
        assert (answer.status_code, 'id="until-error"' in answer.text) == (422, True)
    await site.browser.post(path, data={"do": "pause", "until": str(DAY + 2 * WEEK)})
    paused = await site.now(reader.id)
    assert (paused.state, paused.paused_until) == (SubscriptionState.PAUSED, DAY + 2 * WEEK)
    assert "Paused until Tuesday, 23 June 2026" in (await site.browser.get(path)).text
    await site.browser.post(path, data={"do": "resume"})
    assert await site.state(reader.id) is SubscriptionState.CONFIRMED
    await site.browser.post(path, data={"do": "pause-week"})
    assert (await site.now(reader.id)).paused_until == DAY + WEEK


async def test_a_page_of_who_does_not_get_mail_changes_nothing(site: Site) -> None:
    reader = await site.reader()
    await site.context.subscribers.unsubscribe(reader.id, NOON)
    before = await site.everything()
    path = link(Purpose.MANAGE, reader.id)
    for data in (
        settings_of(site, reader, keywords="tensor"),
        {"do": "pause-week"},
        {"do": "resume"},
        {"do": "private"},
    ):
        answer = await site.browser.post(path, data=data)
        assert (answer.status_code, "You are unsubscribed" in answer.text) == (200, True)
    for action in ("mute/agents", "pause", "weekly", "daily", "more/2606.00001"):
        for method in ("GET", "POST"):
            assert (await site.browser.request(method, act(reader.id, action))).status_code == 409
    assert await site.everything() == before


async def test_what_is_private_is_mailed_three_times_an_hour_at_most(site: Site) -> None:
    reader = await site.reader()
    path = link(Purpose.MANAGE, reader.id)
    for _ in range(3):
        answer = await site.browser.post(path, data={"do": "private"})
        assert (answer.status_code, "on its way to" in answer.text) == (200, True)
    assert (await site.browser.post(path, data={"do": "private"})).status_code == 429
    assert set(await site.letters()) == {"private"}
