"""A large list under a day's limit, or a warm-up, with a clock that is set forward: `python -m tests.benchmarks.quota
[READERS] [RATE] [WARM_UP]`. It prints how the days went, and fails if somebody gets it twice or a window is overrun."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

from flows.storage.database import connect, migrate
from flows.turns import DAY
from tests.delivery.test_quotas import days, most_in, sent_at
from tests.delivery.test_run import NOON, SENT, Scene
from tests.sending.smtp import mail_server


async def main(readers: int = 100_000, rate: str = "20000/day", warm_up: str = "") -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = connect(f"sqlite+aiosqlite:///{folder}/quota.db")
        await migrate(database)
        async with mail_server() as server:
            scene = Scene(database, Path(folder), server)
            scene.with_settings(mail_rate=rate, mail_warm_up=warm_up)
            for hour in range(24):
                mine = [f"reader-{n}@domain-{n % 400}.example" for n in range(hour, readers, 24)]
                for start in range(0, len(mine), 5000):
                    await scene.subscribe(*mine[start : start + 5000], hour=hour)
            await scene.begin()
            began = time.monotonic()
            delivered = await days(scene, 20)
            took = time.monotonic() - began
            found = await sent_at(scene)
            times = [at for at, _, _ in found]
            by_day = Counter((at - NOON) // timedelta(days=1) for at in times)
            kept = sum(
                at - NOON - timedelta(hours=(hour - NOON.hour - 1) % 24 + 1) < timedelta(minutes=15)
                for at, _, hour in found
                if hour is not None
            )
            twice = sum(count > 1 for count in server.readers.values())
            print(f"{delivered.counts[SENT]:,} of {readers:,} served in {took:.0f} s")
            print(f"{twice} twice, {kept:,} at their hour")
            print("a day:", ", ".join(f"{by_day[day]:,}" for day in sorted(by_day)))
            print(f"most in 24 hours: {most_in(times, timedelta(seconds=DAY)):,}")
        await database.close()


if __name__ == "__main__":
    number, *others = sys.argv[1:] or ["100000"]
    asyncio.run(main(int(number), *others))
