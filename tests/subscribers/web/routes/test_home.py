"""The first page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from subscribers.web.routes.home import BEST, when
from tests import factories
from tests.factories import DAY
from tests.subscribers.readers import tree_of
from tests.subscribers.site import OTHER_DAY, Site


async def test_the_first_page_says_that_there_is_no_edition_yet(site: Site) -> None:
    answer = await site.browser.get("/")
    assert answer.status_code == 200
    assert "No edition has come out yet" in answer.text


async def test_the_first_page_leads_to_the_latest_edition_and_its_topics(site: Site) -> None:
    await site.publish(factories.edition(day=OTHER_DAY, number=6, listed=factories.papers(3)))
    await site.publish(factories.edition(listed=[factories.paper(n) for n in range(10, 17)]))
    page = (await site.browser.get("/")).text
    assert f'href="/archive/daily/{DAY}"' in page
    assert f'href="/archive/daily/{DAY}#t-agents"' in page
    assert str(OTHER_DAY) not in page
    assert "Tuesday, 9 June 2026 · No. 7 · 7 papers in 5 topics" in page


async def test_the_first_page_shows_three_leads_with_what_they_did(site: Site) -> None:
    listed = [factories.paper(n, ai_summary=f"It measures tide number {n}.") for n in range(10, 17)]
    frozen = await site.publish(factories.edition(listed=listed))
    page = tree_of((await site.browser.get("/")).content)
    shown = page.xpath("//section[contains(@class, 'mail')]//ul[@class='papers']/li")
    assert len(shown) == BEST
    best = sorted(frozen.edition.entries, key=lambda entry: -entry.score)[:BEST]
    for one, entry in zip(shown, best, strict=True):
        assert one.xpath("string(h3)") == entry.paper.title
        assert f"It measures tide number {int(entry.paper.id[-2:])}." in one.text_content()
    for words in ("No tracking", "Monday to Friday, from 17:00 on (UTC)"):
        assert words in page.text_content()


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("5 7 * * 1-5", "Monday to Friday, from 07:05"),
        ("0 0 * * *", "Every day, from 00:00"),
        ("*/5 7 * * 1-5", "As soon as an edition is out"),
        ("0 7 1 * *", "As soon as an edition is out"),
        ("0 7 * * 1,3", "As soon as an edition is out"),
    ],
)
def test_when_it_comes_is_said_of_the_schedule(site: Site, cron: str, words: str) -> None:
    newsletter = replace(site.services.newsletters["daily"], cron=cron, zone="Europe/Berlin")
    told = when(site.services, newsletter)
    assert words in told
    assert ("Europe/Berlin" in told) is not told.startswith("As soon")
