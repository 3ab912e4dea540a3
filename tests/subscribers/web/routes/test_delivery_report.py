"""The page that tells an operator who got an edition."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa

from flows.causes import Cause
from flows.context import report_link
from flows.editions.model import Kind
from flows.storage.editions import Frozen
from subscribers.bounces import ReportedMail
from subscribers.model import DeliveryState
from subscribers.people.store import Change
from subscribers.tables import delivery
from subscribers.web.routes.delivery_report import PAGE
from tests import factories
from tests.context import NOON
from tests.factories import DAY
from tests.subscribers.readers import URL, tree_of
from tests.subscribers.site import READER, SCRIPT, Site
from tests.subscribers.web.test_fuzz import NASTY


def link(site: Site, newsletter: str = "daily", kind: Kind = Kind.DAILY, day: dt.date = DAY) -> str:
    return report_link(site.context, newsletter, kind, day).removeprefix(URL)


async def delivered(site: Site, *addresses: str, **columns: Any) -> Frozen:
    """An edition whose rows were made for these readers, and then became what `columns` say. The operator looks on."""
    await site.log_in()
    changes = [Change(email=address, newsletter="daily", columns={}) for address in addresses]
    await site.context.subscribers.keep(changes, NOON)
    frozen = await site.publish()
    await site.context.ledger.open(frozen.id, "daily", Kind.DAILY, DAY, NOON, at_once=False)
    await site.context.store.opened(frozen.id, NOON)
    if columns:
        await become(site, addresses, **columns)
    return frozen


async def become(site: Site, addresses: tuple[str, ...], **columns: Any) -> None:
    for address in addresses:
        found = await site.context.subscribers.by_address(address, "daily")
        assert found
        async with site.context.database.write() as connection:
            mine = delivery.c.subscription_id == found.id
            await connection.execute(sa.update(delivery).where(mine).values(**columns))


async def page(site: Site, path: str, status: int = 200) -> Any:
    answer = await site.browser.get(path)
    assert answer.status_code == status, answer.text
    return tree_of(answer.text)


def rows_of(tree: Any) -> list[list[str]]:
    return [
        [" ".join(cell.text_content().split()) for cell in row.xpath("td")]
        for row in tree.xpath("//table[@class='list']/tbody/tr")
    ]


def words(tree: Any, path: str) -> str:
    return " ".join(tree.xpath(f"string({path})").split())


async def test_the_page_tells_who_got_an_edition_and_what_became_of_the_others(site: Site) -> None:
    await delivered(site, READER, "ben@example.org", "cleo@example.org")
    sent = {"state": "sent", "attempts": 1, "code": 250, "words": "2.0.0 taken", "first_at": NOON, "changed_at": NOON}
    later = NOON + dt.timedelta(minutes=15)
    deferred = {"state": "deferred", "attempts": 2, "code": 451, "words": "4.7.1 greylisted", "due_at": later}
    await become(site, (READER,), **sent)
    await become(site, ("ben@example.org",), **(sent | deferred))
    tree = await page(site, link(site))
    assert rows_of(tree) == [
        [READER, "sent", "1", "250 2.0.0 taken", "2026-06-09 12:00", "2026-06-09 12:00", ""],
        [
            "ben@example.org",
            "deferred",
            "2",
            "451 4.7.1 greylisted",
            "2026-06-09 12:00",
            "2026-06-09 12:00",
            "2026-06-09 12:15",
        ],
        ["cleo@example.org", "pending", "0", "", "", "", "at once"],
    ]
    summary = [(words(row, "th"), words(row, "td[1]")) for row in tree.xpath("//table[@class='states']/tbody/tr")]
    assert summary == [("All", "3"), ("sent", "1"), ("pending", "1"), ("deferred", "1")]
    assert "451 4.7.1 greylisted 1" in words(tree, "//table[@class='states']")
    assert words(tree, "//*[@class='lead']") == "Paperround, Tuesday, 9 June 2026. The edition"


async def test_the_page_tells_what_came_back_of_the_edition_and_of_thirty_days_by_domain(site: Site) -> None:
    addresses = (READER, "ben@example.org", "cleo@other.example", "dov@other.example")
    sent = {"state": "sent", "attempts": 1, "code": 250, "words": "2.0.0 taken", "first_at": NOON, "changed_at": NOON}
    frozen = await delivered(site, *addresses, **sent)
    for address, cause, words_of in (
        (addresses[0], Cause.DEAD, "550 5.1.1 <b>unknown</b>"),
        (addresses[2], Cause.FULL, "552 5.2.2 full"),
        (addresses[3], None, "abuse"),
    ):
        found = await site.context.subscribers.by_address(address, "daily")
        assert found
        said = ReportedMail(
            complaint=cause is None,
            cause=cause or Cause.OTHER,
            words=words_of,
            subscription_id=found.id,
            edition_id=frozen.id,
            sealed=True,
        )
        await site.context.came_back.record([said], NOON)
    tree = await page(site, link(site))
    rates = tree.xpath("//table[@class='rates']//tr")
    head, *told = [[" ".join(cell.text_content().split()) for cell in row.xpath("th|td")] for row in rates]
    assert head[1:] == [
        *("Sent", "Rejected", "Delivered", "Hard", "Soft", "Refused", "Complaints", "Unsubscribed"),
    ]
    whole = ["4", "0", "2", "1 25.00%", "1 25.00%", "0", "1 25.00%"]
    # who complained has left at the moment at which the edition was frozen, and not after it
    assert [row[1:] for row in told[:2]] == [[*whole, "0"], [*whole, "1"]]
    assert told[2:] == [
        ["other.example", "2", "0", "1", "0", "1 50.00%", "0", "1 50.00%", ""],
        ["example.org", "2", "0", "1", "1 50.00%", "0", "0", "0", ""],
    ]
    back = words(tree, "//table[@class='list']")
    assert "550 5.1.1 <b>unknown</b>" in back
    assert not tree.xpath("//table[@class='list']//b")


async def test_the_page_is_nobody_elses_and_is_kept_nowhere(site: Site) -> None:
    await delivered(site, READER)
    answer = await site.browser.get(link(site))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "Disallow: /report" in (await site.browser.get("/robots.txt")).text
    assert "/report" not in (await site.browser.get("/sitemap.xml")).text


async def test_a_weekly_edition_has_a_page_of_its_own(site: Site) -> None:
    made = factories.edition(kind=Kind.WEEKLY)
    frozen = await site.publish(made)
    await site.context.subscribers.keep(
        [Change(email=READER, newsletter="daily", columns={"frequency": "weekly"})], NOON
    )
    await site.context.ledger.open(frozen.id, "daily", Kind.WEEKLY, DAY, NOON, at_once=False)
    await site.log_in()
    tree = await page(site, link(site, kind=Kind.WEEKLY))
    assert words(tree, "//*[@class='lead']").startswith("Paperround, the week to Tuesday, 9 June 2026.")
    assert [row[0] for row in rows_of(tree)] == [READER]
    await page(site, link(site), 404)


async def test_what_was_not_delivered_has_no_page(site: Site) -> None:
    await site.log_in()
    tree = await page(site, link(site), 404)
    assert "has not been delivered: nobody has got it" in words(tree, "//main")
    await site.context.store.keep_draft(factories.edition(), NOON)
    await page(site, link(site), 404)
    await page(site, link(site, newsletter="nope"), 404)


async def test_an_edition_without_readers_says_so(site: Site) -> None:
    await delivered(site)
    tree = await page(site, link(site))
    assert words(tree, "//*[@class='empty']").startswith("This edition had no readers")
    assert not tree.xpath("//form[@class='find']")


async def test_a_state_is_chosen_by_a_link_and_pages_are_turned(site: Site) -> None:
    many = [f"reader{n:03d}@example.org" for n in range(PAGE + 2)]
    await delivered(site, *many, READER)
    await become(site, (READER,), state="rejected", words="no such user")
    tree = await page(site, link(site))
    assert [row[0] for row in rows_of(tree)] == many[:PAGE]
    assert not tree.xpath("//nav//a[contains(., 'To the first')]")
    (further,) = tree.xpath("//a[@rel='next']/@href")
    tree = await page(site, further)
    assert [row[0] for row in rows_of(tree)] == [*many[PAGE:], READER]
    assert not tree.xpath("//a[@rel='next']")
    (back,) = tree.xpath("//nav[@class='turn']/a/@href")
    assert rows_of(await page(site, back))[0][0] == many[0]
    (chosen,) = tree.xpath("//table[@class='states']//a[.='rejected']/@href")
    tree = await page(site, chosen)
    assert [row[0] for row in rows_of(tree)] == [READER]
    assert tree.xpath("//a[@aria-current]/text()") == ["rejected"]
    assert words(tree, "//h2[@id='list']") == "Deliveries: rejected"
    tree = await page(site, f"{link(site)}?state=skipped")
    assert words(tree, "//*[@class='empty']") == "No delivery is skipped."
    tree = await page(site, f"{link(site)}?after=999999999")
    assert words(tree, "//*[@class='empty']") == "There are no deliveries further on."


async def test_a_place_that_no_link_names_is_not_there(site: Site) -> None:
    await delivered(site, READER)
    for more in ("state=gone", "state=SENT", "after=x", "after=-1", "after=²", f"after={10**12}"):
        await page(site, f"{link(site)}?{more}", 404)


async def test_a_reader_is_found_by_a_form_that_puts_no_address_in_a_url(site: Site) -> None:
    await delivered(site, READER, "ben@example.org")
    tree = await page(site, link(site))
    (form,) = tree.xpath("//form[@class='find']")
    assert form.get("method") == "post"
    before = await site.everything()
    answer = await site.browser.post(form.get("action"), data={"address": f" {READER.title()} "})
    assert answer.status_code == 200
    tree = tree_of(answer.text)
    assert [row[0] for row in rows_of(tree)] == [READER]
    assert not [href for href in tree.xpath("//@href | //@action") if "example.org" in href]
    assert answer.headers["Cache-Control"] == "no-store"
    assert await site.everything() == before


async def test_an_address_without_a_delivery_is_told_why(site: Site) -> None:
    await delivered(site, "ben@example.org")
    await site.subscribe(READER)

    async def found(typed: str, status: int = 200) -> str:
        answer = await site.browser.post(link(site), data={"address": typed})
        assert answer.status_code == status
        assert rows_of(tree_of(answer.text)) == []
        return words(tree_of(answer.text), "//main")

    assert "Nobody with this address is subscribed to Paperround" in await found("nobody@example.org")
    assert "this one is confirmed, daily, at present" in await found(READER)
    assert "That is no address" in await found("", 422)
    assert "That is no address" in await found("nobody", 422)
    assert "<script" not in (await site.browser.post(link(site), data={"address": f'">{SCRIPT}'})).text


async def test_whatever_is_sent_to_the_search_is_answered_with_a_page(site: Site) -> None:
    await delivered(site, READER)
    for typed in (
        *NASTY,
        f"{'a' * 300}@example.org",
        "ä@bücher.example",
        "a@[127.0.0.1]",
        '"a b"@example.org',
        "@",
        "%",
    ):
        answer = await site.browser.post(link(site), content=urlencode({"address": typed}, errors="replace").encode())
        assert answer.status_code in (200, 400, 422), typed
        assert "<script" not in answer.text
    for method, status in (("HEAD", 200), ("PUT", 405)):
        assert (await site.browser.request(method, link(site))).status_code == status


async def test_who_was_erased_is_a_row_without_an_address(site: Site) -> None:
    await delivered(site, READER, "ben@example.org", state="sent")
    await site.context.subscribers.forget(READER, NOON)
    assert [row[:2] for row in rows_of(await page(site, link(site)))] == [
        ["(erased)", "sent"],
        ["ben@example.org", "sent"],
    ]


async def test_a_servers_words_are_shown_and_never_obeyed(site: Site) -> None:
    hostile = f'{SCRIPT} "><img src=x onerror=alert(1)> {{{{ 7*7 }}}} \u202edetrever'
    await delivered(site, READER, state="rejected", code=554, words=hostile)
    answer = await site.browser.get(link(site))
    assert "<script" not in answer.text
    assert "<img" not in answer.text
    (row,) = rows_of(tree_of(answer.text))
    assert row[3].startswith(f"554 {SCRIPT}")
    assert "{{ 7*7 }}" in row[3]
    assert tree_of(answer.text).xpath("//table[@class='list']//td[4]/bdi")


async def test_what_is_held_is_named_with_the_commands_that_decide(site: Site) -> None:
    await delivered(site, READER, "ben@example.org", state=DeliveryState.UNCERTAIN, due_at=None)
    tree = await page(site, link(site))
    assert "2 uncertain deliveries are held for you" in words(tree, "//*[@class='notice']")
    commands = [" ".join(code.text_content().split()) for code in tree.xpath("//code")]
    assert commands == [
        f"paperround deliveries --edition daily/{DAY} --state uncertain --{option}" for option in ("resend", "settle")
    ]
    assert [row[6] for row in rows_of(tree)] == ["held for you", "held for you"]
