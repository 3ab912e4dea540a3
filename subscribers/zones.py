"""Time zones by the names that readers have: also by those that the tz database has dropped, renamed or does not know
yet. Pure, over the machine's tz database."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

LONGEST = 60
"""Characters in the name of a zone."""
CLOSE = 0.75
"""How alike two names must be, 1 being the same, for one to be offered instead of the other."""

LINKS: Mapping[str, str] = {
    # dropped, by the NEWS of the tz database: 2020b the first, 2017c, 2014f and 2013d the others
    "US/Pacific-New": "America/Los_Angeles",
    "Canada/East-Saskatchewan": "America/Regina",
    "Asia/Riyadh87": "Asia/Riyadh",
    "Asia/Riyadh88": "Asia/Riyadh",
    "Asia/Riyadh89": "Asia/Riyadh",
    "Mideast/Riyadh87": "Asia/Riyadh",
    "Mideast/Riyadh88": "Asia/Riyadh",
    "Mideast/Riyadh89": "Asia/Riyadh",
    "SystemV/AST4ADT": "America/Halifax",
    "SystemV/EST5EDT": "America/New_York",
    "SystemV/CST6CDT": "America/Chicago",
    "SystemV/MST7MDT": "America/Denver",
    "SystemV/PST8PDT": "America/Los_Angeles",
    "SystemV/YST9YDT": "America/Anchorage",
    "SystemV/AST4": "America/Puerto_Rico",
    "SystemV/EST5": "America/Indianapolis",
    "SystemV/CST6": "America/Regina",
    "SystemV/MST7": "America/Phoenix",
    "SystemV/PST8": "Pacific/Pitcairn",
    "SystemV/YST9": "Pacific/Gambier",
    "SystemV/HST10": "Pacific/Honolulu",
    # old names, which some systems keep in a package of their own
    "US/Alaska": "America/Anchorage",
    "US/Arizona": "America/Phoenix",
    "US/Central": "America/Chicago",
    "US/Eastern": "America/New_York",
    "US/Hawaii": "Pacific/Honolulu",
    "US/Michigan": "America/Detroit",
    "US/Mountain": "America/Denver",
    "US/Pacific": "America/Los_Angeles",
    "Canada/Atlantic": "America/Halifax",
    "Canada/Central": "America/Winnipeg",
    "Canada/Eastern": "America/Toronto",
    "Canada/Mountain": "America/Edmonton",
    "Canada/Newfoundland": "America/St_Johns",
    "Canada/Pacific": "America/Vancouver",
    "Brazil/East": "America/Sao_Paulo",
    "Chile/Continental": "America/Santiago",
    "Mexico/General": "America/Mexico_City",
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "America/Indianapolis": "America/Indiana/Indianapolis",
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Rangoon": "Asia/Yangon",
    "Asia/Saigon": "Asia/Ho_Chi_Minh",
    "Australia/ACT": "Australia/Sydney",
    "Australia/NSW": "Australia/Sydney",
    "Australia/Queensland": "Australia/Brisbane",
    "Australia/Victoria": "Australia/Melbourne",
    "GB": "Europe/London",
    "Eire": "Europe/Dublin",
    "Hongkong": "Asia/Hong_Kong",
    "Israel": "Asia/Jerusalem",
    "Japan": "Asia/Tokyo",
    "NZ": "Pacific/Auckland",
    "PRC": "Asia/Shanghai",
    "ROC": "Asia/Taipei",
    "ROK": "Asia/Seoul",
    "Singapore": "Asia/Singapore",
    "Turkey": "Europe/Istanbul",
    "Pacific/Enderbury": "Pacific/Kanton",
    "America/Godthab": "America/Nuuk",
    # new names, which an older tz database does not know
    "America/Nuuk": "America/Godthab",
    "Europe/Kyiv": "Europe/Kiev",
    "Pacific/Kanton": "Pacific/Enderbury",
    "America/Ciudad_Juarez": "America/Ojinaga",
    "America/Coyhaique": "America/Punta_Arenas",
}
"""The zone that keeps the same time, for a name that the machine's tz database does not have."""


@lru_cache(maxsize=2000)
def known(name: str) -> str:
    """The name by which the machine has a zone: the same one, or what the link table has for it; empty: it has none."""
    for one in (name, LINKS.get(name, "")):
        if not one or len(one) > LONGEST:
            continue
        try:
            return ZoneInfo(one).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return ""


@lru_cache(maxsize=2000)
def clock(name: str, otherwise: str = "UTC") -> ZoneInfo:
    """The zone of that name; where there is none, that of the newsletter, `otherwise`. It never fails: one reader's
    zone stops nobody."""
    return ZoneInfo(known(name) or known(otherwise) or "UTC")


@lru_cache(maxsize=2000)
def nearest(name: str, otherwise: str = "UTC") -> str:
    """The name to offer a reader instead of theirs: the same where it is known, else the most alike, or `otherwise`."""
    if found := known(name):
        return found
    city = name.rpartition("/")[2].casefold()
    by_city = {one.rpartition("/")[2].casefold(): one for one in sorted(available_timezones()) if "/" in one}
    alike = difflib.get_close_matches(city, by_city, n=1, cutoff=CLOSE) if city else []
    return by_city[alike[0]] if alike else known(otherwise) or "UTC"
