"""What is kept, and for how long, as the installation is set."""

from __future__ import annotations

from dataclasses import replace

import pytest
from markupsafe import escape

from subscribers.web.services import Keep
from tests.subscribers.readers import Visited, is_sent_once
from tests.subscribers.site import Site, served

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


async def test_it_tells_the_days_that_are_set(site: Site) -> None:
    keep = Keep(leavers=41, deliveries=401, letters=1, logs=17)
    _, browser = served(replace(site.services, keep=keep, postal_address="1 Slow Lane"))
    async with browser:
        page = (await browser.get("/privacy")).text
    for words in ("41 days, then a hash", "401 days, then how many", "1 day.", "17 days.", "7 days.", "1 Slow Lane"):
        assert words in page


async def test_it_names_the_sender_and_is_anybodys(site: Site, visited: Visited) -> None:
    assert str(escape(site.context.settings.sender)) in (await site.browser.get("/privacy")).text
    await is_sent_once(visited, "/privacy")


async def test_every_page_has_a_foot_that_leads_on(site: Site) -> None:
    await site.publish()
    for path in ("/", "/archive", "/archive/daily/2026-06-09", "/nowhere", "/manage/x", "/subscribe"):
        page = (await site.browser.get(path)).text
        for href in ("/manage-link", "/archive#feeds", "/privacy"):
            assert f'href="{href}"' in page, path
    assert 'id="feeds"' in (await site.browser.get("/archive")).text
