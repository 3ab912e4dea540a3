"""How fast mail may leave: a pace for all, one for each domain that wants its own, slower while a server complains.

Where workers share a limit, its turns are granted from outside, some at a time. No clock: the time is handed in.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from flows.outcomes import Outcome, Stage, Verdict

COMPLAINTS = 5
"""More of a domain's last replies than this were 4xx 4.7.x: it wants less. One greylisted reader slows nobody."""
REMEMBERED = 100
"""How many replies of a domain are remembered."""
FEW = 10
"""After fewer replies nobody knows how fast it went."""
AGAIN = 9.0
"""Seconds in which further complaints are about what had left before the first one was heard."""
RECOVERY = 10.0
"""Seconds without a complaint after which it goes faster again, by half."""
FREE = 4
"""At so many times the pace of the last complaint it goes as fast as it can again."""
SLOWEST = 5.0
"""Messages a second, however much a server complains."""

BLOCK = 0.5
"""Turns that workers share are asked for in blocks that last so many seconds."""
EXPIRED = 1.0
"""Seconds after which a turn that nobody took is lost: what was not sent is not made up for in a rush."""
SOON = 0.05
"""Seconds after which to look again, where it is not known when a turn comes."""

_LIMIT = re.compile(
    r"(?P<domain>[\w.-]+)\s*=\s*(?:(?P<rate>\d+(?:\.\d+)?)\s*/\s*s)?\s*,?\s*(?:(?P<connections>\d+)\s+connections?)?"
)


@dataclass(frozen=True, slots=True)
class Limit:
    """Messages a second, and connections at a time, to one domain; 0: no limit."""

    rate: float = 0.0
    connections: int = 0

    def divided(self, share: int) -> Limit:
        """The limit of one of so many processes, which have turns in common but not their connections."""
        return replace(self, connections=max(1, self.connections // share) if self.connections else 0)


def read_limits(text: str) -> dict[str, Limit]:
    """Reads lines, or parts between semicolons, such as `gmail.com = 20/s, 5 connections`; raises ValueError."""
    limits = {}
    for part in (part.strip() for part in re.split(r"[;\n]", text)):
        if not part:
            continue
        found = _LIMIT.fullmatch(part)
        if found is None or not (found["rate"] or found["connections"]):
            raise ValueError(f"has {part[:60]!r}: write it as `gmail.com = 20/s, 5 connections`, several joined by ;")
        limit = Limit(float(found["rate"] or 0), int(found["connections"] or 0))
        if not (limit.rate or limit.connections):
            raise ValueError(f"has {part[:60]!r}, which would send nothing: leave the domain out, or name a number")
        limits[found["domain"].lower()] = limit
    return limits


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


@dataclass(slots=True, eq=False)
class Flow:
    """What leaves for one place, and how the place takes it."""

    limit: Limit = Limit()
    place: str = ""
    """The domain; empty: all together."""
    ask: Callable[[Flow], None] | None = None
    """Asks for a block of turns, which `grant` brings, where workers share the limit's rate; None: they don't."""
    under_way: int = 0
    _slowed: float = 0.0
    """Messages a second while the server complains; 0: it does not."""
    _complained: float = 0.0
    """The pace at the last complaint."""
    _raised_at: float = 0.0
    _next: float = 0.0
    _granted: deque[float] = field(default_factory=deque)
    _asked: bool = False
    _complaints: deque[bool] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _heard: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    @property
    def limited(self) -> bool:
        return bool(self.limit.rate or self.limit.connections or self._slowed)

    @property
    def rate(self) -> float:
        """Messages a second at present; 0: as many as there are."""
        if self.limit.rate and self._slowed:
            return min(self.limit.rate, self._slowed)
        return self.limit.rate or self._slowed

    @property
    def block(self) -> int:
        """How many turns are asked for at a time."""
        return max(1, int(self.limit.rate * BLOCK))

    @property
    def _shared(self) -> bool:
        return self.ask is not None and self.limit.rate > 0

    def grant(self, first: float, turns: int) -> None:
        """Brings turns that were asked for, the first of them at that time."""
        self._asked = False
        self._granted.extend([first + n / self.limit.rate for n in range(turns)])

    def wait(self, now: float) -> float:
        """Seconds until the next message may leave, or until it is known; 0: now."""
        if self.limit.connections and self.under_way >= self.limit.connections:
            return SOON
        if not self.rate:
            return 0.0
        turn = self._turn(now)
        return SOON if turn is None else max(turn - now, 0.0)

    def take(self, now: float) -> float | None:
        """Takes a turn, which may lie ahead; returns how many seconds. None: there is none yet."""
        if self._slowed and now - self._raised_at > RECOVERY:
            self._raised_at = now
            self._slowed *= 1.5
            if self._slowed > FREE * self._complained:
                self._slowed = 0.0
        if not self.rate:
            return 0.0
        turn = self._turn(now)
        if turn is None:
            return None
        if self._shared:
            self._granted.popleft()
        self._next = turn + 1 / self.rate
        return turn - now

    def back(self, now: float) -> None:
        """Gives back the turn that was taken last: nothing has left."""
        self._next = min(self._next, now)
        if self._shared:
            self._granted.appendleft(now)

    def _turn(self, now: float) -> float | None:
        """When the next message may leave; None: that has been asked for."""
        if self.ask is None or not self.limit.rate:
            return max(self._next, now)
        granted = self._granted
        while granted and granted[0] < now - EXPIRED:
            granted.popleft()
        if len(granted) <= self.block // 2 and not self._asked:
            self._asked = True
            self.ask(self)
        return max(granted[0], self._next, now) if granted else None

    def heard(self, now: float, *, complaint: bool) -> bool:
        """A reply; True: there were so many complaints that it goes slower now."""
        self._heard.append(now)
        self._complaints.append(complaint)
        if complaint and sum(self._complaints) > COMPLAINTS:
            return self.slow(now)
        return False

    def slow(self, now: float) -> bool:
        """The server wants less: half of what it got of late. False: it has been said already."""
        if self._slowed and now - self._raised_at < AGAIN:
            return False
        if len(self._heard) < FEW:
            return False
        present = len(self._heard) / max(now - self._heard[0], 0.001)
        if self.rate:
            present = min(present, self.rate)
        self._complained = present
        self._slowed = max(present / 2, SLOWEST)
        self._raised_at = now
        self._complaints.clear()
        return True


class Pace:
    """The pace of one courier. With `ask`, it shares the rates of its limits with others."""

    def __init__(
        self,
        rate: float = 0,
        limits: Mapping[str, Limit] | None = None,
        ask: Callable[[Flow], None] | None = None,
    ) -> None:
        self.all = Flow(Limit(rate), ask=ask)
        self._flows = {domain: Flow(limit, domain, ask) for domain, limit in (limits or {}).items()}

    def flow(self, domain: str) -> Flow:
        flow = self._flows.get(domain)
        if flow is None:
            flow = self._flows[domain] = Flow(place=domain)
        return flow

    def heard(self, domain: str, outcome: Outcome, now: float) -> bool:
        """What a reply says about the pace; True: something goes slower now."""
        if outcome.code is None:
            return False
        self.all.heard(now, complaint=False)
        if outcome.code == 421 and outcome.stage is Stage.CONTENT:
            self.all.slow(now)
        busy = outcome.verdict is Verdict.DEFERRED and (outcome.status or "").startswith("4.7.")
        return self.flow(domain).heard(now, complaint=busy)
