"""Prefect's own UI, used as an operator does, in a real browser: what we put there can be read and pressed."""

from __future__ import annotations

import asyncio
import email
import email.policy
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from playwright.async_api import Locator, Page, async_playwright

from tests.browser.conftest import OPTIONS, PROGRAMS
from tests.processes.test_demo import (
    OPERATOR,
    START,
    Demo,
    daily_of,
    demo,
    order,
    paperround,
    registered_again,
    slow_mails,
)
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
    due = await asyncio.to_thread(demo.run, "deliver-due/slow", {"target": {"newsletter": "slow"}})
    assert "its run was cancelled" in due["state"]["message"]

    await page.goto(f"{demo.prefect}/runs/flow-run/{run['id']}")
    await press(page.get_by_role("button", name="Retry").first)
    again = page.locator(".p-modal").get_by_role("button", name="Retry")
    await again.wait_for()
    await press_until(again, lambda: not is_cancelled())
    ended = await asyncio.to_thread(demo.ended, demo.api("GET", f"/flow_runs/{run['id']}"))
    assert ended["state"]["type"] == "COMPLETED"
    assert slow_mails(demo) == Counter(f"slow-{n}@example.org" for n in range(READERS))


async def pick(page: Page, months: int, day: int) -> None:
    """A day of the date picker, so many months from the one that it shows."""
    await page.locator(".p-date-button button").first.click()
    arrows = page.locator(".p-calendar-header__arrow")
    for _ in range(abs(months)):
        await arrows.nth(1 if months > 0 else 0).click()
    days = page.locator(".p-calendar-date-picker__date--in-month")
    await days.get_by_text(str(day), exact=True).first.click()
    await page.get_by_role("button", name="Apply").click()


async def choose(page: Page, select: Locator, option: str) -> None:
    """Of a list that opens below its field."""
    await select.focus()
    await page.keyboard.press("ArrowDown")
    await page.get_by_role("option", name=option).first.click()


async def test_an_edition_is_ordered_and_approved_by_forms_with_a_note_and_without_a_paper(
    demo: Demo, page: Page
) -> None:
    """A date that cannot be is refused in the form."""
    await asyncio.to_thread(paperround, demo, "subscribers", "add", "asked@example.org", "--newsletter", "asked")
    deployment = demo.api("GET", "/deployments/name/daily/asked")["id"]
    await page.goto(f"{demo.prefect}/deployments/deployment/{deployment}/run")
    submit = page.get_by_role("button", name="Submit")
    await submit.wait_for()
    await pick(page, 13, 10)
    await press(submit)
    await page.get_by_text("Validation failed for field 'order.date'").first.wait_for()
    await pick(page, -14, 10)
    before = set(demo.mails())

    def runs() -> list[dict[str, Any]]:
        found = demo.api("POST", "/flow_runs/filter", {"deployments": {"id": {"any_": [deployment]}}})
        return [run for run in found if run["id"] not in known]

    known: set[str] = set()
    known = {run["id"] for run in runs()}
    await press_until(submit, lambda: bool(runs()))
    (ordered,) = runs()
    waiting = await asyncio.to_thread(demo.ended, ordered)
    assert waiting["state"]["name"] == "Suspended"
    (test,) = set(demo.mails()) - before
    assert f"To: {OPERATOR}".encode() in test.read_bytes()

    await page.goto(f"{demo.prefect}/runs/flow-run/{ordered['id']}")
    await press(page.get_by_role("button", name="Resume").first)
    form = page.locator(".p-modal")
    await form.get_by_text("See it as a mail").wait_for()
    selects = form.locator(".p-select-button__control")
    await choose(page, selects.nth(0), "send")
    await form.locator("textarea").nth(1).fill("Read the third one first.")
    schema = demo.api("GET", f"/flow_runs/{ordered['id']}/input/suspended-approval-schema")
    number, _, title = str(schema["properties"]["drop"]["items"]["enum"][2]).partition(": ")
    await choose(page, selects.nth(1), title)
    await page.keyboard.press("Escape")
    suspended = waiting["state"]["id"]
    sending = form.get_by_role("button", name="Submit")
    await press_until(sending, lambda: demo.api("GET", f"/flow_runs/{ordered['id']}")["state"]["id"] != suspended)
    ended = await asyncio.to_thread(demo.ended, demo.api("GET", f"/flow_runs/{ordered['id']}"), "")
    assert ended["state"]["message"] == "Deliveries: 1 sent."
    (mail,) = set(demo.mails()) - before - {test}
    html = email.message_from_bytes(mail.read_bytes(), policy=email.policy.default).get_body(("html",))
    assert html is not None
    assert "Read the third one first." in html.get_content()
    assert number not in html.get_content()


async def test_a_test_is_sent_and_a_schedule_is_edited_which_the_next_start_leaves_alone(
    demo: Demo, page: Page
) -> None:
    deployment = demo.api("GET", "/deployments/name/send-test/sample")["id"]
    before = set(demo.mails())
    await page.goto(f"{demo.prefect}/deployments/deployment/{deployment}/run")
    submit = page.get_by_role("button", name="Submit")
    await submit.wait_for()
    await press_until(submit, lambda: bool(set(demo.mails()) - before))
    for test in set(demo.mails()) - before:
        assert f"To: {OPERATOR}".encode() in test.read_bytes()

    daily = demo.api("GET", "/deployments/name/daily/slow")["id"]
    await page.goto(f"{demo.prefect}/deployments/deployment/{daily}")
    card = page.locator(".deployment-schedule-card")
    await card.get_by_role("button").last.click()
    await page.get_by_text("Edit", exact=True).first.click()
    form = page.locator(".p-modal")
    await form.locator("input[type=text]").nth(1).fill("30 6 * * 1")

    def crons() -> list[str]:
        found = demo.api("GET", "/deployments/name/daily/slow")["schedules"]
        return [one["schedule"]["cron"] for one in found]

    await press_until(form.get_by_role("button", name="Save"), lambda: crons() == ["30 6 * * 1"])
    await asyncio.to_thread(registered_again, demo)
    assert crons() == ["30 6 * * 1"]


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
        (block,) = demo.api("POST", "/block_documents/filter", named)
        demo.api("DELETE", f"/block_documents/{block['id']}")


@pytest.mark.parametrize(
    ("flow", "note", "said"),
    [("correct", "A link was wrong.", "Correction. Deliveries: 1 sent."), ("approve", "", "Too late: ")],
)
async def test_the_newer_forms_take_what_is_left_empty(demo: Demo, page: Page, flow: str, note: str, said: str) -> None:
    """They leave an empty list out of what they send."""
    deployment = demo.api("GET", f"/deployments/name/{flow}/sample")["id"]
    wanted = {"deployments": {"id": {"any_": [deployment]}}}
    await page.goto(f"{demo.prefect}/v2/deployments/deployment/{deployment}/run")
    submit = page.get_by_role("button", name="Submit")
    await submit.wait_for()
    if note:
        await page.locator("textarea").first.fill(note)
    await press_until(submit, lambda: bool(demo.api("POST", "/flow_runs/filter", wanted)))
    (run,) = demo.api("POST", "/flow_runs/filter", wanted)
    ended = await asyncio.to_thread(demo.ended, run)
    assert said in ended["state"]["message"]
