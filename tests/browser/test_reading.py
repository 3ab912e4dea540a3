"""What anybody reads, with JavaScript off, on a telephone: archive, search, a paper, and what is taken along."""

from __future__ import annotations

import datetime as dt

from playwright.async_api import expect

from flows.editions.model import Kind, NoEdition
from flows.papers.model import Collected
from tests import factories
from tests.browser.conftest import Site
from tests.browser.test_subscription import Reader, reader
from tests.factories import DAY

__all__ = ["reader"]

LATER, NONE = DAY + dt.timedelta(days=2), DAY + dt.timedelta(days=1)


async def test_the_archive_is_searched_read_and_taken_along(site: Site, reader: Reader) -> None:
    page, store = reader.page, site.context.store
    listed = factories.papers(7)
    await store.keep(Collected(source="huggingface", day=DAY, papers=tuple(listed)), site.context.now())
    await site.publish(listed=listed)
    await site.publish(listed=[factories.paper(n, day=LATER) for n in range(11, 14)], day=LATER, number=9)
    await store.keep_draft(
        NoEdition(newsletter="daily", kind=Kind.DAILY, day=NONE, reason="Too few papers."), site.context.now()
    )

    # the first page, the month, and from a day without an edition to the one before
    await page.goto(site.url)
    await expect(page.get_by_text("Bridges That Remember Their Loads").first).to_be_visible()
    await page.get_by_role("navigation").get_by_role("link", name="Archive").first.click()
    leads = page.locator("ol.leads")
    await expect(leads).to_contain_text("A Lighthouse That Reads Its Own Log")
    await expect(leads.get_by_role("link")).to_have_count(2)
    calendar = page.get_by_role("table").first
    await expect(calendar.get_by_role("link")).to_have_count(3)
    await calendar.get_by_role("link", name="10").click()
    await reader.reads("No edition on Wednesday, 10 June 2026")
    await page.get_by_role("link", name="Tuesday, 9 June 2026").click()
    await expect(page.get_by_text("Counting Swifts with One Microphone").first).to_be_visible()

    # a slip is corrected by a press, the filters are folded, and the first paper is in sight
    await page.goto(f"{site.url}/search")
    await page.get_by_label("Words").fill("telescpe")
    await page.get_by_role("button", name="Search").click()
    await page.get_by_role("link", name="telescope").click()
    await expect(page.get_by_label("From", exact=True)).to_be_hidden()
    first = page.get_by_role("link", name="Postcards from a Slow Telescope").first
    await expect(first).to_be_in_viewport()
    await page.locator("summary").click()
    await page.get_by_label("To", exact=True).fill("2020-01-01")
    await page.get_by_role("button", name="Search").click()
    await expect(page.get_by_text("No paper holds all of this.")).to_be_in_viewport()
    await page.go_back()
    await first.click()

    # the paper, into a library; its authors lead to their others
    await expect(page.locator("h1")).to_contain_text("Postcards from a Slow Telescope")
    for name, inside in (("BibTeX", "@"), ("RIS", "TY  - ")):
        address = await page.get_by_role("link", name=name).first.get_attribute("href")
        assert address
        answer = await page.request.get(site.url + address)
        assert (answer.status, inside in await answer.text()) == (200, True)
    await page.get_by_role("link", name="Ben Carrow").click()
    await expect(page.get_by_text("Gardeners for Neural Hedges").first).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 375
