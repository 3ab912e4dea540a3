"""A reader's whole way, with JavaScript off: every page by what it shows, every link out of a mail that was taken."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import time
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from typing import Any, Literal

import lxml.html
import pytest
import sqlalchemy as sa
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from flows.context import report_link
from flows.editions.model import Kind
from flows.storage.database import metadata
from subscribers.model import SubscriptionState
from subscribers.tables import batch, outbox
from tests import factories
from tests.browser.conftest import Site
from tests.factories import DAY
from tests.sending.smtp import Taken
from tests.subscribers.web.routes.test_signup_page import snippet

READER, MOVED = "ada.brook@example.org", "ada@example.net"
SOON = 30.0
"""Seconds within which a mail comes on a busy machine."""


class Reader:
    """Somebody with a browser and an inbox."""

    def __init__(self, site: Site, page: Page) -> None:
        self.site, self.page = site, page

    async def mail(self, subject: str, to: str = READER) -> EmailMessage:
        """The newest mail to an address whose subject begins so, waited for."""
        deadline = time.monotonic() + SOON
        while time.monotonic() < deadline:
            for taken in reversed(self.site.mail.taken):
                message = read(taken)
                if taken.recipient == to and str(message["Subject"]).startswith(subject):
                    return message
            await asyncio.sleep(0.05)
        raise AssertionError(f"no mail {subject!r} within {SOON} seconds: {self.site.mail.readers}")

    async def follow(self, message: EmailMessage, part: str) -> None:
        await self.page.goto(link(message, part))

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name).first.click()

    async def unfold(self, heading: str) -> None:
        await self.page.locator("summary", has=self.page.get_by_role("heading", name=heading)).click()

    async def reads(self, heading: str) -> None:
        await expect(self.page.locator("h1")).to_have_text(heading)

    async def state(self, address: str = READER) -> SubscriptionState:
        found = await self.site.context.subscribers.by_address(address, "daily")
        assert found
        return found.state


def read(taken: Taken) -> EmailMessage:
    parsed = email.message_from_bytes(taken.content, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def links_of(body: Any) -> list[tuple[Any, str, str, int]]:
    document: Any = lxml.html.fromstring(body.get_content())
    return list(document.iterlinks())


def link(message: EmailMessage, part: str) -> str:
    """The first link of a mail that holds this part."""
    body = message.get_body(("html",))
    assert body is not None
    found = [href for _, _, href, _ in links_of(body) if part in href]
    assert found, f"no link with {part} in {message['Subject']!r}"
    return str(found[0])


@pytest.fixture
async def reader(site: Site, chromium: Browser) -> Any:
    context = await chromium.new_context(java_script_enabled=False, viewport={"width": 375, "height": 800})
    yield Reader(site, await context.new_page())
    await context.close()


async def test_a_reader_runs_their_subscription_from_links_in_the_mail(site: Site, reader: Reader) -> None:
    page = reader.page
    await site.publish()

    # sign-up
    await page.goto(site.url)
    await page.get_by_label("Your e-mail address").fill(READER)
    await reader.press("Sign up")
    await reader.reads("Check your inbox")
    assert await reader.state() is SubscriptionState.UNCONFIRMED

    # mail → confirm → welcome
    confirmation = await reader.mail("Please confirm")
    assert confirmation["Auto-Submitted"] == "auto-generated"
    await reader.follow(confirmation, "/confirm/")
    assert await reader.state() is SubscriptionState.UNCONFIRMED
    await reader.press("Yes, send it to me")
    await reader.reads("Welcome to Paperround")
    assert await reader.state() is SubscriptionState.CONFIRMED
    await reader.press("Once a week, the best of it")
    await expect(page.get_by_text("A mail comes once a week")).to_be_in_viewport()
    await reader.press("Every day with an edition")
    await expect(page.get_by_role("button", name="Every day with an edition", pressed=True)).to_be_visible()
    welcome = await reader.mail("Welcome")
    assert "Postcards from a Slow Telescope" in str(welcome.get_body(("plain",)))

    # manage, with a look before it counts
    await reader.follow(welcome, "/manage/")
    await reader.unfold("Keywords and authors")
    await page.get_by_label("Keywords to follow").fill("“microphone”, tides")
    await reader.press("Show me first")
    await expect(page.get_by_text("matches “microphone”")).to_be_in_viewport()
    await expect(page.get_by_text("Not saved yet")).to_be_in_viewport()
    assert await keywords(site) == ()
    await reader.press("Save")
    await expect(page.get_by_text("You follow “microphone” now.")).to_be_in_viewport()
    assert await keywords(site) == ("microphone", "tides")

    # back and forth and reload: nothing is sent again, and the browser asks nothing
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.method))
    await page.reload()
    await expect(page.get_by_text("You follow “microphone” now.")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_text("Not saved yet")).to_be_visible()
    await page.go_forward()
    await reader.reads("Your settings")
    assert set(posted) == {"GET"}

    # tune: one press each
    await reader.follow(welcome, "/tune/")
    await reader.press("Mute Agents")
    await expect(page.get_by_text("Papers of Agents no longer come.")).to_be_visible()
    assert await muted(site) == {"agents"}
    await page.reload()
    await expect(page.get_by_text("Papers of Agents no longer come.")).to_be_visible()
    await reader.press("Undo")
    assert await muted(site) == set()
    await reader.follow(welcome, "/tune/")
    await reader.press("Mute Agents")
    await expect(page.get_by_text("Papers of Agents no longer come.")).to_be_visible()

    # pause, weekly
    await reader.follow(welcome, "/pause")
    await reader.press("Pause until")
    assert await reader.state() is SubscriptionState.PAUSED
    await reader.press("Undo")
    assert await reader.state() is SubscriptionState.CONFIRMED
    await reader.follow(welcome, "/weekly")
    await reader.press("Weekly from now on")
    await reader.reads("Once a week from now on")

    # unsubscribe → undo
    await reader.follow(welcome, "/unsubscribe/")
    await reader.press("Unsubscribe")
    await reader.reads("You are unsubscribed")
    assert await reader.state() is SubscriptionState.UNSUBSCRIBED
    await reader.press("Undo: subscribe me again")
    await reader.reads("You are subscribed again")
    assert await reader.state() is SubscriptionState.CONFIRMED
    assert await muted(site) == {"agents"}


async def test_a_reader_leaves_out_and_teaches_by_papers(site: Site, reader: Reader) -> None:
    page = reader.page
    await subscribe(site, reader)
    welcome = await reader.mail("Welcome")

    # less like a paper of the mail
    await reader.follow(welcome, "/tune/")
    await page.get_by_role("link", name="Less like this").first.click()
    await reader.press("Leave out what is ticked")
    await expect(page.get_by_role("status")).to_be_in_viewport()
    await page.get_by_label("Cleo Dunmore").check()
    await reader.press("Leave out what is ticked")
    await reader.reads("You get less like this now")
    assert await of_interest(site, lambda interests: interests.leave_out) == ("Cleo Dunmore",)
    await reader.press("Undo")
    assert await of_interest(site, lambda interests: interests.leave_out) == ()

    # papers of a library teach what they share, and others of this month hold
    today = site.context.now().date()
    await site.publish(listed=[factories.paper(n, day=today) for n in range(11, 17)], day=today, number=8)
    await reader.follow(welcome, "/manage/")
    await reader.unfold("Keywords and authors")
    await page.get_by_role("link", name="Teach it by papers").click()
    await page.get_by_label("Papers", exact=True).fill("https://arxiv.org/abs/2606.00001v1")
    library = b"@misc{a, eprint = {2606.00002}}\n@misc{b, title = {A Paper That Nobody Here Has}}\n@misc{c, note = {x}}"
    await page.get_by_label("Or a file").set_input_files(
        {"name": "library.bib", "mimeType": "text/plain", "buffer": library}
    )
    await reader.press("Look for what they share")
    await expect(page.get_by_text("Looked at 2 papers.")).to_be_in_viewport()
    await expect(page.get_by_text("no paper of our archive has this title: A Paper That Nobody")).to_be_in_viewport()
    await expect(page.get_by_text("1 entry has neither a number nor a title.")).to_be_in_viewport()
    await page.get_by_label("Ada Brook").check()
    await reader.press("Follow what is ticked")
    await reader.reads("You follow more now")
    assert await of_interest(site, lambda interests: interests.authors) == ("Ada Brook",)
    await page.reload()
    await reader.reads("You follow more now")


async def test_what_is_private_needs_a_link_of_its_own(site: Site, reader: Reader) -> None:
    page = reader.page
    await subscribe(site, reader)
    await reader.follow(await reader.mail("Welcome"), "/manage/")
    assert READER not in await page.content()
    await reader.unfold("Address, export, erase")
    await reader.press("Mail me that link")
    await reader.follow(await reader.mail("Your private link"), "/private/")

    async with page.expect_download() as downloading:
        await reader.press("Download it")
    download = await downloading.value
    held = json.loads((await download.path()).read_text("utf-8"))
    assert READER in json.dumps(held)

    await reader.follow(await reader.mail("Your private link"), "/private/")
    await page.get_by_label("New e-mail address").fill(MOVED)
    await reader.press("Mail a link to it")
    await reader.follow(await reader.mail("Please confirm your new address", to=MOVED), "/address/")
    await reader.press("Yes, use it")
    await reader.reads("Your new address counts")
    await reader.mail("Paperround goes to another address")
    assert await reader.state(MOVED) is SubscriptionState.CONFIRMED

    await reader.follow(await reader.mail("Your private link"), "/private/")
    await page.get_by_label("Yes, erase everything").check()
    await reader.press("Erase")
    await reader.reads("Everything is erased")
    async with site.context.database.read() as connection:
        rows = [(await connection.execute(sa.select(table))).all() for table in metadata.sorted_tables]
    assert READER not in repr(rows)
    assert MOVED not in repr(rows)


async def test_scanners_that_follow_every_link_and_run_scripts_change_nothing(
    site: Site, reader: Reader, chromium: Browser
) -> None:
    await subscribe(site, reader)
    await recorded_all(site)
    before = await everything(site)
    scanner = await chromium.new_context(java_script_enabled=True)
    page = await scanner.new_page()
    for message in map(read, list(site.mail.taken)):
        body = message.get_body(("html",))
        assert body is not None
        for _, _, href, _ in links_of(body):
            if href.startswith(site.url):
                await page.goto(href)
                await page.wait_for_load_state()
    await scanner.close()
    assert await everything(site) == before


async def test_every_page_can_be_used_by_everybody(site: Site, reader: Reader, chromium: Browser) -> None:
    """axe-core finds nothing, in light and dark, on a telephone and on a screen, and nothing scrolls sideways."""
    await subscribe(site, reader)
    welcome = await reader.mail("Welcome")
    act = link(welcome, "/pause").removesuffix("/pause")
    public = ["/", "/subscribe", "/manage-link", "/privacy", "/check-inbox", "/nowhere", "/manage/x", "/unsubscribe/x"]
    public += [
        "/search?q=telescope",
        "/search?q=telescpe",
        "/paper/2606.00001",
        "/archive",
        "/archive/daily/2026-06-09",
    ]
    public += ["/archive/daily/2026-06-10", "/archive/daily/2026-13-99", "/login"]
    paths = [f"{site.url}{path}" for path in public]
    paths += [link(welcome, part) for part in ("/manage/", "/tune/", "/pause", "/weekly", "/unsubscribe/")]
    paths += [f"{act}/{part}" for part in ("mute/agents", "more/2606.00001", "less/2606.00001", "teach", "start")]
    paths += [link(await reader.mail("Please"), "/confirm/"), f"{link(welcome, '/manage/')}?done=late.1"]
    paths.append(report_link(site.context, "daily", Kind.DAILY, DAY))
    found = []
    context = await chromium.new_context(bypass_csp=True)
    page = await context.new_page()
    await log_in(site, page)
    lost = ("/nowhere", "/manage/x", "/unsubscribe/x", "/archive/daily/2026-06-10", "/archive/daily/2026-13-99")
    for path in paths:
        answer = await page.goto(path)
        assert answer
        assert answer.ok or path.endswith(lost), path
        found += await wrong_with(page, ("light", "dark"), (375, 1280))
    assert await page.get_by_role("cell", name=READER).is_visible()
    await page.goto(f"{act}/teach")
    await page.get_by_label("Papers").fill("2606.00001 2606.00002 hep-th/0000000")
    await page.get_by_role("button", name="Look for").click()
    await expect(page.locator("#found")).to_be_visible()
    found += await wrong_with(page, ("light", "dark"), (375, 1280))
    await page.goto(f"{act}/mute/agents")
    await page.get_by_role("button", name="Mute").click()
    await page.get_by_role("button", name="Undo").wait_for()
    found += await wrong_with(page, ("light", "dark"), (375, 1280))
    await context.close()
    # the looks are the same in each language, the words are not
    context = await chromium.new_context(bypass_csp=True, locale="de-AT")
    page = await context.new_page()
    for path in public:
        await page.goto(f"{site.url}{path}")
        found += await wrong_with(page, ("light",), (375,))
    await context.close()
    assert found == []


async def wrong_with(page: Page, schemes: Sequence[Literal["light", "dark"]], widths: Sequence[int]) -> list[object]:
    """What axe finds on a page in each look, and where it scrolls sideways."""
    axe, found = Axe(), list[object]()
    await page.evaluate(axe.axe_script)
    for scheme in schemes:
        await page.emulate_media(color_scheme=scheme)
        for width in widths:
            await page.set_viewport_size({"width": width, "height": 900})
            wide = await page.evaluate("document.documentElement.scrollWidth")
            options = {"resultTypes": ["violations"]}
            violations = await page.evaluate("options => axe.run(options).then(found => found.violations)", options)
            found += [(page.url, scheme, width, one["id"], one["nodes"][0]["html"]) for one in violations]
            found += [(page.url, scheme, width, "scrolls sideways", wide)] if wide > width else []
    return found


async def test_on_a_phone_save_is_in_sight_and_covers_nothing_that_is_focused(site: Site, reader: Reader) -> None:
    page = reader.page
    await subscribe(site, reader)
    await reader.follow(await reader.mail("Welcome"), "/manage/")
    assert await page.locator("html").evaluate("page => page.scrollHeight") <= 1200
    for heading in ("Topics", "Keywords and authors", "When it comes, and how much"):
        await reader.unfold(heading)
    save = page.get_by_role("button", name="Save")
    await expect(save).to_be_in_viewport(ratio=1)
    fields = page.locator("form:has(.bar) :is(input, textarea, select, summary, button:not(.first, .bar *))")
    for at in range(await fields.count()):
        field = fields.nth(at)
        await field.focus()
        bar, box = await page.locator(".bar").bounding_box(), await field.bounding_box()
        assert bar
        assert box
        assert box["y"] + box["height"] <= bar["y"] + 1, await field.evaluate("field => field.outerHTML")
        await expect(save).to_be_in_viewport(ratio=1)


async def test_a_form_on_another_site_signs_up(site: Site, reader: Reader) -> None:
    """The one that the README gives, on a page of another origin."""
    await site.publish()
    form = snippet().replace("https://papers.example.org", site.url)
    page = reader.page
    await page.route("http://blog.example.net/**", lambda route: route.fulfill(body=form, content_type="text/html"))
    await page.goto("http://blog.example.net/")
    await page.get_by_label("Your e-mail address").fill(READER)
    await reader.press("Sign up")
    await reader.reads("Check your inbox")
    await expect(page.get_by_text(READER)).to_be_visible()
    await page.go_back()
    await page.go_forward()
    await reader.reads("Check your inbox")
    await reader.mail("Please confirm")


async def test_a_slip_in_an_address_is_corrected_by_one_press(site: Site, reader: Reader) -> None:
    await site.publish()
    await reader.page.goto(site.url)
    await reader.page.get_by_label("Your e-mail address").fill("ada.brook@gmai.com")
    await reader.press("Sign up")
    await reader.press("Send it to ada.brook@gmail.com instead")
    await reader.mail("Please confirm", to="ada.brook@gmail.com")


async def test_a_cut_link_leads_to_a_fresh_one(site: Site, reader: Reader) -> None:
    await subscribe(site, reader)
    await reader.page.goto(link(await reader.mail("Welcome"), "/manage/")[:-9])
    await reader.reads("This link can’t be read")
    await reader.page.get_by_label("Your e-mail address").fill(READER)
    await reader.press("Mail me a link")
    await reader.follow(await reader.mail("Your link"), "/manage/")
    await reader.reads("Your settings")


async def log_in(site: Site, page: Page) -> None:
    await page.goto(f"{site.url}/login")
    await page.get_by_label("Login").fill(site.context.settings.login)
    await page.get_by_role("button", name="Log in").click()
    await page.get_by_role("button", name="Log out").wait_for()


async def subscribe(site: Site, reader: Reader) -> None:
    await site.publish()
    await reader.page.goto(f"{site.url}/subscribe")
    await reader.page.get_by_label("Your e-mail address").fill(READER)
    await reader.press("Sign up")
    await reader.follow(await reader.mail("Please confirm"), "/confirm/")
    await reader.press("Yes, send it to me")
    await reader.mail("Welcome")


async def of_interest(site: Site, what: Callable[[Any], Any]) -> Any:
    found = await site.context.subscribers.by_address(READER, "daily")
    assert found
    return what(found.interests)


async def keywords(site: Site) -> Any:
    return await of_interest(site, lambda interests: interests.keywords)


async def muted(site: Site) -> Any:
    return await of_interest(site, lambda interests: interests.muted)


async def recorded_all(site: Site) -> None:
    """Waits until everything about the mails that were taken is written down: nobody owns a letter or a batch."""
    deadline = time.monotonic() + SOON
    while time.monotonic() < deadline:
        async with site.context.database.read() as connection:
            owned = [
                await connection.scalar(sa.select(sa.func.count()).where(table.c.lease_until.is_not(None)))
                for table in (outbox, batch)
            ]
        if not any(owned):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"still owned after {SOON} seconds: {owned}")


async def everything(site: Site) -> dict[str, list[Any]]:
    async with site.context.database.read() as connection:
        return {
            table.name: sorted(map(repr, (await connection.execute(sa.select(table))).all()))
            for table in metadata.sorted_tables
        }
