"""`python -m tests.picture` makes the README's picture: the sample's mail in a wide window and in a narrow dark one.

Needs Chromium; writes `tests/picture.png`. Make it anew when the look of a mail changes.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from base64 import b64encode
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, async_playwright

PICTURE = Path(__file__).with_name("picture.png")
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
DAY = "2026-06-09"
HEIGHT = 720
PAGE = """<!doctype html><style>
body {{ margin: 0; padding: 24px; display: flex; gap: 24px; background: #dfe3e8; }}
img {{ border-radius: 10px; height: {height}px; }}
</style>{pictures}"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = (sys.executable, "-m", "flows", "preview", "-n", "sample", "--date", DAY, "--out", folder)
        subprocess.run(command, env=os.environ | {"PAPERROUND_HOME_DIR": folder}, check=True)
        mail = (Path(folder) / "digest.html").read_text(encoding="utf-8")
    asyncio.run(photograph(mail))
    print(f"{PICTURE}: {PICTURE.stat().st_size // 1000} kB")


async def photograph(mail: str) -> None:
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        sys.exit("No Chromium on this machine: install it.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        wide = await _window(browser, mail, 640, "light", "body")
        narrow = await _window(browser, mail, 375, "dark", "#t-agents")
        page = await browser.new_page(viewport={"width": 640 + 375 + 3 * 24, "height": HEIGHT + 2 * 24})
        await page.set_content(PAGE.format(pictures=wide + narrow, height=HEIGHT))
        await page.screenshot(path=PICTURE)
        await browser.close()


async def _window(browser: Browser, mail: str, width: int, scheme: Literal["light", "dark"], begins: str) -> str:
    """What a window of that width shows of the mail from an element on, as an image's tag."""
    page = await browser.new_page(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
    await page.set_content(mail)
    await page.locator(begins).first.evaluate("one => one.scrollIntoView()")
    return f'<img alt="" src="data:image/png;base64,{b64encode(await page.screenshot()).decode()}">'


if __name__ == "__main__":
    main()
