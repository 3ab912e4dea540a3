"""After a button a browser is sent on: what the next page says stands in its address, and nothing of a reader does."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from subscribers.tokens import Purpose
from subscribers.web.forms import LONGEST, SECONDS
from tests.context import NOON
from tests.subscribers.site import READER, Site, act, link, served, unsubscribe
from tests.subscribers.web.routes.test_manage import settings_of

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

TYPED = "a word that nobody else shall read"


async def pressed(site: Site, path: str, data: dict[str, Any]) -> str:
    """Where a browser is sent that has pressed a button."""
    answer = await site.browser.post(path, data=data, follow_redirects=False)
    assert (answer.status_code, answer.content) == (303, b""), path
    assert "Set-Cookie" not in answer.headers
    return answer.headers["Location"]


async def test_every_button_of_a_readers_page_leads_on(site: Site) -> None:
    await site.publish()
    reader = await site.reader()
    manage, private = link(Purpose.MANAGE, reader.id), link(Purpose.PRIVATE, reader.id)
    buttons: list[tuple[str, dict[str, Any]]] = [
        (manage, settings_of(site, reader, keywords=TYPED)),
        (manage, settings_of(site, reader, keywords=TYPED, do="preview")),
        (manage, settings_of(site, reader, keywords=TYPED, do="on:language-models")),
        (manage, settings_of(site, reader, keywords=TYPED * 3)),
        (manage, settings_of(site, reader, topics=[])),
        *((manage, {"do": one}) for one in ("pause-week", "resume", "pause", "private")),
        (manage, {"do": "undo", "revision": "1"}),
        *((act(reader.id, one), {}) for one in ("mute/agents", "pause", "weekly", "daily", "mute/agents")),
        (act(reader.id, "tune/daily/2026-06-09"), {"unmute": "agents"}),
        ("/manage-link", {"address": READER}),
        ("/manage-link", {"address": "ada"}),
        ("/subscribe", {"address": READER}),
        ("/subscribe", {"address": "ada.brook@"}),
        (private, {"do": "address", "address": READER}),
        (private, {"do": "erase"}),
        (unsubscribe(reader.id) + "/leave", {}),
        (unsubscribe(reader.id) + "/reason", {"reason": TYPED}),
        (unsubscribe(reader.id) + "/undo", {"revision": "1"}),
        (manage, settings_of(site, reader)),
        (act(reader.id, "pause"), {}),
        (private, {"do": "erase", "sure": "yes"}),
        (private, {"do": "erase", "sure": "yes"}),
    ]
    for path, data in buttons:
        where = await pressed(site, path, data)
        assert where.startswith("/"), where
        assert not where.startswith("//"), where
        assert READER not in where
        assert "brook" not in where
        assert "nobody" not in where
        shown = await site.browser.get(where)
        assert shown.text.count("<h1") == 1, where


async def test_what_was_done_is_told_until_something_else_is(site: Site) -> None:
    reader = await site.reader()
    path = link(Purpose.MANAGE, reader.id)
    told = await pressed(site, path, settings_of(site, reader, keywords="tensor"))
    for _ in range(2):
        page = (await site.browser.get(told)).text
        assert "<title>Saved." in page
        assert "You follow “tensor” now." in page
    await pressed(site, path, {"do": "pause-week"})
    page = (await site.browser.get(told)).text
    assert "Saved." not in page
    assert "No mail comes until" in page


@pytest.mark.parametrize("query", ["", "x", "=", "é", "A" * 40, "A" * 4000, "____", "%00"])
async def test_a_form_that_this_site_has_not_sealed_is_none(site: Site, query: str) -> None:
    path = link(Purpose.MANAGE, (await site.reader()).id)
    answer = await site.browser.get(f"{path}?form={query}&done={query}")
    assert (answer.status_code, "Not saved yet" in answer.text) == (200, False)


async def test_a_sealed_form_is_of_its_page_of_its_hour_and_of_a_key_that_counts(site: Site) -> None:
    reader, other = await site.reader(), await site.reader("ben@example.org")
    where = urlsplit(
        await pressed(site, link(Purpose.MANAGE, reader.id), settings_of(site, reader, do="preview", size="77"))
    )
    assert 'value="77"' in (await site.browser.get(f"{where.path}?{where.query}")).text
    elsewhere = await site.browser.get(f"{link(Purpose.MANAGE, other.id)}?{where.query}")
    assert 'value="77"' not in elsewhere.text
    sealed = parse_qs(where.query)["form"][0]
    altered = sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:]
    assert 'value="77"' not in (await site.browser.get(where.path, params={"form": altered})).text
    later = NOON + dt.timedelta(seconds=SECONDS)
    for given in ({"now": lambda: later}, {"keys": [b"another key of sixteen letters"]}):
        _, browser = served(replace(site.services, **given))
        async with browser:
            assert 'value="77"' not in (await browser.get(f"{where.path}?{where.query}")).text


async def test_a_form_too_long_for_an_address_is_answered_at_once(site: Site) -> None:
    reader = await site.reader()
    words = ", ".join(f"{number}x{pow(7, number, 10**40)}" for number in range(200))
    sent = settings_of(site, reader, keywords=words)
    answer = await site.browser.post(link(Purpose.MANAGE, reader.id), data=sent, follow_redirects=False)
    assert (answer.status_code, 'id="keywords-error"' in answer.text) == (422, True)
    assert len(words) > LONGEST
