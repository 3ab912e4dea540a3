"""How long the manage page takes beside an empty page, with a list of a million subscribers.

    python -m tests.benchmarks.manage_page [--subscribers N] [--requests N]

Both pages are asked for in turn, over HTTP, from the web app in a process of its own with a SQLite file. It prints
the medians and their ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from flows.config.settings import Settings
from flows.context import open_context
from flows.mail.cards import pack
from flows.pipeline import cards_of
from flows.storage.database import Database, milliseconds
from subscribers.tokens import Purpose, sign
from tests import factories
from tests.conftest import free_port

KEY = "a key of sixteen letters or more"

_PEOPLE = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
INSERT INTO subscriber (id, email, email_key, created_at)
SELECT i, 'reader' || i || '@example.org', 'reader' || i || '@example.org', :now FROM n
"""
_SUBSCRIPTIONS = """
INSERT INTO subscription (id, subscriber_id, newsletter, state, topics, keywords, authors, frequency, zone, tags,
  consent_source, changed_at)
SELECT id, id, 'daily', 'confirmed', '["agents", "video"]', '["tensor", "slow telescope"]', '["Ada Brook"]', 'daily',
  'Europe/Berlin', '[]', 'sign-up', :now FROM subscriber
"""


async def main(subscribers: int, requests: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home, port = Path(folder), free_port()
        given: dict[str, Any] = {"home_dir": home, "secret_key": KEY, "public_url": f"http://127.0.0.1:{port}"}
        async with open_context(Settings(_env_file=None, **given)) as context:
            await _fill(context.database, subscribers, milliseconds(context.now()))
            edition = factories.edition(listed=factories.papers(50))
            cards = await cards_of(context, edition, context.newsletters["daily"])
            await context.store.freeze(edition, pack(cards), context.now())
        plain, full = await page_times(given, subscribers, requests, port)
    print(f"{subscribers:,} subscribers: an empty page {plain:.1f} ms, the manage page {full:.1f} ms at the median")
    print(f"ratio {full / plain:.1f}")


async def page_times(given: Mapping[str, Any], subscribers: int, requests: int, port: int = 0) -> tuple[float, float]:
    """The medians of an empty page and of the manage page, in milliseconds, from a web app with these settings."""
    port = port or free_port()
    environment = os.environ | {f"PAPERROUND_{name.upper()}": str(value) for name, value in given.items()}
    command = [sys.executable, "-m", "flows", "web", "--port", str(port)]
    web = await asyncio.create_subprocess_exec(*command, env=environment)
    now = dt.datetime.now(dt.UTC)
    try:
        return await _measure(port, subscribers, requests, lambda one: sign(Purpose.MANAGE, one, KEY.encode(), now))
    finally:
        web.terminate()
        await web.wait()


async def _fill(database: Database, count: int, now: int) -> None:
    async with database.write() as connection:
        await connection.execute(sa.text(_PEOPLE), {"count": count, "now": now})
        await connection.execute(sa.text(_SUBSCRIPTIONS), {"now": now})


async def _measure(port: int, subscribers: int, requests: int, token: Callable[[int], str]) -> tuple[float, float]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as browser:
        await _until_up(browser)
        chosen = random.Random(1)
        empty, manage = [], []
        for _ in range(requests):
            empty.append(await _seconds(browser, "/healthz"))
            manage.append(await _seconds(browser, f"/manage/{token(chosen.randint(1, subscribers))}"))
    plain, full = (1000 * statistics.median(times[len(times) // 10 :]) for times in (empty, manage))
    return plain, full


async def _until_up(browser: httpx.AsyncClient) -> None:
    while True:
        try:
            await browser.get("/healthz")
            return
        except httpx.TransportError:
            await asyncio.sleep(0.2)


async def _seconds(browser: httpx.AsyncClient, path: str) -> float:
    start = time.perf_counter()
    answer = await browser.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return time.perf_counter() - start


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--subscribers", type=int, default=1_000_000)
    options.add_argument("--requests", type=int, default=300)
    chosen = options.parse_args()
    asyncio.run(main(chosen.subscribers, chosen.requests))
