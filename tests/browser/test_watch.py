"""A preview in a real browser follows the templates by itself."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.conftest import free_port


@asynccontextmanager
async def watching(home: Path) -> AsyncIterator[str]:
    """The command in a process of its own, which Ctrl-C ends well."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAPERROUND_")}
    environment |= {"PAPERROUND_HOME_DIR": str(home), "PAPERROUND_TEMPLATES_DIR": str(home / "templates")}
    command = (sys.executable, "-m", "flows", "preview", "--watch", "--port", str(free_port()))
    process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=asyncio.subprocess.PIPE)
    assert process.stderr
    said = (await asyncio.wait_for(process.stderr.readline(), 60)).decode()
    try:
        yield said.split()[0]
    finally:
        process.send_signal(signal.SIGINT)
        rest = (await asyncio.wait_for(process.communicate(), 30))[1]
    assert (process.returncode, rest) == (0, b"")


async def test_the_browser_follows_what_is_saved(chromium: Any, tmp_path: Path) -> None:
    look = tmp_path / "templates/email/digest/classic"
    look.mkdir(parents=True)
    style, template = look / "inline.css", look / "digest.html"

    def paint(colour: str) -> None:
        style.write_text('{% include "shipped/email/digest/classic/inline.css" %}\nh1 { color: ' + colour + "; }\n")

    paint("#102030")
    async with watching(tmp_path) as url:
        page = await (await chromium.new_context(viewport={"width": 1000, "height": 800})).new_page()
        failures: list[str] = []
        page.on("pageerror", lambda error: failures.append(str(error)))
        await page.goto(f"{url}/?width=narrow&scheme=dark")
        mail = page.frame_locator("iframe")
        title = mail.locator("h1")
        await title.wait_for()
        assert await page.locator("iframe").evaluate("frame => frame.clientWidth") == 375
        assert await mail.locator("body").evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(22, 23, 25)"
        await page.goto(url)
        await title.wait_for()
        assert await mail.locator("body").evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 254, 251)"
        frame = page.frames[1]
        await frame.evaluate("scrollTo(0, 900)")
        paint("#405060")
        await mail.locator('h1[style*="#405060"]').wait_for(state="attached")
        await page.frames[1].wait_for_function("scrollY === 900")
        template.write_text("{% block title %}\n{% endblok %}")
        await page.locator("mark", has_text="endblok").wait_for()
        template.unlink()
        await title.wait_for(state="attached")
    await page.locator(".gone").wait_for()
    assert failures == []
