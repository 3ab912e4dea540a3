"""Prefect's own UI, used as an operator does, in a real browser: what we put there can be read and pressed."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from typing import Any

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


async def choose(page: Page, select: Locator, option: str) -> None:
    await select.focus()
    await page.keyboard.press("ArrowDown")
    await page.get_by_role("option", name=option).click()
    await page.keyboard.press("Escape")


def newest_run(demo: Demo, deployment: str) -> dict[str, Any]:
    """The one that was started by hand last."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        wanted = {"deployments": {"id": {"any_": [deployment]}}, "sort": "ID_DESC"}
        runs = demo.api("POST", "/flow_runs/filter", wanted)
        if mine := [run for run in runs if not run["auto_scheduled"]]:
            return dict(mine[0])
        time.sleep(0.5)
    raise AssertionError("no run was started")


async def test_an_edition_is_started_by_its_form_and_approved_with_a_note_and_a_paper_less(
    demo: Demo, page: Page
) -> None:
    await asyncio.to_thread(paperround, demo, "subscribers", "add", "asked@example.org", "-n", "asked")
    before = set(demo.mails())
    deployment = demo.api("GET", "/deployments/name/daily/asked")["id"]
    await page.goto(f"{demo.prefect}/deployments/deployment/{deployment}/run")
    await page.get_by_text("Collect and compose, show the edition").wait_for()
    await press(page.get_by_role("button", name="Submit"))
    run = await asyncio.to_thread(demo.ended, await asyncio.to_thread(newest_run, demo, deployment))
    assert run["state"]["name"] == "Suspended"

    await page.goto(f"{demo.prefect}/runs/flow-run/{run['id']}")
    await press(page.get_by_role("button", name="Resume").first)
    form = page.locator(".p-modal")
    await form.get_by_text("See it as a mail").wait_for()
    schema = demo.api("GET", f"/flow_runs/{run['id']}/input/suspended-approval-schema")
    paper = schema["properties"]["drop"]["items"]["enum"][2]
    selects = form.locator(".p-select-button__control")
    await choose(page, selects.nth(0), "send")
    await form.locator("textarea").nth(1).fill("Read the third one first.")
    await choose(page, selects.nth(1), paper)
    await press(form.get_by_role("button", name="Submit"))
    over = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
    run = await asyncio.to_thread(demo.ended, run | {"state": {"type": ""}}, *over)
    assert run["state"]["message"] == "Deliveries: 1 sent."
    (mail,) = [one for one in set(demo.mails()) - before if b"To: asked@example.org" in one.read_bytes()]
    assert b"Read the third one first." in mail.read_bytes()
    assert paper.partition(":")[0].encode() not in mail.read_bytes()


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
    await press(page.get_by_role("button", name="Cancel").first)
    await press(page.locator(".p-modal").get_by_role("button", name="Confirm"))
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
        await press(page.get_by_role("button", name="Create"))
        await page.get_by_text("Paperround mail server").first.wait_for()
        run = await asyncio.to_thread(demo.run, "daily/sample", order("2026-07-07"))
        assert run["state"]["type"] == "COMPLETED", run["state"]
        assert len(other.taken) == 1
