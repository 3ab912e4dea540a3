"""Whether this machine's clock can be believed: held against the database's, against what was recorded, and against the
time that the machine has run. A clock that jumped makes days: mail leaves early, late, or not at all."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from flows.storage.database import Database
from subscribers.ledger import clocks

FILE = "clock"
"""In the home folder: what the clock showed when it was last looked at."""
TOLD_FOR = dt.timedelta(days=7)
"""How long the doctor speaks of a jump."""
_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the clock, in seconds."""

    boot: str
    """Another one for each start of the machine; empty where it does not say."""
    running: float
    """Since that start, sleep included."""
    wall: float
    jump: float = 0.0
    """The last jump that was seen, and what the clock showed then."""
    jumped_at: float = 0.0

    def after(self, before: Seen | None) -> Seen:
        """This look, with the jump since the one before, or the last that is known. Between two starts of a machine a
        jump can't be told from the time that it was off."""
        if before is None:
            return self
        jump, at = before.jump, before.jumped_at
        if self.boot and self.boot == before.boot:
            by = (self.wall - before.wall) - (self.running - before.running)
            if abs(by) > clocks.SLACK.total_seconds():
                jump, at = by, self.wall
        return Seen(self.boot, self.running, self.wall, jump, at)


def look() -> Seen:
    """This machine's clock as it is now."""
    boot, running = "", time.monotonic()
    if hasattr(time, "CLOCK_BOOTTIME"):
        running = time.clock_gettime(time.CLOCK_BOOTTIME)
        with contextlib.suppress(OSError):
            boot = _BOOT.read_text().strip()
    return Seen(boot, running, time.time())


def remembered(home: Path) -> Seen | None:
    """The last look that was kept."""
    try:
        kept = json.loads((home / FILE).read_text())
        numbers = (float(kept[name]) for name in ("running", "wall", "jump", "jumped_at"))
        return Seen(str(kept["boot"]), *numbers)
    except (OSError, ValueError, TypeError, KeyError):
        return None  # it is made anew


def remember(home: Path, seen: Seen) -> None:
    """Keeps a look for the next one, for the owner of the home folder alone. Where it can't be, there is none."""
    with contextlib.suppress(OSError):
        part = home / f".{FILE}.{os.getpid()}"
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(seen), file)
        part.replace(home / FILE)


async def against_the_database(database: Database, now: dt.datetime, machine: dt.datetime) -> list[str]:
    """What is wrong by the database's clock and by what it holds, in sentences."""
    found = []
    ahead = await clocks.ahead(database, machine)
    if abs(ahead) > clocks.SLACK:
        found.append(f"This machine's clock and the database's differ by {hours(ahead)}: set both by a time server.")
    last = await clocks.last_recorded(database)
    if last is not None and last > now + clocks.SLACK:
        found.append(
            f"What was recorded last is of {last:%Y-%m-%d %H:%M} UTC, {hours(last - now)} from now: this machine's "
            "clock is slow, or one was fast then. Set it by a time server."
        )
    return found


def told(seen: Seen, within: dt.timedelta = dt.timedelta(0)) -> list[str]:
    """The jump of a look, in a sentence, if it was seen by this look or `within` so long before it."""
    if not seen.jump or not 0 <= seen.wall - seen.jumped_at <= within.total_seconds():
        return []
    at = dt.datetime.fromtimestamp(seen.jumped_at, dt.UTC)
    by = hours(dt.timedelta(seconds=seen.jump))
    return [
        f"This machine's clock jumped by {by} some time before {at:%Y-%m-%d %H:%M} UTC: look whether it is right, and "
        "set it by a time server."
    ]


def hours(span: dt.timedelta) -> str:
    """A span in words; it has a sign."""
    return f"{span / dt.timedelta(hours=1):+.1f} hours"
