"""A page from elsewhere in an operator's browser, in a real one, before a real installation."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from playwright.async_api import async_playwright

from flows.artifacts.composed import _rows
from flows.editions.maths import text
from tests import factories
from tests.browser.conftest import OPTIONS, PROGRAMS
from tests.processes.test_demo import Demo, demo

__all__ = ["demo"]

EVIL = "evil.example"

ATTACK = """<!DOCTYPE html><title>works</title>
<iframe name="sink"></iframe>
<form id="form" method="post" enctype="text/plain" target="sink" action="{api}/flows/">
<input name='{{"name": "by-form", "x": "' value='"}}'></form>
<script>
async function ask(url, how) {{
  try {{
    const answer = await fetch(url, how);
    return answer.type + " " + answer.status + " " + await answer.text();
  }} catch (error) {{ return "refused"; }}
}}
async function attack() {{
  const told = [];
  const flow = name => JSON.stringify({{name: name}});
  document.getElementById("form").submit();
  for (const credentials of ["omit", "include"])
    for (const mode of ["cors", "no-cors"])
      for (const type of ["text/plain", "application/json"])
        told.push(await ask("{api}/flows/", {{method: "POST", mode, credentials,
          headers: {{"Content-Type": type}}, body: flow("by-fetch-" + mode)}}));
  told.push(await ask("{api}/deployments/", {{method: "POST", headers: {{"Content-Type": "application/json"}},
    body: JSON.stringify({{name: "evil", flow_id: "{flow}", pull_steps: [
      {{"prefect.deployments.steps.run_shell_script": {{script: "touch {proof}"}}}}]}})}}));
  told.push(await ask("{api}/deployments/{deployment}/create_flow_run",
    {{method: "POST", mode: "no-cors", body: "{{}}"}}));
  for (const path of ["/artifacts/filter", "/deployments/filter", "/logs/filter"])
    told.push(await ask("{api}" + path,
      {{method: "POST", headers: {{"Content-Type": "application/json"}}, body: "{{}}"}}));
  for (const path of {pages})
    for (const mode of ["cors", "no-cors"])
      told.push(await ask(path, {{mode, credentials: "include"}}));
  return told;
}}
</script>"""


@pytest.fixture
def elsewhere() -> Iterator[dict[str, str]]:
    """A web server of somebody else's: its pages by their paths, and under "" where it is."""
    pages: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path, "").encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        pages[""] = str(server.server_address[1])
        yield pages
        server.shutdown()


async def test_a_page_from_elsewhere_starts_nothing_and_reads_nothing(
    demo: Demo,
    elsewhere: dict[str, str],
) -> None:
    """Also where the operator is logged in to Prefect's UI and to the web app, whatever the page's name leads to."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium on this machine")
    report = next(place for place in demo.said.split() if "/report/" in place)
    found = demo.api("GET", "/deployments/name/daily/sample")
    proof = demo.home / "proof"
    before = counts(demo)
    pages = [report, f"{demo.site}/inbox", f"{demo.site}/login"]
    given = {"flow": found["flow_id"], "deployment": found["id"], "proof": proof, "pages": pages}
    elsewhere["/"] = ATTACK.format(api=f"{demo.prefect}/api", **given)
    async with async_playwright() as playwright:
        resolve = f"--host-resolver-rules=MAP {EVIL} 127.0.0.1"
        browser = await playwright.chromium.launch(executable_path=program, args=[*OPTIONS, resolve])
        context = await browser.new_context()
        page = await context.new_page()
        await page.goto(f"{demo.prefect}/deployments")
        await page.get_by_placeholder("admin:pass").fill(demo.login)
        await page.keyboard.press("Enter")
        await page.get_by_text("deliver-due").first.wait_for()
        await page.goto(report)
        await page.get_by_label("Login").fill(demo.login)
        await page.get_by_role("button", name="Log in").click()
        await page.get_by_text("reader@example.org").wait_for()

        for name in ("127.0.0.1", "localhost", EVIL):
            page = await context.new_page()
            await page.goto(f"http://{name}:{elsewhere['']}/")
            for words in await page.evaluate("attack()"):
                assert words in ("refused", "opaque 0 ")
            await page.goto(f"http://{name}:{elsewhere['']}/")
        # the name leads to this machine now: the browser takes our servers for the attacker's own
        for url in (
            *(demo.prefect + path for path in ("/api/health", "/runs")),
            *(demo.site + path for path in ("/inbox", "/login", "/report/x/y")),
        ):
            answer = await page.goto(url.replace("127.0.0.1", EVIL))
            assert answer is not None
            assert answer.status in (400, 421), url
        await browser.close()
    assert counts(demo) == before
    assert not proof.exists()


async def test_the_run_that_it_names_is_seen_after_the_login(demo: Demo) -> None:
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium on this machine")
    link = re.search(r"Prefect: the run +(http\S+)", demo.said)
    assert link is not None
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=OPTIONS)
        page = await browser.new_page()
        await page.goto(link[1])
        await page.get_by_placeholder("admin:pass").fill(demo.login)
        await page.keyboard.press("Enter")
        await page.get_by_text("Completed").first.wait_for()
        await page.get_by_text("Deliveries: 1 sent.").first.wait_for()
        await browser.close()


async def test_a_title_is_no_markup_in_prefects_table(demo: Demo) -> None:
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium on this machine")
    title = (
        "<b>Bold</b> <img src=x onerror=alert(1)> [link](https://evil.example) **strong** _so_ `code` | "
        "www.evil.example https://evil.example ben@evil.example &lt; snake_case & more"
    )
    rows = _rows(factories.edition([factories.paper(1, title=title)]))
    made = demo.api("POST", "/artifacts/", {"key": "hostile", "type": "table", "data": json.dumps(rows)})
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=OPTIONS)
        page = await browser.new_page()
        await page.goto(f"{demo.prefect}/deployments")
        await page.get_by_placeholder("admin:pass").fill(demo.login)
        await page.keyboard.press("Enter")
        await page.get_by_text("deliver-due").first.wait_for()
        await page.goto(f"{demo.prefect}/artifacts/artifact/{made['id']}")
        cell = page.locator("tbody td").nth(1)
        await cell.wait_for()
        assert await cell.inner_text() == text(title)
        assert await cell.locator("b, img, a, code, em, strong").count() == 0
        await browser.close()


def counts(demo: Demo) -> dict[str, int]:
    """How much of each there is that an attacker would make; runs that a schedule made are none of theirs, nor the
    deployments that the installation itself may still be registering.
    """
    theirs = {"deployments": {"name": {"any_": ["evil"]}}}
    made = {"flows": {"name": {"any_": ["by-fetch-cors", "by-fetch-no-cors", "by-form"]}}}
    by_hand = {"flow_runs": {"state": {"type": {"not_any_": ["SCHEDULED"]}}}}
    return {
        what: demo.api("POST", f"/{what}/count", more)
        for what, more in (("flows", made), ("deployments", theirs), ("flow_runs", by_hand))
    }


def test_prefects_server_answers_nobody_without_the_login(demo: Demo) -> None:
    """Every route that its own description names, but for the two that tell whether it is up."""
    routes = httpx.get(f"{demo.prefect}/openapi.json", timeout=60).json()["paths"]
    assert len(routes) > 100
    open_to_all = set()
    with httpx.Client(base_url=demo.prefect, timeout=60) as browser:
        for path, methods in routes.items():
            for method in methods:
                for headers in ({}, {"Authorization": "Basic b3BlcmF0b3I6eA=="}):
                    answer = browser.request(method.upper(), path.replace("{", "").replace("}", ""), headers=headers)
                    if answer.status_code not in (401, 404, 405):
                        open_to_all.add((method, path, answer.status_code))
    assert {path for _, path, _ in open_to_all} <= {"/api/health", "/api/ready"}, open_to_all
