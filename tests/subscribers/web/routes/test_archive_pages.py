"""The archive: every edition as a page, by month."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from html import unescape

import pytest

from flows.editions.decisions import Decisions, EditionDecision
from flows.editions.model import Kind, NoEdition
from flows.papers.model import Collected
from flows.pipeline import compose, skipped
from tests import factories
from tests.context import NOON
from tests.factories import DAY
from tests.subscribers.readers import URL, Visited, is_sent_once, tree_of
from tests.subscribers.site import Site

NEXT = DAY + dt.timedelta(days=1)
SUNDAY = dt.date(2026, 6, 14)


async def test_mails_lead_to_an_archive_that_is_empty_at_first(visited: Visited) -> None:
    assert "No edition has come out yet" in await visited.page("/archive")


async def test_a_month_is_a_calendar_with_a_link_for_each_edition_and_its_number_of_papers(visited: Visited) -> None:
    await visited.publish(visited.edition(listed=factories.papers(3)))
    await visited.publish(visited.edition(day=NEXT, listed=[factories.paper(9)], number=8))
    tree = tree_of(await visited.page("/archive"))
    (table,) = tree.xpath("//table")
    assert table.xpath("string(caption)") == "June 2026"
    assert table.xpath("//th/abbr/@title")[0] == "Monday"
    assert len(table.xpath(".//tbody/tr")) == 5
    links = {a.get("href"): " ".join(a.xpath("string(span[@class='unseen'])").split()) for a in table.xpath(".//a")}
    assert links == {f"/archive/daily/{DAY}": "9 June, 3 papers", f"/archive/daily/{NEXT}": "10 June, 1 paper"}
    for path in links:
        await visited.page(path)


async def test_a_day_without_an_edition_is_marked_and_its_reason_stands_below(visited: Visited) -> None:
    await visited.publish()
    for day in (dt.date(2026, 6, 6), dt.date(2026, 6, 7)):
        await visited.silence(day, "Nothing is listed at <weekends>.")
    await visited.silence(SUNDAY, "The <b>service</b> failed.")
    page = await visited.page("/archive")
    silent = tree_of(page).xpath("//td[@class='silent']/a/@href")
    assert silent == [f"/archive/daily/2026-06-{day}" for day in ("06", "07", "14")]
    assert "The &lt;b&gt;service&lt;/b&gt; failed." in await visited.page(silent[-1], 404)
    assert "<strong>6 June, 7 June</strong><br>Nothing is listed at &lt;weekends&gt;." in page
    assert "The &lt;b&gt;service&lt;/b&gt; failed." in page


async def test_months_are_turned_and_listed_newest_first(visited: Visited) -> None:
    for month in (3, 5, 6):
        await visited.publish(
            visited.edition(day=dt.date(2026, month, 9), listed=[factories.paper(month)], number=month)
        )
    tree = tree_of(await visited.page("/archive?month=2026-05"))
    assert tree.xpath("//a[@rel='prev']/@href") == ["/archive?month=2026-03"]
    assert tree.xpath("//a[@rel='next']/@href") == ["/archive?month=2026-06"]
    assert tree.xpath("//nav[@aria-labelledby='months']//a/@href") == [
        f"/archive?month=2026-{month:02}" for month in (6, 5, 3)
    ]
    assert tree.xpath("//nav[@aria-labelledby='months']//a[@aria-current]/text()") == ["May 2026"]


@pytest.mark.parametrize(
    "month", ["2026-13", "2026-07", "x", "2026-6", "0000-00", "99999-01", "2026-06-01", "%00", "é"]
)
async def test_a_month_without_editions_is_a_page_that_was_not_found(visited: Visited, month: str) -> None:
    await visited.publish()
    assert "choose a month from the archive" in await visited.page(f"/archive?month={month}", 404)


async def test_an_edition_leads_to_the_ones_beside_it_of_its_kind(visited: Visited) -> None:
    days = [DAY, NEXT, NEXT + dt.timedelta(days=3)]
    for n, day in enumerate(days):
        await visited.publish(visited.edition(day=day, listed=[factories.paper(n + 1)], number=n + 1))
    await visited.publish(visited.edition(day=NEXT, kind=Kind.WEEKLY, listed=[factories.paper(1)], number=1))
    pages = [tree_of(await visited.page(f"/archive/daily/{day}")) for day in days]
    assert [tree.xpath("//a[@rel='prev']/@href") for tree in pages] == [
        [],
        [f"/archive/daily/{days[0]}"],
        [f"/archive/daily/{days[1]}"],
    ]
    assert pages[0].xpath("//a[@rel='next']/@href") == [f"/archive/daily/{days[1]}"]
    alone = tree_of(await visited.page(f"/archive/daily/week/{NEXT}"))
    assert not alone.xpath("//a[@rel='prev' or @rel='next']")
    assert alone.xpath("//link[@rel='canonical']/@href") == [f"{URL}/archive/daily/week/{NEXT}"]


async def test_the_lead_of_each_day_is_named(visited: Visited) -> None:
    hostile = factories.paper(9, title='"><script>alert(1)</script> $x^2$')
    await visited.publish(visited.edition(listed=factories.papers(3)))
    await visited.publish(visited.edition(day=NEXT, listed=[hostile], number=8))
    await visited.publish(visited.edition(day=SUNDAY, kind=Kind.WEEKLY, listed=factories.papers(2), number=1))
    for _ in range(2):  # from the documents, then from memory
        page = await visited.page("/archive")
        assert "<script" not in page
        tree = tree_of(page)
        named = {item.xpath("a/@href")[0]: item.xpath("string(span)") for item in tree.xpath("//ol[@class='leads']/li")}
        assert named == {
            f"/archive/daily/week/{SUNDAY}": "A Lighthouse That Reads Its Own Log, Part 1",
            f"/archive/daily/{NEXT}": '"><script>alert(1)</script> x²',
            f"/archive/daily/{DAY}": "A Lighthouse That Reads Its Own Log, Part 1",
        }
        assert tree.xpath(f"//table//a[@href='/archive/daily/{NEXT}']/@title") == ['"><script>alert(1)</script> x²']


SATURDAY = dt.date(2026, 5, 30)


SILENT: tuple[tuple[str, str, str | None, str | None], ...] = (
    ("/archive/daily/2026-05-20", "The first edition came out on Tuesday, 26 May 2026.", None, "2026-05-26"),
    ("/archive/daily/2026-05-28", "The service of &lt;papers&gt; failed.", "2026-05-26", "2026-06-03"),
    (f"/archive/daily/{SATURDAY}", "It was a weekend", "2026-05-26", "2026-06-03"),
    ("/archive/daily/2026-06-01", "No edition was made for that day.", "2026-05-26", "2026-06-03"),
    ("/archive/daily/2026-06-02", "The editors decided to send none: a test.", "2026-05-26", "2026-06-03"),
    ("/archive/daily/2026-06-04", "It is being prepared", "2026-06-03", None),
    ("/archive/daily/2026-06-05", "Its editors hold it back", "2026-06-03", None),
    ("/archive/daily/2026-06-08", "The newest edition is that of Wednesday, 3 June 2026.", "2026-06-03", None),
    ("/archive/daily/2026-06-10", "That day has not come yet.", "2026-06-03", None),
    ("/archive/daily/9999-12-31", "That day has not come yet.", "2026-06-03", None),
    ("/archive/daily/0001-01-01", "The first edition came out on", None, "2026-05-26"),
    ("/archive/daily/week/2026-05-30", "The week’s best came out on other days", "2026-05-24", "2026-05-31"),
    ("/archive/sample/2026-06-03", "No edition has come out yet.", None, None),
)


async def test_a_day_without_an_edition_says_why_and_leads_to_its_neighbours(site: Site, visited: Visited) -> None:
    for n, day in enumerate((dt.date(2026, 5, 26), dt.date(2026, 6, 3))):
        await visited.publish(visited.edition(day=day, listed=[factories.paper(n + 1)], number=n + 1))
    for n, day in enumerate((dt.date(2026, 5, 24), dt.date(2026, 5, 31))):
        await visited.publish(visited.edition(day=day, kind=Kind.WEEKLY, listed=[factories.paper(1)], number=n + 1))
    await visited.silence(dt.date(2026, 5, 28), "The service of <papers> failed.")
    store, approvals = site.context.store, site.context.approvals
    for n in (4, 5):
        await store.keep_draft(factories.edition(day=dt.date(2026, 6, n), number=0), NOON)
    for n, verdict in ((2, EditionDecision.SKIP), (5, EditionDecision.HOLD)):
        day = dt.date(2026, 6, n)
        await approvals.decide("daily", Kind.DAILY, day, verdict, Decisions(), now=NOON, reason="a test")
    known = await approvals.find("daily", Kind.DAILY, dt.date(2026, 6, 2))
    assert known
    await store.keep_draft(skipped(known), NOON)
    for path, words, before, after in SILENT:
        page = await visited.page(path, 404)
        assert words in page, path
        tree = tree_of(page)
        start = path.rpartition("/")[0]
        assert tree.xpath("//a[@rel='prev']/@href") == ([f"{start}/{before}"] if before else []), path
        assert tree.xpath("//a[@rel='next']/@href") == ([f"{start}/{after}"] if after else []), path
        (button,) = tree.xpath("//a[@class='button']/@href")
        await visited.page(button)


async def test_a_weekly_edition_stands_in_the_row_of_its_week(visited: Visited) -> None:
    await visited.publish(visited.edition(day=SUNDAY, kind=Kind.WEEKLY, listed=factories.papers(2), number=1))
    tree = tree_of(await visited.page("/archive"))
    (row,) = tree.xpath("//tbody/tr[.//a]")
    assert row.xpath(".//a/@href") == [f"/archive/daily/week/{SUNDAY}"]
    assert row.xpath("string(td[1])") == "8"
    assert "The best of the week to 14 June, 2 papers" in row.xpath("string(.)")
    await visited.page(f"/archive/daily/{SUNDAY}", 404)


async def test_an_edition_says_what_it_is_to_those_who_link_to_it(visited: Visited) -> None:
    hostile = factories.paper(1, title='"><script>alert(1)</script> $x^2$')
    await visited.publish(visited.edition(listed=[hostile, factories.paper(2)]))
    page = await visited.page(f"/archive/daily/{DAY}")
    assert "<script" not in page
    tree = tree_of(page)
    said = {
        meta.get("property") or meta.get("name"): meta.get("content") for meta in tree.xpath("//head/meta[@content]")
    }
    assert said["og:title"] == "Paperround, Tuesday, 9 June 2026"
    assert said["og:url"] == f"{URL}/archive/daily/{DAY}" == tree.xpath("//link[@rel='canonical']/@href")[0]
    assert said["description"] == said["og:description"]
    assert said["description"].startswith('2 papers by topic: "><script>alert(1)</script> x²;')
    assert tree.xpath("//link[@type='application/atom+xml']/@href") == ["/feeds/daily.xml"]


async def test_nothing_in_an_archived_edition_is_anybodys_own(visited: Visited) -> None:
    await visited.publish()
    page = unescape(await visited.page(f"/archive/daily/{DAY}"))
    for start in ("/unsubscribe/", "/manage/", "/act/", "/confirm/"):
        assert start not in page


async def test_newsletters_stand_by_their_newest_edition_and_unknown_ones_not_at_all(visited: Visited) -> None:
    await visited.publish(visited.edition(listed=factories.papers(2)))
    await visited.publish(visited.edition(newsletter="sample", day=NEXT, listed=factories.papers(2)))
    gone = replace(visited.edition(listed=factories.papers(2)), newsletter="gone")
    await visited.context.store.freeze(gone, b"", dt.datetime(2026, 6, 9, tzinfo=dt.UTC))
    tree = tree_of(await visited.page("/archive"))
    assert tree.xpath("//section/@aria-labelledby") == ["sample", "daily"]


async def test_pages_are_sent_once(visited: Visited) -> None:
    await visited.publish()
    for path in ("/archive", "/archive?month=2026-06", f"/archive/daily/{DAY}", "/robots.txt", "/sitemap.xml"):
        await is_sent_once(visited, path)


async def test_why_a_day_has_no_edition_is_told_to_everybody_without_addresses_and_settings(site: Site) -> None:
    """The operator reads the whole of it."""
    problem = "Hugging Face answered 500 (secret words) at http://10.0.0.5/api: check PAPERROUND_HUGGINGFACE_URL"
    newsletter = site.context.newsletters["daily"]
    await site.context.store.keep(Collected(source="huggingface", day=DAY, problem=problem), NOON)
    made = await compose(site.context, newsletter, Kind.DAILY, DAY)
    assert isinstance(made, NoEdition)
    assert problem in made.reason
    await site.context.store.keep_draft(made, NOON)
    for path in (f"/archive/daily/{DAY}", "/archive", f"/archive?month={DAY:%Y-%m}"):
        page = (await site.browser.get(path)).text
        for secret in ("10.0.0.5", "PAPERROUND_", "secret words", "500"):
            assert secret not in page
    assert "The papers of Hugging Face could not be had" in (await site.browser.get(f"/archive/daily/{DAY}")).text
