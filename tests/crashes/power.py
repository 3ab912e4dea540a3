"""A lost power supply: what the ledger has confirmed is on the disk, and no content leaves before its mark is.

A delivery is traced. From its calls the disk is rebuilt as a power failure would leave it at each moment at which a
message's content begins to leave or the ledger confirms something, and SQLite is asked what it finds there; at some
moments the delivery then goes on with it.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from flows.storage.database import connect
from subscribers.model import DeliveryState
from tests.crashes.audit import SENT, Audit, ledger
from tests.crashes.disk import Disk, Images
from tests.crashes.scene import Place, go_on, opened, prepare
from tests.crashes.trace import Call, Left, Said, Written, traced
from tests.sending.smtp import MailServer, Taken, mail_server

_IDENTITY = re.compile(rb"^Message-ID: <(.*\.(\d+)@.*)>", re.M)
_RANK = [DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.SENT]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A delivery to the end, and all that it did."""

    folder: Path
    before: Images
    after: Images
    calls: Sequence[Call]
    taken: Sequence[Taken]
    addresses: Sequence[str]


@dataclass(slots=True)
class Power:
    """What was found."""

    left: int = 0
    """Contents that left."""
    confirmed: int = 0
    """Changes that the ledger confirmed."""
    broken: list[str] = field(default_factory=list)


async def trace(folder: Path, number: int) -> Traced:
    """Delivers to so many readers under strace, on a SQLite file in the folder."""
    home = folder / "disk"
    home.mkdir()
    url, addresses = f"sqlite+aiosqlite:///{home}/ready.db", [f"reader-{n}@example.org" for n in range(number)]
    database = connect(url)
    try:
        await prepare(database, addresses)
    finally:
        await database.close()
    before = _images(home)
    async with mail_server(MailServer(per_connection=20)) as server:
        told = str(folder / "told")
        calls = await traced(folder / "trace", "tests.crashes.telling", url, str(server.port), told)
        return Traced(
            folder=folder,
            before=before,
            after=_images(home),
            calls=calls,
            taken=list(server.taken),
            addresses=addresses,
        )


def _images(home: Path) -> Images:
    return {str(file): file.read_bytes() for file in home.iterdir()}


def judge(run: Traced, random: Random) -> Power:
    """Whether what left and what was confirmed was on the disk before, whatever else the power failure left there."""
    power = Power()
    disk = Disk(str(run.folder / "disk"), run.before)
    for call in run.calls:
        if (claim := _claim(call)) is not None:
            state, reader = claim
            power.left += isinstance(call, Left)
            power.confirmed += isinstance(call, Said)
            for images in (disk.after_power_loss(), disk.after_power_loss(random)):
                found = _states(images).get(reader)
                if found is None or _RANK.index(found) < _RANK.index(state):
                    power.broken.append(f"delivery {reader} was {state} to the world and is {found} on the disk")
        disk.does(call)
    if power.left != len(run.taken):
        power.broken.append(f"{len(run.taken)} messages were taken, and {power.left} seen to leave")
    if disk.now() != run.after:
        power.broken.append("the files are others than the calls have made")
    return power


def _claim(call: Call) -> tuple[DeliveryState, int] | None:
    """What a call tells the world: the state that a delivery must be known to have, at least."""
    match call:
        case Left(content=content) if found := _IDENTITY.search(content):
            return DeliveryState.SENDING, int(found[2])
        case Said(file=file, content=content) if file.endswith("/told"):
            state, reader = content.split()
            return DeliveryState(state.decode()), int(reader)
    return None


def _states(images: Images) -> Mapping[int, DeliveryState]:
    """What SQLite finds on a disk."""
    with tempfile.TemporaryDirectory() as folder, sqlite3.connect(_write(images, Path(folder))) as connection:
        rows = connection.execute("SELECT subscription_id, state FROM delivery").fetchall()
    connection.close()
    return {reader: DeliveryState(state) for reader, state in rows}


def _write(images: Images, folder: Path) -> Path:
    for file, content in images.items():
        (folder / Path(file).name).write_bytes(content)
    return folder / "ready.db"


async def go_on_after(run: Traced, random: Random) -> Audit:
    """The power fails at a random moment; the delivery goes on with what is on the disk."""
    writes = [at for at, call in enumerate(run.calls) if isinstance(call, Written)]
    disk, moment = Disk(str(run.folder / "disk"), run.before), random.randint(writes[0], writes[-1] + 1)
    gone: set[str] = set()
    for call in run.calls[:moment]:
        disk.does(call)
        if isinstance(call, Left) and (found := _IDENTITY.search(call.content)):
            gone.add(found[1].decode())
    with tempfile.TemporaryDirectory() as folder:
        file = _write(disk.after_power_loss(random), Path(folder))
        # each that had begun to leave may have come to its end: the worst for who must not get it twice
        taken = [message for message in run.taken if message.message_id in gone]
        async with mail_server(MailServer(taken=taken)) as server:
            place = Place(database=f"sqlite+aiosqlite:///{file}", port=server.port, lease=60, final_reply=0.3)
            audit = Audit(connections=place.connections)
            async with opened(place) as heir:
                audit.crashed(await ledger(heir.database), list(taken))
                await go_on(heir)
                sent = dict.fromkeys(run.addresses, SENT)
                audit.ended(await ledger(heir.database), server.taken, sent)
    return audit
