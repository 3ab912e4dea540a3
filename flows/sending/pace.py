"""How fast mail may leave: a pace for all, one for each domain that wants its own, slower while a server complains.

Where workers share a limit, its turns are granted from outside, some at a time. No clock: the time is handed in.

What a sender does with it: it takes the turn of the domain and the one of all before a message, answers `ask` with
`flow.grant(now, await reserve(flow.asked()))`, and reports each reply to `heard` or `replied`. While `closed` is not 0,
a window is full and no turn comes for so long. What waits for such a domain goes back to the ledger, due in `book`
seconds; where all together is closed, everything goes back, and no more is fetched until then. At the end, what
`unsaid` gives is reserved once more: it returns turns that were not used, and the replies that nobody was told of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from flows.outcomes import Outcome, Verdict
from flows.sending.limits import NONE, Limit
from flows.turns import DAY, Asked, Granted, WarmUp

COMPLAINTS = 5
"""More of a domain's last replies than this said that it is too much: it wants less. One reader slows nobody."""
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
LARGE = 20
"""A domain that so many messages went to in one run is large: it is warmed up by itself."""
MOST_AT_A_TIME = 200
"""Turns in a block, at most: what a process that dies had asked for is lost for as long as the window."""


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


@dataclass(frozen=True, slots=True)
class Waits:
    """What a limit keeps back: how many, and in how many seconds the first of them may leave."""

    limit: str
    number: int
    seconds: float


@dataclass(slots=True, eq=False)
class Flow:
    """What leaves for one place, and how the place takes it."""

    limit: Limit = NONE
    place: str = ""
    """The domain; empty: all together."""
    ask: Callable[[Flow], None] | None = None
    """Asks for a block of turns, which `grant` brings, where workers share the limit's rate; None: they don't."""
    warm_up: WarmUp | None = None
    urgent: bool = False
    under_way: int = 0
    full: str = ""
    """The limit that has closed it, or did so last."""
    booked: int = 0
    """How many went back since it was closed."""
    gone: int = 0
    """How many went back in all."""
    _slowed: float = 0.0
    """Messages a second while the server complains; 0: it does not."""
    _complained: float = 0.0
    """The pace at the last complaint."""
    _raised_at: float = 0.0
    _next: float = 0.0
    # lists, not deques: there is a flow for each of very many domains, and an empty deque takes 0.7 kB
    _granted: list[float] = field(default_factory=list)
    _asked: bool = False
    _closed_until: float = 0.0
    _openings: tuple[tuple[float, int], ...] = ()
    """When there is room for how many more, after it was closed."""
    _large: bool = False
    _taken: int = 0
    """Messages that left before it was known that the domain is a large one."""
    _unused: int = 0
    _replies: int = 0
    _deferred: int = 0
    _complaints: list[bool] = field(default_factory=list)
    _heard: list[float] = field(default_factory=list)

    @property
    def limited(self) -> bool:
        return bool(self.limit.rate or self.limit.connections or self._slowed or self._shared)

    @property
    def rate(self) -> float:
        """Messages a second at present; 0: as many as there are."""
        if self.limit.rate and self._slowed:
            return min(self.limit.rate, self._slowed)
        return self.limit.rate or self._slowed

    @property
    def block(self) -> int:
        """How many turns are asked for at a time: not so many that others are kept from a small limit."""
        counts = [window.count for window in self.limit.windows] + ([self.warm_up.first] if self.warm_up else [])
        sizes = [min(MOST_AT_A_TIME, count // 20) for count in counts]
        if self.limit.rate:
            sizes.append(int(self.limit.rate * BLOCK))
        return max(1, min(sizes, default=1))

    @property
    def _shared(self) -> bool:
        if self.ask is None:
            return False
        if self.limit.rate or self.limit.windows:
            return True
        return self.warm_up is not None and (not self.place or self._large)

    def asked(self) -> Asked:
        """What is to be reserved: a block of turns, with what nobody has been told of yet."""
        return self._told(self.block)

    def _told(self, turns: int) -> Asked:
        told = Asked(
            self.place,
            turns,
            self.limit.rate,
            self.limit.windows,
            self.warm_up,
            unused=self._unused,
            taken=self._taken,
            replies=self._replies,
            deferred=self._deferred,
            urgent=self.urgent,
        )
        self._unused = self._replies = self._deferred = self._taken = 0
        return told

    def unsaid(self) -> Asked | None:
        """At the end: what goes back and what was heard, to be reserved with no turns; None: nothing."""
        if not (self.limit.windows or self.warm_up) or not self._shared:
            return None
        self._unused += len(self._granted)
        self._granted.clear()
        return self._told(0) if self._unused or self._replies or self._taken else None

    def grant(self, now: float, granted: Granted) -> None:
        """Brings what was asked for."""
        self._asked = False
        gap = 1 / self.limit.rate if self.limit.rate else 0.0
        self._granted.extend([now + granted.ahead + n * gap for n in range(granted.turns)])
        if granted.openings:
            self._openings = tuple((now + after, turns) for after, turns in granted.openings)
            self._closed_until = self._openings[0][0]
            self.full = granted.limit
            self.booked = 0

    def closed(self, now: float) -> float:
        """For how many seconds no turn comes, since a window is full; 0: it is not."""
        return 0.0 if self._granted else max(self._closed_until - now, 0.0)

    @property
    def learning(self) -> bool:
        """It has been asked whether its window has room, and there is no answer yet."""
        return self._asked and not self._granted and bool(self.limit.windows or self.warm_up)

    def book(self, now: float) -> float:
        """In how many seconds there is room for one more that goes back now, after those that went before it."""
        left, cycle = self.booked, max((window.seconds for window in self.limit.windows), default=DAY)
        self.booked += 1
        self.gone += 1
        turns = sum(turns for _, turns in self._openings)
        rounds, left = divmod(left, turns)
        if rounds and self.warm_up:  # it will have grown by then: nobody can say now when these have room
            rounds, left = 0, turns - 1
        for at, turns in self._openings:
            if left < turns:
                return max(at + rounds * cycle - now, 0.0)
            left -= turns
        raise AssertionError("what is left is less than all of them")

    def waits(self, now: float) -> Waits:
        """What went back since the place was closed."""
        return Waits(self.full, self.gone, self.closed(now))

    def wait(self, now: float) -> float:
        """Seconds until the next message may leave, or until it is known; 0: now."""
        if self.limit.connections and self.under_way >= self.limit.connections:
            return SOON
        if not self._shared and not self.rate:
            return 0.0
        turn = self._turn(now)
        return (self.closed(now) or SOON) if turn is None else max(turn - now, 0.0)

    def take(self, now: float) -> float | None:
        """Takes a turn, which may lie ahead; returns how many seconds. None: there is none yet."""
        if self._slowed and now - self._raised_at > RECOVERY:
            self._raised_at = now
            self._slowed *= 1.5
            if self._slowed > FREE * self._complained:
                self._slowed = 0.0
        if not self._shared:
            if self.warm_up is not None:
                self._taken += 1
                self._large = self._taken >= LARGE
            if not self.rate:
                return 0.0
        turn = self._turn(now)
        if turn is None:
            return None
        if self._shared:
            self._granted.pop(0)
        if self.rate:
            self._next = turn + 1 / self.rate
        return turn - now

    def back(self, now: float) -> None:
        """Gives back the turn that was taken last: nothing has left."""
        self._next = min(self._next, now)
        if self._shared:
            self._granted.insert(0, now)

    def _turn(self, now: float) -> float | None:
        """When the next message may leave; None: that has been asked for, or none comes for as long as it is closed."""
        if not self._shared or self.ask is None:
            return max(self._next, now)
        granted = self._granted
        while granted and granted[0] < now - EXPIRED:
            granted.pop(0)
            self._unused += 1
        if len(granted) <= self.block // 2 and not self._asked and now >= self._closed_until:
            self._asked = True
            self.ask(self)
        return max(granted[0], self._next, now) if granted else None

    def replied(self, *, deferred: bool) -> None:
        """A reply, for the warm-up."""
        self._replies += 1
        self._deferred += deferred

    def heard(self, now: float, *, complaint: bool) -> bool:
        """A reply; True: there were so many complaints that it goes slower now."""
        self._heard.append(now)
        self._complaints.append(complaint)
        if len(self._heard) > REMEMBERED:
            del self._heard[0]
        if len(self._complaints) > REMEMBERED:
            del self._complaints[0]
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
    """The pace of one sender. With `ask`, it shares what its limits grant with others; without, it keeps to rates and
    connections alone. `urgent`: its messages are counted, and wait for no window."""

    def __init__(
        self,
        limit: Limit | float = 0,
        limits: Mapping[str, Limit] | None = None,
        ask: Callable[[Flow], None] | None = None,
        warm_up: WarmUp | None = None,
        *,
        urgent: bool = False,
    ) -> None:
        self._ask, self._warm_up, self._urgent = ask, warm_up, urgent
        self.all = self._made(limit if isinstance(limit, Limit) else Limit(limit), "")
        self._flows = {domain: self._made(limit, domain) for domain, limit in (limits or {}).items()}

    def _made(self, limit: Limit, place: str) -> Flow:
        return Flow(limit, place, self._ask, self._warm_up if self._ask else None, self._urgent)

    def flow(self, domain: str) -> Flow:
        flow = self._flows.get(domain)
        if flow is None:
            flow = self._flows[domain] = self._made(NONE, domain)
        return flow

    @property
    def flows(self) -> Iterator[Flow]:
        """All of them, that of all together first."""
        yield self.all
        yield from self._flows.values()

    def replied(self, domain: str, outcome: Outcome) -> None:
        """Counts a reply for the warm-up: greylisting, which puts off everybody once, says nothing."""
        if self._warm_up is None or outcome.code is None:
            return
        grey = "greylist" in (said := outcome.text.lower()) or "graylist" in said
        deferred = outcome.verdict is Verdict.DEFERRED and not grey
        self.all.replied(deferred=deferred)
        self.flow(domain).replied(deferred=deferred)
