"""`python -m tests.picture` makes the README's pictures: a mail of the sample, and its run in Prefect, light and dark.

Needs Chromium; writes `tests/picture-light.png` and `tests/picture-dark.png`. Make them anew when a look changes.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
import tempfile
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, async_playwright

Scheme = Literal["light", "dark"]

HERE = Path(__file__).parent
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
DAY = "2026-06-09"
HEIGHT, MAIL, RUN = 680, 600, 900
PAGE = """<!doctype html><style>
body {{ margin: 0; padding: 20px; display: flex; gap: 20px; background: {ground}; }}
img {{ border-radius: 10px; height: {height}px; }}
</style>{pictures}"""
GROUNDS = {"light": "#dfe3e8", "dark": "#0b0c0e"}


def main() -> None:
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        sys.exit("No Chromium on this machine: install it.")
    asyncio.run(photograph(program))


async def photograph(program: str) -> None:
    async with delivered() as (mail, run, login), async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for scheme in ("light", "dark"):
            pictures = await _mail(browser, mail, scheme) + await _run(browser, run, login, scheme)
            width = MAIL + RUN + 3 * 20
            page = await browser.new_page(viewport={"width": width, "height": HEIGHT + 2 * 20})
            await page.set_content(PAGE.format(pictures=pictures, height=HEIGHT, ground=GROUNDS[scheme]))
            picture = HERE / f"picture-{scheme}.png"
            await page.screenshot(path=picture)
            print(f"{picture}: {picture.stat().st_size // 1000} kB")
        await browser.close()


@asynccontextmanager
async def delivered() -> AsyncIterator[tuple[str, str, str]]:
    """A demo that has delivered: its mail, the address of its run, and Prefect's login."""
    with tempfile.TemporaryDirectory() as folder:
        command = (sys.executable, "-P", "-m", "flows", "demo", "--offline", "--date", DAY, "--home", folder)
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=os.environ)
        said = ""
        try:
            while "Its login" not in said and process.stdout:
                said += (await asyncio.wait_for(process.stdout.readline(), 180)).decode()
            (file,) = (Path(folder) / "inbox/new").iterdir()
            yield file.read_text(), _after(said, "Prefect: the run"), _after(said, "Its login, asked once")
        finally:
            process.send_signal(signal.SIGINT)
            await process.communicate()


def _after(said: str, words: str) -> str:
    found = re.search(rf"{words}\s+(\S+)", said)
    if found is None:
        sys.exit(f"The demo did not say {words!r}:\n{said}")
    return found[1]


async def _mail(browser: Browser, content: str, scheme: Scheme) -> str:
    html = content[content.index("<!DOCTYPE html>") : content.index("</html>")]
    page = await browser.new_page(viewport={"width": MAIL, "height": HEIGHT}, color_scheme=scheme)
    await page.set_content(html)
    return _tag(await page.screenshot())


async def _run(browser: Browser, address: str, login: str, scheme: Scheme) -> str:
    context = await browser.new_context(viewport={"width": RUN, "height": HEIGHT}, color_scheme=scheme)
    page = await context.new_page()
    await page.add_init_script(f"localStorage.setItem('prefect-password', '{b64encode(login.encode()).decode()}')")
    await page.goto(address)
    await page.get_by_text("Completed").first.wait_for()
    await page.wait_for_timeout(4000)
    return _tag(await page.screenshot())


def _tag(picture: bytes) -> str:
    return f'<img alt="" src="data:image/png;base64,{b64encode(picture).decode()}">'


if __name__ == "__main__":
    main()
