"""Prefect's own UI, used as an operator does, in a real browser: what we put there can be read and pressed."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable

import pytest
from playwright.async_api import Locator, Page, async_playwright

from tests.browser.conftest import OPTIONS, PROGRAMS
from tests.processes.test_demo import START, Demo, daily_of, demo, order, paperround
from tests.sending.smtp import mail_server

__all__ = ["demo"]

READERS = 150


@pytest.fixture
async def page(demo: Demo) -> AsyncIterator[Page]:
    """The UI, logged in."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium on this machine")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=OPTIONS)
        found = await browser.new_page(viewport={"width": 1280, "height": 1000})
        found.set_default_timeout(START * 1000)
        await found.goto(f"{demo.prefect}/login?redirect=/deployments")
        await found.get_by_placeholder("admin:pass").fill(demo.login)
        await found.keyboard.press("Enter")
        await found.get_by_text("deliver-due").first.wait_for()
        yield found
        await browser.close()


async def press(button: Locator) -> None:
    """By the keyboard: a passing message of the UI may lie over what would be clicked."""
    await button.press("Enter")


async def press_until(button: Locator, done: Callable[[], bool]) -> None:
    """Again if nothing follows: what was pressed while a page was still being drawn is lost."""
    async with asyncio.timeout(START):
        while not await asyncio.to_thread(done):
            if await button.count() and await button.is_enabled():
                await press(button)
            await asyncio.sleep(3)


async def test_a_delivery_is_seen_going_on_is_cancelled_and_shows_how_it_stands(demo: Demo, page: Page) -> None:
    people = demo.home.parent / "slow.csv"
    people.write_text("email\n" + "".join(f"slow-{n}@example.org\n" for n in range(READERS)))
    await asyncio.to_thread(paperround, demo, "subscribers", "import", str(people), "-n", "slow")
    deployment = demo.api("GET", "/deployments/name/daily/slow")["id"]
    body = {"parameters": daily_of("2026-06-09")}
    run = demo.api("POST", f"/deployments/{deployment}/create_flow_run", body)
    await page.goto(f"{demo.prefect}/runs/flow-run/{run['id']}")
    shown: dict[str, str] = {}
    while "delivery-slow" not in shown:
        await asyncio.sleep(0.2)
        wanted = {"artifacts": {"flow_run_id": {"any_": [run["id"]]}}}
        shown = {one["key"]: one["id"] for one in demo.api("POST", "/artifacts/filter", wanted)}
    confirm = page.locator(".p-modal").get_by_role("button", name="Confirm")
    await press(page.get_by_role("button", name="Cancel").first)
    await confirm.wait_for()

    def is_cancelled() -> bool:
        return str(demo.api("GET", f"/flow_runs/{run['id']}")["state"]["type"]).startswith("CANCEL")

    await press_until(confirm, is_cancelled)
    ended = await asyncio.to_thread(demo.ended, run)
    assert ended["state"]["type"] == "CANCELLED"
    await page.goto(f"{demo.prefect}/artifacts/artifact/{shown['delivery-slow']}")
    await page.get_by_text("between two messages").wait_for()
    picture = page.get_by_role("img", name="Mails a second")
    await picture.wait_for()
    assert await picture.evaluate("picture => picture.naturalWidth") == 640
    rows = await page.locator("table tbody tr").all_inner_texts()
    assert [row.split()[0] for row in rows] == ["sent", "pending", "example.org"]


async def test_a_mail_server_that_is_set_by_a_form_is_the_next_runs(demo: Demo, page: Page) -> None:
    async with mail_server() as other:
        await page.goto(f"{demo.prefect}/blocks/catalog/paperround-mail-server/create")
        await page.locator("input[type=text]").fill("paperround")
        await page.locator("textarea").fill(f"smtp://127.0.0.1:{other.port}")
        named = {"block_documents": {"name": {"any_": ["paperround"]}}}
        create = page.get_by_role("button", name="Create")
        await press_until(create, lambda: bool(demo.api("POST", "/block_documents/filter", named)))
        run = await asyncio.to_thread(demo.run, "daily/sample", order("2026-07-07"))
        assert run["state"]["type"] == "COMPLETED", run["state"]
        assert len(other.taken) == 1
