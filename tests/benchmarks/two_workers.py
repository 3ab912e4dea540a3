"""One list over several machines: a Prefect server with a process work pool, PostgreSQL, and two workers, each in a
network namespace of its own; a mail server that answers 20 ms late.

    python -m tests.benchmarks.two_workers [--readers N] [--late MS] [--connections N] [--only SCENE]

An edition goes to all readers for each scene. *One*: the run `deliver` alone. *Two*: it and a share on a worker; their
pace while both are at work is compared with the first. *Killed*: it and a share on each worker, one of which is killed
with all its processes at a quarter of the list, while the other's network is down for a minute; every reader must have
got the edition once. *Cancelled*: in the middle. Needs Linux, root and `ip`; PostgreSQL does not sync to the disk.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from flows.context import open_context
from flows.mail.cards import pack
from flows.pipeline import cards_of
from flows.storage.editions import Frozen
from subscribers.tables import delivery
from tests import factories
from tests.conftest import free_port, own_postgresql
from tests.many_readers import many_readers
from tests.prefect_server import ROOT, prefect_server
from tests.running_processes import processes_of
from tests.shares.homes import KEYS, Homes

WORKERS = {"second": "10.201.1", "third": "10.201.2"}
"""The machines with a worker, and the network between each and this one."""
CUT = 60.0
LONGEST = 3600.0


@dataclass
class Sink:
    """Takes every mail, and answers so many seconds late, as a server far away does."""

    late: float
    port: int = 0
    taken: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Session(self), "0.0.0.0", 0)  # for the namespaces too
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        if self._server:
            self._server.close()

    def begin(self) -> None:
        self.taken.clear()
        self.times.clear()

    def pace(self, since: float, until: float) -> float:
        """Messages a second between two times."""
        return sum(since <= at < until for at in self.times) / max(until - since, 0.001)


class _Session(asyncio.Protocol):
    def __init__(self, sink: Sink) -> None:
        self._sink, self._buffer, self._in_content, self._reader = sink, bytearray(), False, ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._answer(b"220 far away\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        answers = b"".join(iter(self._next, b""))
        if answers:
            self._answer(answers)

    def _answer(self, answers: bytes) -> None:
        asyncio.get_running_loop().call_later(self._sink.late, self._transport.write, answers)

    def _next(self) -> bytes:
        """The answer to what has come whole; empty: nothing has."""
        end = b"\r\n.\r\n" if self._in_content else b"\r\n"
        found = self._buffer.find(end)
        if found < 0:
            return b""
        line = bytes(self._buffer[: min(found, 400)])
        del self._buffer[: found + len(end)]
        if self._in_content:
            self._in_content = False
            self._sink.taken[self._reader] += 1
            self._sink.times.append(time.monotonic())
            return b"250 2.0.0 taken\r\n"
        match line[:4].upper():
            case b"EHLO":
                return b"250-far away\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"
            case b"RCPT":
                self._reader = line.decode().partition("<")[2].partition(">")[0]
            case b"DATA":
                self._in_content = True
                return b"354 go on\r\n"
            case b"QUIT":
                return b"221 2.0.0 bye\r\n"
        return b"250 2.0.0 ok\r\n"


async def forward(host: str, port: int) -> asyncio.Server:
    """What listens on this machine's loopback, for a namespace that sees this machine by another address."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inward, outward = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, outward), pump(inward, writer))

    return await asyncio.start_server(met, host, port)


def network(name: str, addresses: str) -> Callable[[], None]:
    """A network namespace with a wire to this machine; gives what takes it away."""
    link = f"pr-{name}"
    for command in (
        f"ip netns add {name}",
        f"ip link add {link} type veth peer name {link}-in",
        f"ip link set {link}-in netns {name}",
        f"ip addr add {addresses}.1/24 dev {link}",
        f"ip link set {link} up",
        f"ip netns exec {name} ip addr add {addresses}.2/24 dev {link}-in",
        f"ip netns exec {name} ip link set {link}-in up",
        f"ip netns exec {name} ip link set lo up",
    ):
        subprocess.run(command.split(), check=True)

    def remove() -> None:
        subprocess.run(["ip", "netns", "del", name], check=False)

    return remove


async def wire(name: str, state: str) -> None:
    """Cuts a namespace off, or connects it again."""
    process = await asyncio.create_subprocess_exec("ip", "link", "set", f"pr-{name}", state)
    assert await process.wait() == 0


@dataclass(kw_only=True)
class Machines(Homes):
    """The list that they share, and where its mail goes."""

    sink: Sink
    readers: int

    async def freeze(self, day: dt.date) -> Frozen:
        self.sink.begin()
        async with open_context(self.settings) as context:
            edition = factories.edition(listed=factories.papers(23), topics=context.topics[:10], day=day)
            cards = await cards_of(context, edition, context.newsletters["daily"])
            return await context.store.freeze(edition, pack(cards), context.now())

    async def until(self, what: Callable[[], Awaitable[bool] | bool], process: subprocess.Popen[bytes]) -> None:
        began = time.monotonic()
        while True:
            found = what()
            if found if isinstance(found, bool) else await found:
                return
            if process.poll() is not None or time.monotonic() - began > LONGEST:
                sys.exit(f"It ended early, or takes too long: {self.log('first')[-3000:]}")
            await asyncio.sleep(0.2)

    async def shares_at_work(self, number: int) -> bool:
        runs = await asyncio.to_thread(self.prefect.runs, "deliver-share")
        return [run["state"]["type"] for run in runs].count("RUNNING") >= number


@asynccontextmanager
async def machines(readers: int, late: float, connections: int) -> AsyncIterator[Machines]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(own_postgresql())
        if server is None:
            sys.exit("No PostgreSQL was found: install its programs.")
        (folder / "server").mkdir()
        prefect = stack.enter_context(prefect_server(folder / "server", free_port()))
        prefect.command("work-pool", "create", "paperround", "--type", "process")
        prefect.command("deploy", "--all", "--prefect-file", str(ROOT / "prefect.yaml"))
        sink = Sink(late)
        await sink.start()
        stack.callback(sink.stop)
        ports = [int(url.rpartition(":")[2].partition("/")[0]) for url in (server.url, prefect.api)]
        for name, addresses in WORKERS.items():
            stack.callback(network(name, addresses))
            for port in ports:
                stack.callback((await forward(f"{addresses}.1", port)).close)
        given: dict[str, Any] = {
            "database_url": server.url,
            "mail_url": f"smtp://127.0.0.1:{sink.port}",
            "mail_connections": connections,
            **KEYS,
            "sender": "Paperround <digest@example.org>",
            "public_url": "https://papers.example.org",
            "postal_address": "1 Example Street, Sampletown",
        }
        seen = {home: f"{addresses}.1" for home, addresses in WORKERS.items()}
        made = Machines(prefect=prefect, folder=folder, given=given, namespaces=seen, sink=sink, readers=readers)
        async with open_context(made.settings) as context, context.database.write() as connection:
            keywords = """CASE id % 5 WHEN 0 THEN '["tensor ' || id || '"]' ELSE '[]' END"""
            await many_readers(connection, readers, context.now(), domains=50, keywords=keywords)
        try:
            yield made
        finally:
            for pid in processes_of(folder):
                if pid not in (os.getpid(), *processes_of(folder / "server")):
                    os.kill(pid, signal.SIGTERM)
            await asyncio.to_thread(made.started.close)


async def one(made: Machines) -> float:
    frozen = await made.freeze(factories.DAY)
    delivering = made.deliver(frozen.edition.day, work_pool="")
    await made.until(lambda: made.sink.taken.total() >= made.readers, delivering)
    await asyncio.to_thread(delivering.wait)
    first, last = made.sink.times[0], made.sink.times[-1]
    pace = made.sink.pace(first + 5, last)
    print(
        f"one: {made.readers:,} readers in {last - first:.0f} s, {pace:,.0f} a second; {await told(made, frozen)}",
        flush=True,
    )
    return pace


async def two(made: Machines) -> float:
    frozen = await made.freeze(factories.DAY + dt.timedelta(days=1))
    delivering = made.deliver(frozen.edition.day, mail_shares=1, work_pool="paperround")
    await made.until(lambda: made.shares_at_work(1), delivering)
    await asyncio.sleep(15)  # until it has claimed something, and sends
    since = time.monotonic()
    await made.until(lambda: made.sink.taken.total() >= 0.95 * made.readers, delivering)
    pace = made.sink.pace(since, time.monotonic())
    await asyncio.to_thread(delivering.wait)
    first, last = made.sink.times[0], made.sink.times[-1]
    took = f"{made.readers:,} readers in {last - first:.0f} s, the share's start among them"
    print(f"two: {took}; {pace:,.0f} a second while both are at work; {await told(made, frozen)}", flush=True)
    return pace


async def killed(made: Machines) -> None:
    frozen = await made.freeze(factories.DAY + dt.timedelta(days=2))
    delivering = made.deliver(frozen.edition.day, mail_shares=2, work_pool="paperround")
    await made.until(lambda: made.shares_at_work(2), delivering)
    await made.until(lambda: made.sink.taken.total() >= made.readers // 4, delivering)
    at, began = made.sink.taken.total(), made.sink.times[0]
    await wire("second", "down")
    for pid in processes_of(made.folder / "third"):
        os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(CUT)
    meanwhile = made.sink.taken.total() - at
    await wire("second", "up")
    code = await asyncio.to_thread(delivering.wait)
    print(
        f"killed: at {at:,} one worker was killed and the other cut off; {meanwhile:,} were served in the minute; all "
        f"in {time.monotonic() - began:.0f} s, status {code}; {await told(made, frozen)}",
        flush=True,
    )
    print("  shares:", dict(Counter(run["state"]["type"] for run in made.prefect.runs("deliver-share"))))


async def cancelled(made: Machines) -> None:
    frozen = await made.freeze(factories.DAY + dt.timedelta(days=3))
    delivering = made.deliver(frozen.edition.day, mail_shares=1, work_pool="paperround")
    await made.until(lambda: made.sink.taken.total() >= made.readers // 10, delivering)
    parent = max(made.prefect.runs("deliver"), key=lambda run: str(run["created"]))
    began = time.monotonic()
    made.prefect.ask("POST", f"/flow_runs/{parent['id']}/set_state", {"state": {"type": "CANCELLING"}})
    before = -1
    while before != made.sink.taken.total():
        before = made.sink.taken.total()
        await asyncio.sleep(2)
    print(f"cancelled: all quiet after {time.monotonic() - began - 2:.0f} s; {await told(made, frozen)}", flush=True)
    delivering.terminate()


async def told(made: Machines, frozen: Frozen) -> str:
    """How the ledger and the mail server say it ended."""
    states = await made.states(frozen)
    async with open_context(made.settings) as context, context.database.read() as connection:
        tried = sa.select(sa.func.count()).where(delivery.c.edition_id == frozen.id, delivery.c.attempts > 1)
        again = await connection.scalar(tried)
    said = ", ".join(f"{count:,} {state}" for state, count in sorted(states.items()))
    twice = sum(number > 1 for number in made.sink.taken.values())
    return f"{said}; the server has {len(made.sink.taken):,} readers, {twice} of them twice, {again} tried again"


async def main(given: argparse.Namespace) -> None:
    async with machines(given.readers, given.late / 1000, given.connections) as made:
        wanted = given.only or ["one", "two", "killed", "cancelled"]
        alone = await one(made) if "one" in wanted else 0.0
        made.worker("second")
        both = await two(made) if "two" in wanted else 0.0
        if alone and both:
            print(f"two are {both / alone:.2f} times as fast as one")
        made.worker("third")
        if "killed" in wanted:
            await killed(made)
        if "cancelled" in wanted:
            await cancelled(made)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--readers", type=int, default=100_000)
    options.add_argument("--late", type=float, default=20, help="milliseconds")
    options.add_argument("--connections", type=int, default=10)
    options.add_argument("--only", action="append", choices=["one", "two", "killed", "cancelled"])
    asyncio.run(main(options.parse_args()))
