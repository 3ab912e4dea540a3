"""The first page."""

from __future__ import annotations

from tests import factories
from tests.factories import DAY
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
