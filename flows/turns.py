"""Values that import nothing: turns to send, as the sender asks for them and the database grants them, and how many
messages a rolling window still has room for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MINUTE, HOUR, DAY = 60, 3600, 86400

SLACK = 2.0
"""Seconds that a message may leave after its turn: a window lasts so much longer."""
HELD_ABOVE = 0.03
"""Where more than this part of a day's replies put mail off, the warm-up does not go on."""
HELD_FROM = 5
"""Fewer such replies a day hold nothing."""
USED = 0.5
"""A day of the warm-up counts where so much of its allowance was used: what was not sent has warmed nothing."""
MOST = 10**9


@dataclass(frozen=True, slots=True)
class RollingWindow:
    """At most `count` messages in any so many seconds."""

    count: int
    seconds: int

    @property
    def step(self) -> int:
        """What leaves is counted by steps of so many seconds: a day's are as long as `deliver-due` is apart."""
        return max(1, self.seconds // (96 if self.seconds >= DAY else 60))

    def __str__(self) -> str:
        return f"{self.count}/{ {MINUTE: 'minute', HOUR: 'hour', DAY: 'day'}.get(self.seconds, f'{self.seconds} s') }"


@dataclass(frozen=True, slots=True)
class WarmUp:
    """So many messages on the first day, and `factor` times as many on each day that follows."""

    first: int
    factor: float

    def allowed(self, step: int) -> int:
        """How many a day after so many days of it."""
        if step * math.log(self.factor) > math.log(MOST):
            return MOST
        return min(int(self.first * self.factor**step), MOST)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a sender wants of one place, a domain or all together (""), and what became of what it had."""

    place: str
    turns: int
    rate: float = 0.0
    """Turns in a second; 0: as many as the windows have room for."""
    windows: tuple[RollingWindow, ...] = ()
    warm_up: WarmUp | None = None
    unused: int = 0
    """Turns of the last grant that nothing left on: given back."""
    taken: int = 0
    """Messages that have left without a turn: they are counted now."""
    replies: int = 0
    deferred: int = 0
    """Replies since the last time, and how many of them put mail off."""
    urgent: bool = False
    """A letter, which somebody waits for: counted, and never kept waiting for a window."""


@dataclass(frozen=True, slots=True)
class Granted:
    """So many turns, the first of them in `ahead` seconds. None: in how many seconds there will be how many."""

    turns: int
    ahead: float = 0.0
    openings: tuple[tuple[float, int], ...] = ()
    limit: str = ""
    """The limit that leaves none, as an operator writes it."""


Used = Sequence[tuple[float, int]]
"""How many left in a step that began then; times in seconds, oldest first."""


def opens_at(window: RollingWindow, began: float) -> float:
    """When what left in a step is out of a window, whenever in the step it was."""
    return began + window.step + window.seconds + SLACK


def room(window: RollingWindow, used: Used, now: float) -> int:
    """How many more may leave now."""
    return max(window.count - sum(count for began, count in used if opens_at(window, began) > now), 0)


def openings(window: RollingWindow, used: Used, now: float) -> tuple[tuple[float, int], ...]:
    """In how many seconds there is room for how many more, where there is none now."""
    over = sum(count for began, count in used if opens_at(window, began) > now) - window.count
    found = []
    for began, count in used:
        if (at := opens_at(window, began)) <= now:
            continue
        free = min(count, max(count - over, 0))
        over = max(over - count, 0)
        if free:
            found.append((at - now, free))
    return tuple(found)


def grows(allowed: int, used: int, replies: int, deferred: int) -> bool:
    """Whether the warm-up of a place goes on after a day."""
    held = deferred > max(HELD_FROM, replies * HELD_ABOVE)
    return used >= allowed * USED and not held
