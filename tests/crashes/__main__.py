"""All crashes, and whether a promise was broken by one: it ends with status 1 then.

    python -m tests.crashes [--every N] [--kills N] [--failures N] [--readers N] [--seed N]

A process dies before every step of a small delivery, in two ways, talking to its server in three manners; processes
are killed at random moments until the delivery is over; the power fails; two processes share a large edition, and one
of them is killed; and while a process lives its database goes away: restarted, locked, out of disk. On SQLite, and on
PostgreSQL where its programs are found.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.conftest import PostgresqlServer, own_postgresql
from tests.crashes import chosen, kills, outages, pairs, power
from tests.crashes.audit import Audit
from tests.crashes.chosen import Death, Manner
from tests.crashes.copies import database_of
from tests.crashes.points import Point, known
from tests.crashes.trace import can_trace
from tests.crashes.victims import How

EVERY = {Manner.GROUPED: 1, Manner.SINGLE: 2, Manner.PACED: 4}
"""Each step, or one of so many, since most are the same in all manners."""


@dataclass
class Total:
    """What all crashes together came to."""

    crashes: Counter[str] = field(default_factory=Counter)
    audits: list[Audit] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def add(self, kind: str, audit: Audit) -> None:
        if audit.crashes:
            self.crashes[kind] += audit.crashes
        self.audits.append(audit)
        for words in audit.broken:
            self.broken.append(f"{kind}: {words}")
            print(f"BROKEN {kind}: {words}", flush=True)

    def sentences(self) -> Iterator[str]:
        under_way = {
            connections: max(audit.most for audit in self.audits if audit.connections == connections)
            for connections in sorted({audit.connections for audit in self.audits})
        }
        yield f"{sum(self.crashes.values()):6} crashes"
        for kind, number in self.crashes.items():
            yield f"{number:6}   {kind}"
        yield f"{sum(audit.lost for audit in self.audits):6} readers lost"
        yield f"{sum(audit.doubles for audit in self.audits):6} second messages under the same Message-ID"
        yield f"{sum(audit.strange for audit in self.audits):6} second messages under another"
        yield f"{sum(audit.repeats for audit in self.audits):6} second messages since the server had not answered"
        for connections, most in under_way.items():
            yield f"{most:6} deliveries uncertain after a crash, at most, on {connections} connections"
        yield f"{sum(audit.disagreeing for audit in self.audits):6} rows that disagree with the mail server"
        yield f"{len(self.broken):6} promises broken"


async def everything(options: argparse.Namespace, postgresql: PostgresqlServer | None, folder: Path) -> Total:
    total, random = Total(), Random(options.seed)
    server = None if postgresql is None else postgresql.url
    databases = {"SQLite": f"sqlite+aiosqlite:///{folder}/{{}}.db"}
    if server is None:
        print("There are no PostgreSQL programs on this machine: SQLite alone.")
    else:
        databases["PostgreSQL"] = server.removesuffix("postgres") + "{}"
        for name in ("small", "many", "pair"):
            await database_of(server, name)
    for name, url in databases.items():
        await _chosen(total, name, url.format("small"), options.every * (1 if name == "SQLite" else 4))
        await _kills(total, name, url.format("many"), options.kills, random)
    await _power(total, folder, options.failures, random)
    for name, url in databases.items():
        number = options.readers if name == "PostgreSQL" else max(options.readers // 10, 500)
        shared = await pairs.share(url.format("pair"), number)
        total.add(f"of one of two processes, on {name}", shared.audit)
        print(
            f"{name}: two processes, {number} readers, one killed at {shared.half}; {shared.seconds:.0f} s", flush=True
        )
    await _outages(total, postgresql, folder, options.outages, random)
    return total


async def _outages(total: Total, postgresql: PostgresqlServer | None, folder: Path, times: int, random: Random) -> None:
    """The process lives, and nothing may be in doubt afterwards."""
    ended = {"SQLite, locked": await outages.locked(folder, 3_000, 3 * times)}
    with outages.small_disk(folder, 16_000) as disk:
        if disk is None:
            print("A disk of its own can't be made here: none is filled.")
        else:
            ended["SQLite, its disk full"] = await outages.full(disk, 3_000, max(times // 2, 1))
    if postgresql is not None:
        ended["PostgreSQL, restarted"] = await outages.restarted(postgresql, 300 * times, times, random)
    for what, outcome in ended.items():
        print(f"{what}: {outcome}", flush=True)
        if outcome.broken:
            total.broken.append(f"{what}: {outcome}")


async def _chosen(total: Total, name: str, url: str, every: int) -> None:
    """PostgreSQL's changes are under way to another process, which does with them as it happens."""
    hows = list(How) if name == "SQLite" else [How.CUT]
    waited: dict[Point, Manner] = {}
    died: set[Point] = set()

    async def die(kind: str, deaths: Iterable[Death]) -> None:
        async for one in chosen.walk(url, deaths):
            total.add(f"{kind}, on {name}", one.audit)
            if not one.over:
                died.update(one.points)

    await chosen.begin(url)
    for manner in Manner:
        whole = await chosen.die_and_go_on(url, Death(None, manner=manner))
        total.add("", whole.audit)
        waited |= dict.fromkeys(whole.points, manner)
        steps = range(1, whole.steps, every * EVERY[manner])
        deaths = (Death(step, hows[number % len(hows)], manner) for number, step in enumerate(steps))
        await die(f"before a chosen step, {manner}", deaths)
    passed = waited.keys() - died
    await die("at a point that the steps passed over", [Death(at, how, waited[at]) for at in passed for how in hows])
    missing = waited.keys() - died
    print(
        f"{name}: died at {len(died)} await points of {len(known())} in the source, {len(waited.keys() & died)} of the "
        f"{len(waited)} at which an undisturbed delivery waited",
        *(f"       not at {module}, line {line}" for module, line in sorted(missing)),
        sep="\n",
        flush=True,
    )


async def _kills(total: Total, name: str, url: str, wanted: int, random: Random) -> None:
    await kills.begin(url, 300)
    done = 0
    while done < wanted:
        audit = await kills.kill_until_over(url, 300, random, at_most=wanted - done)
        total.add(f"at a random moment, on {name}", audit)
        done += audit.crashes


async def _power(total: Total, folder: Path, failures: int, random: Random) -> None:
    if not can_trace():
        print("There is no strace, or it may not trace: no power failures.")
        return
    run = await power.trace(folder, 100)
    found = power.judge(run, random)
    total.broken += found.broken
    print(
        f"Power: {found.left} messages left and {found.confirmed} changes were confirmed, "
        f"{len(found.broken)} times without being on the disk"
    )
    for _ in range(failures):
        total.add("of the power supply, on SQLite", await power.go_on_after(run, random))


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--every", type=int, default=1, help="of the chosen steps one of so many")
    options.add_argument("--kills", type=int, default=50, help="at random moments, on each database")
    options.add_argument("--failures", type=int, default=20, help="of the power supply")
    options.add_argument("--readers", type=int, default=50_000, help="of the shared edition; on SQLite a tenth")
    options.add_argument(
        "--outages", type=int, default=20, help="restarts of PostgreSQL; SQLite is locked thrice as long"
    )
    options.add_argument("--seed", type=int, default=1)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="paperround-crashes-") as folder, own_postgresql() as server:
        total = asyncio.run(everything(options.parse_args(), server, Path(folder)))
    print("\n".join(total.sentences()))
    print(f"{time.monotonic() - began:6.0f} seconds")
    return 1 if total.broken else 0


if __name__ == "__main__":
    sys.exit(main())
