"""When a newsletter goes out, as crontab(5) writes it: what Prefect's scheduler takes is taken, and what never comes is
told."""

from __future__ import annotations

import datetime as dt

from croniter import CroniterBadDateError, croniter

_FIELDS = (("minute", "0 to 59"), ("hour", "0 to 23"), ("day of the month", "1 to 31"), ("month", "1 to 12"))
_WEEKDAY = ("day of the week", "0 to 7")
_START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def fault(cron: str) -> str:
    """What is wrong with a schedule, as the rest of a sentence with the remedy; empty: nothing is.

    Five fields, with names, lists, ranges, steps, `1#1` (the first Monday) and `L` (the last day), or an alias such as
    `@daily`. Not what Prefect refuses though the parser knows it: random (R) and hashed (H) times, the nearest weekday
    (W); and no seconds or years, since an edition has a day.
    https://docs.prefect.io/v3/concepts/schedules#cron
    """
    parts = cron.split()
    if len(parts) == 1 and parts[0].startswith("@"):
        if not _reads(parts[0]):
            return "is no alias: use @daily or @weekly, or five fields such as 0 7 * * 1-5"
    elif len(parts) != len(_FIELDS) + 1:
        return 'must have five fields: write, for example, "0 7 * * 1-5" for 07:00 from Monday to Friday'
    for at, (part, (name, values)) in enumerate(zip(parts, (*_FIELDS, _WEEKDAY), strict=False)):
        if len(parts) > 1 and not _reads(" ".join(part if at == other else "*" for other in range(len(parts)))):
            return f"has {part!r} as its {name}: use *, or numbers from {values}, as in 1,3 or 1-5"
    try:
        croniter(cron, _START).get_next()
    except CroniterBadDateError:
        return "names a day that its months don't have: correct the day or the month"
    return ""


def _reads(cron: str) -> bool:
    parts = cron.lower().split()
    refused = {"r", "h"}.intersection(parts) or any("w" in part for part in parts[2:3])
    return cron.isascii() and not refused and bool(croniter.is_valid(cron))
