"""Limits as an operator writes them: of all mail together, of single domains, and of a warm-up."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from flows.turns import DAY, HOUR, MINUTE, RollingWindow, WarmUp

_EVERY = {"s": 1, "sec": 1, "second": 1, "min": MINUTE, "minute": MINUTE, "h": HOUR, "hour": HOUR, "d": DAY, "day": DAY}
_PART = re.compile(rf"(?P<count>\d+(?:\.\d+)?)\s*(?:/\s*(?P<every>{'|'.join(_EVERY)})|(?P<connections>connections?))")
_WARM_UP = re.compile(r"(?P<first>\d+)\s*/\s*d(?:ay)?\s*,?\s*[x×]\s*(?P<factor>\d+(?:\.\d+)?)")
_DOMAIN = re.compile(r"[\w-]+(\.[\w-]+)*")


@dataclass(frozen=True, slots=True)
class Limit:
    """Messages a second, connections at a time, and messages in rolling windows; 0, or none: no limit."""

    rate: float = 0.0
    connections: int = 0
    windows: tuple[RollingWindow, ...] = ()

    def divided(self, share: int) -> Limit:
        """The limit of one of so many processes, which have turns in common but not their connections."""
        return replace(self, connections=max(1, self.connections // share) if self.connections else 0)


NONE = Limit()


def read_limit(text: str, example: str, *, connections: bool) -> Limit:
    """Reads parts joined by commas, such as `14/s, 50000/day`; raises ValueError."""
    limit = Limit()
    for part in (part.strip() for part in text.split(",")):
        found = _PART.fullmatch(part.lower())
        if found is None or (found["connections"] and not connections):
            raise ValueError(f"has {part[:60]!r}: write it as `{example}`")
        every = _EVERY.get(found["every"] or "", 0)
        whole = "." not in found["count"]
        if every != 1 and not (whole and 0 < int(found["count"]) <= 10**9):
            raise ValueError(f"has {part[:60]!r}: the number should be a whole one, 1 or more")
        if every == 1 and not 0 < float(found["count"]) <= 10**6:
            raise ValueError(f"has {part[:60]!r}, which would send nothing: leave it out, or name a number")
        said_twice = limit.rate if every == 1 else any(window.seconds == every for window in limit.windows)
        if said_twice or (not every and limit.connections):
            raise ValueError(f"has {part[:60]!r}, a second limit of its kind: leave one out")
        if every == 1:
            limit = replace(limit, rate=float(found["count"]))
        elif every:
            limit = replace(limit, windows=(*limit.windows, RollingWindow(int(found["count"]), every)))
        else:
            limit = replace(limit, connections=int(found["count"]))
    return limit


def read_rate(text: str) -> Limit:
    """Reads the limit of all mail together, `14/s, 50000/day`, or a number alone, which is that of a second; raises
    ValueError. Empty, or 0: there is none."""
    written = text.strip()
    if re.fullmatch(r"\d*\.?\d+", written):
        written = f"0{written}/s" if float(written) else ""
    return read_limit(written, "14/s, 50000/day", connections=False) if written else Limit()


def read_limits(text: str) -> dict[str, Limit]:
    """Reads lines, or parts between semicolons, such as `gmail.com = 20/s, 5 connections, 2000/hour`; raises
    ValueError."""
    limits: dict[str, Limit] = {}
    example = "gmail.com = 20/s, 5 connections, 2000/hour"
    for part in (part.strip() for part in re.split(r"[;\n]", text)):
        if not part:
            continue
        name, equals, written = (piece.strip() for piece in part.partition("="))
        domain = name.lower()
        if not equals or not written or not _DOMAIN.fullmatch(domain):
            raise ValueError(f"has {part[:60]!r}: write it as `{example}`, several joined by ;")
        if domain in limits:
            raise ValueError(f"names {domain!r} twice: join its limits by commas")
        try:
            limits[domain] = read_limit(written, example, connections=True)
        except ValueError as error:
            raise ValueError(f"{error}, for {domain!r}") from None
    return limits


def read_warm_up(text: str) -> WarmUp | None:
    """Reads `200/day x1.5`; raises ValueError. Empty: there is none."""
    if not text.strip():
        return None
    found = _WARM_UP.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError("should be a first day and how it grows, such as `200/day x1.5`")
    first, factor = int(found["first"]), float(found["factor"])
    if not 1 <= first <= 10**6:
        raise ValueError("should begin with 1 to 1000000 a day")
    if not 1 < factor <= 3:
        raise ValueError("should grow by more than x1 and at most x3 a day: what grows faster warms nothing")
    return WarmUp(first, factor)
