"""A reader whose browser speaks German, from the sign-up to the end, and one who changes their mind about it."""

from __future__ import annotations

from playwright.async_api import Browser, Page, expect

from subscribers.model import SubscriptionState
from tests.browser.conftest import Site
from tests.browser.test_subscription import READER, Reader

GERMAN, ENGLISH = "de", "en"


async def speaks(page: Page, language: str) -> None:
    """The page is in this language, and nothing on it runs over a telephone's edge."""
    await expect(page.locator("html")).to_have_attribute("lang", language)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 375


async def test_pages_letters_and_mails_are_in_the_readers_language(site: Site, chromium: Browser) -> None:
    await site.publish()
    context = await chromium.new_context(
        locale="de-AT", java_script_enabled=False, viewport={"width": 375, "height": 800}
    )
    reader = Reader(site, page := await context.new_page())
    for path in ("/archive", "/search", "/privacy", "/manage-link", "/nothing", "/"):
        await page.goto(site.url + path)
        await speaks(page, GERMAN)

    await page.get_by_label("Ihre E-Mail-Adresse").fill(READER)
    await reader.press("Anmelden")
    await reader.reads("Sehen Sie in Ihr Postfach")
    await reader.follow(await reader.mail("Bitte bestätigen"), "/confirm/")
    await reader.press("Ja, schicken Sie es mir")
    await reader.reads("Willkommen bei Paperround")
    welcome = await reader.mail("Willkommen bei Paperround: die Ausgabe vom 9. Juni")

    await reader.follow(welcome, "/manage/")
    await speaks(page, GERMAN)
    await reader.unfold("Sprache")
    await page.get_by_label("Sprache").select_option(label="English")
    await reader.press("Speichern")
    await expect(page.get_by_text("Mails and pages are in English from now on.")).to_be_in_viewport()
    await speaks(page, ENGLISH)
    await reader.press("Undo")
    await speaks(page, GERMAN)

    for part in ("/tune/", "/pause"):
        await reader.follow(welcome, part)
        await speaks(page, GERMAN)
    await reader.follow(welcome, "/unsubscribe/")
    await reader.press("Abbestellen")
    await reader.reads("Sie haben abbestellt")
    assert await reader.state() is SubscriptionState.UNSUBSCRIBED
    await context.close()
