"""Subscriptions as CSV, in and out: one line each, several values of a field joined by `;`.

A missing column means the default, of the newsletter or of all, for a new subscription and no change for one that is
there already. A muted topic is written with a `-` before it, `-*` stands for all of them: such a reader gets what they
follow and nothing else. The day of a weekly reader stands with their frequency, `weekly:mon`, and the end of a pause
with the state, `paused:2026-07-01`; without one, mail comes as soon as there is an edition, and the pause has no end.
What a spreadsheet would take for a formula stands behind an apostrophe.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import re
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from types import TracebackType
from typing import Any, TextIO, TypeAlias

from email_validator import EmailNotValidError, validate_email

from flows.editions.model import EVERY
from flows.outcomes import Problem, anonymous
from subscribers.model import Frequency, Subscription, SubscriptionState, Suppressed
from subscribers.people.csv_text import Table
from subscribers.people.other_lists import MAILMAN, OtherList, recognise
from subscribers.people.store import MUTED, Change
from subscribers.preferences import LANGUAGE_TAG, MAX_AUTHORS, MAX_KEYWORDS, MAX_LEFT_OUT, MAX_WORD
from subscribers.text import cell, clean, uncell
from subscribers.zones import known as known_zone

COLUMNS = (
    "email",
    "newsletter",
    "topics",
    "keywords",
    "authors",
    "leave_out",
    "frequency",
    "hour",
    "zone",
    "language",
    "state",
    "tags",
    "consent_at",
    "consent_source",
)
DEFAULT_NEWSLETTER = "daily"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that was left out: its number in the file, and why, without the address."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Somebody on another system's list who is not to be subscribed, and why."""

    because: str


@dataclass(frozen=True, slots=True)
class Never:
    """An address on another system's list that must not be mailed again, and why."""

    email: str
    because: Suppressed


Read: TypeAlias = Change | BadLine | LeftOut | Never


@dataclass(frozen=True, slots=True)
class Known:
    """What a line may name, and which newsletter is meant by one that names none."""

    newsletters: Collection[str]
    topics: Collection[str]
    default: str = DEFAULT_NEWSLETTER
    beginnings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What a new subscription gets of a newsletter's own where a line does not say."""


def read(
    file: TextIO, known: Known, say: Callable[[str], object] = str, columns: Mapping[str, str] | None = None
) -> Iterator[Read]:
    """One line after the other, in bounded memory: our own form, or another system's, which is said.

    `columns` maps columns of the file to ours; to nothing: it is left out. Raises Problem for a header that can't be
    used. The first good line of an address on a newsletter counts, in all of the file; the others are bad lines that
    name it.
    """
    try:
        table = Table(file)
    except csv.Error as error:
        raise Problem(f"The CSV's first line can't be read ({error}): {_WANTED}.") from None
    header, other, say_so = _understood(table.header, columns or {})
    if say_so:
        say(say_so)
    records: Iterable[tuple[int, list[str] | csv.Error]] = table
    if other is MAILMAN:
        records = ((number, _person(row)) for number, row in chain([(table.number, table.header)], table))
    with Repeats() as repeats:
        for number, row in records:
            found: Read
            try:
                found = _read(number, row, header, known, other)
            except ValueError as error:
                yield BadLine(number, anonymous(str(error)))
                continue
            if isinstance(found, Change):
                first = repeats.first(f"{found.email.lower()} {found.newsletter}", number)
                if first != number:
                    found = BadLine(number, f"its address stands in line {first} already")
            yield found


def _read(
    number: int, row: list[str] | csv.Error, header: Sequence[str], known: Known, other: OtherList | None
) -> Change | LeftOut | Never:
    """Raises ValueError."""
    if isinstance(row, csv.Error):
        raise ValueError(f"it can't be read ({row})")
    if any(value.strip() for value in row[len(header) :]):
        raise ValueError("it has more fields than the first line: put values with commas in double quotes")
    # a spreadsheet saves empty columns at the end, and may leave out the last ones of a line
    line = {name: uncell(value) for name, value in zip(header, row, strict=False) if name}
    if other is None:
        return change(line, known, line=number)
    ours = other.read(line)
    match other.standing(line):
        case Suppressed() as because:
            return Never(address(ours["email"]), because)
        case "":
            return change(ours, known, line=number)
        case because:
            return LeftOut(because)


_WANTED = "its first line should name the columns, email among them"


def _understood(given: Iterable[str], columns: Mapping[str, str]) -> tuple[list[str], OtherList | None, str]:
    """The columns that the first line names, in our words where they are ours; whose list it is; and what to say of it.
    Raises Problem."""
    names = [" ".join(name.split()) for name in given]
    if len(names) == 1 and "@" in names[0] and not columns:
        return (
            ["email"],
            MAILMAN,
            "No line names columns: read as a list of addresses, such as Mailman's.",
        )
    header = [name.lower() for name in names]
    wanted = {name.strip().lower(): ours.strip().lower() for name, ours in columns.items()}
    if any("@" in name for name in header):
        raise Problem(
            f"The CSV begins with an address, but {_WANTED}: put a line such as {','.join(COLUMNS[:3])} before it."
        )
    if absent := [name for name in wanted if name not in header]:
        raise Problem(f"--map names the column {absent[0][:40]!r}, which the CSV has not: it has {_listed(names)}.")
    if wrong := [ours for ours in wanted.values() if ours and ours not in COLUMNS]:
        raise Problem(f"--map names {wrong[0][:40]!r}, which is no column: use {', '.join(COLUMNS)}, or nothing.")
    if not wanted and (other := recognise(header)):
        return header, other, f"This is a list from {other.name}: who had left it or not confirmed stays out."
    header = [wanted.get(name, name) for name in header]
    if unknown := [name for name, ours in zip(names, header, strict=True) if ours and ours not in COLUMNS]:
        name = unknown[0][:40]
        raise Problem(
            f"The CSV's column {name!r} is not known: say --map '{name}=' to leave it out, or which it is here, as in "
            f"--map '{name}=tags'; there are {', '.join(COLUMNS)}."
        )
    if "email" not in header:
        raise Problem(f"The CSV has no column email: {_WANTED}, or say which it is, as in --map 'Address=email'.")
    if twice := [name for name in COLUMNS if header.count(name) > 1]:
        raise Problem(f"The CSV has the column {twice[0]} more than once: leave one of them.")
    return header, None, ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(name for name in names if name)[:200]


def _person(row: list[str] | csv.Error) -> list[str] | csv.Error:
    """The address of a line such as `"Brook, Ada" <ada@example.org>`, whose quotes are gone already."""
    if isinstance(row, csv.Error):
        return row
    line = ", ".join(row).strip()
    found = re.search(r"<([^<>]+)>$", line)
    return [found[1] if found else line]


def change(row: Mapping[str, Any], known: Known, line: int = 0) -> Change:
    """The change that one line asks for; raises ValueError with the field, the value and the remedy."""
    newsletter = (row.get("newsletter") or "").strip() or known.default
    if newsletter not in known.newsletters:
        raise ValueError(
            f"newsletter {newsletter[:40]!r} is not known: use one of {', '.join(sorted(known.newsletters))}"
        )
    email = address(row.get("email") or "")
    given: dict[str, Any] = {}
    for name, parse in _FIELDS.items():
        if (text := row.get(name)) is not None:
            given |= parse(text.strip())
    for slug in given.get("topics", ()):
        if slug.removeprefix(MUTED) not in known.topics and slug != MUTED + EVERY:
            raise ValueError(f"topic {slug[:40]!r} is not known: use some of {', '.join(sorted(known.topics))}")
    beginning = known.beginnings.get(newsletter, {})
    if "hour" in given or "zone" in given:  # an hour is read in the zone beside it
        beginning = {name: value for name, value in beginning.items() if name not in ("hour", "zone")}
    return Change(email=email, newsletter=newsletter, columns=given, beginning=beginning, line=line)


_PLAIN = re.compile(r"[A-Za-z0-9_+-]{1,64}(?:\.[A-Za-z0-9_+-]{1,64})*")


def address(text: str) -> str:
    """The address in its normal form; raises ValueError, whose words do not repeat it. Internal domains are allowed:
    the operator knows them."""
    text = text.strip()
    local, _, domain = text.rpartition("@")
    # nearly every address: its domain has been validated before, the rest needs no more than a look
    if len(local) <= 64 and _PLAIN.fullmatch(local) and (normal := _domain(domain)):
        return f"{local}@{normal}"
    return _validated(text)


@lru_cache(maxsize=10_000)
def _domain(domain: str) -> str:
    """The domain as the mail server is told it; empty where a whole address should be looked at for what is wrong."""
    try:
        return _validated(f"{'a' * 64}@{domain}").rpartition("@")[2]
    except ValueError:
        return ""


def _validated(text: str) -> str:
    try:
        found = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise ValueError(f"email is not an address ({str(error).rstrip('.')})") from None
    if not found.local_part.isascii():
        raise ValueError("email has letters outside of ASCII before the @: the mail server could not be given it")
    return found.ascii_email or found.normalized


@lru_cache(maxsize=10_000)
def _list(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for value in text.split(";") if (part := clean(value))))


def _phrases(name: str, most: int) -> Callable[[str], tuple[str, ...]]:
    """What readers may give themselves, and no more."""

    @lru_cache(maxsize=10_000)
    def parse(text: str) -> tuple[str, ...]:
        found = _list(text)
        if len(found) > most:
            raise ValueError(f"{name} has {len(found)} values: leave {most} of them")
        if long := [value for value in found if len(value) > MAX_WORD]:
            raise ValueError(f"{name} has {long[0][:40]!r}…, which is too long: leave {MAX_WORD} letters of it")
        return found

    return parse


@lru_cache(maxsize=10_000)
def _topics(text: str) -> tuple[str, ...]:
    """Sorted, as they are written: their order means nothing."""
    found = _list(text)
    muted = [slug for slug in found if slug.startswith(MUTED)]
    if muted and len(muted) < len(found):
        raise ValueError(f"topics {text[:40]!r} has chosen and muted ones ({muted[0][:40]}): leave one kind of them")
    return (MUTED + EVERY,) if MUTED + EVERY in muted else tuple(sorted(found))


@lru_cache(maxsize=1000)
def _frequency(text: str) -> Mapping[str, Any]:
    name, colon, day = (part.strip() for part in (text or Frequency.DAILY).lower().partition(":"))
    if name not in tuple(Frequency) or (colon and name != Frequency.WEEKLY):
        raise ValueError(f"frequency {text[:40]!r} is not known: use one of {', '.join(Frequency)}, weekly:mon")
    if colon and day not in WEEKDAYS:
        raise ValueError(f"frequency {text[:40]!r} has no day of the week: use one of {', '.join(WEEKDAYS)}")
    if name != Frequency.WEEKLY:
        return {"frequency": Frequency(name)}
    return {"frequency": Frequency.WEEKLY, "weekday": WEEKDAYS.index(day) if colon else None}


@lru_cache(maxsize=1000)
def _state(text: str) -> Mapping[str, Any]:
    name, colon, until = (part.strip() for part in (text or SubscriptionState.CONFIRMED).lower().partition(":"))
    if name not in tuple(SubscriptionState) or (colon and name != SubscriptionState.PAUSED):
        raise ValueError(
            f"state {text[:40]!r} is not known: use one of {', '.join(SubscriptionState)}, paused:2026-07-01"
        )
    if name != SubscriptionState.PAUSED:
        return {"state": SubscriptionState(name)}
    try:
        return {
            "state": SubscriptionState.PAUSED,
            "paused_until": dt.date.fromisoformat(until) if colon else None,
        }
    except ValueError:
        raise ValueError(f"state {text[:40]!r} has no date: write it as paused:2026-07-01") from None


def _hour(text: str) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 2 and int(text) < 24:
        return int(text)
    raise ValueError(f"hour {text[:40]!r} should be a whole number from 0 to 23, or empty for at once")


def _zone(text: str) -> str:
    name = known_zone(text or "UTC")
    if not name:
        raise ValueError(f"zone {text[:40]!r} is not known: use a name such as Europe/Berlin")
    return name


def _language(text: str) -> str:
    if text and not LANGUAGE_TAG.fullmatch(text):
        raise ValueError(
            f"language {text[:40]!r} is no tag of one: use such as de or pt-BR, or empty for the site's own"
        )
    first, *others = text.split("-")
    # a region has two letters, a script four (RFC 5646 section 2.1.1)
    return "-".join((first.lower(), *(one.upper() if len(one) == 2 else one.title() for one in others)))


def _moment(text: str) -> dt.datetime | None:
    """To the millisecond, as the database keeps it."""
    if not text:
        return None
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"consent_at {text[:40]!r} should be a time such as 2026-06-09T08:30:00+02:00") from None
    if not 1970 < found.year < 2200:
        raise ValueError(f"consent_at {text[:40]!r} lies out of all times: use one such as 2026-06-09T08:30:00+02:00")
    found = found.replace(microsecond=found.microsecond // 1000 * 1000)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _given(name: str, value: Any) -> Mapping[str, Any]:
    """Nothing where it is empty: a list without it takes away no evidence."""
    return {name: value} if value else {}


def _column(name: str, parse: Callable[[str], Any]) -> Callable[[str], Mapping[str, Any]]:
    return lru_cache(maxsize=1000)(lambda text: {name: parse(text)})


_FIELDS: Mapping[str, Callable[[str], Mapping[str, Any]]] = {
    "topics": _column("topics", _topics),
    "keywords": _column("keywords", _phrases("keywords", MAX_KEYWORDS)),
    "authors": _column("authors", _phrases("authors", MAX_AUTHORS)),
    "leave_out": _column("leave_out", _phrases("leave_out", MAX_LEFT_OUT)),
    "frequency": _frequency,
    "hour": _column("hour", _hour),
    "zone": _column("zone", _zone),
    "language": _column("language", _language),
    "state": _state,
    "tags": _column("tags", _phrases("tags", MAX_KEYWORDS)),
    "consent_at": lambda text: _given("consent_at", _moment(text)),
    "consent_source": lambda text: _given("consent_source", clean(text)[:200]),
}


def topics_of(subscription: Subscription) -> list[str]:
    """The topics as they are written: those that are chosen, or those that are muted."""
    interests = subscription.interests
    return sorted([*interests.topics, *(MUTED + slug for slug in interests.muted)])


def frequency_of(subscription: Subscription) -> str:
    if subscription.frequency is not Frequency.WEEKLY or subscription.weekday is None:
        return str(subscription.frequency)
    return f"{subscription.frequency}:{WEEKDAYS[subscription.weekday]}"


def state_of(subscription: Subscription) -> str:
    if subscription.state is not SubscriptionState.PAUSED or subscription.paused_until is None:
        return str(subscription.state)
    return f"{subscription.state}:{subscription.paused_until}"


def write(file: TextIO) -> Callable[[Subscription], None]:
    """Writes the first line, and returns what writes a subscription each. What `read` makes of it is the same."""
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(COLUMNS)

    def one(subscription: Subscription) -> None:
        rows.writerow(
            (
                cell(subscription.email),
                cell(subscription.newsletter),
                cell(";".join(topics_of(subscription))),
                cell(";".join(subscription.interests.keywords)),
                cell(";".join(subscription.interests.authors)),
                cell(";".join(subscription.interests.leave_out)),
                frequency_of(subscription),
                "" if subscription.hour is None else subscription.hour,
                cell(subscription.zone),
                cell(subscription.language),
                state_of(subscription),
                cell(";".join(subscription.tags)),
                subscription.consent_at.isoformat() if subscription.consent_at else "",
                cell(subscription.consent_source),
            )
        )

    return one


class Repeats:
    """Remembers a line number for each text that it is told, in a database on disk that nobody else sees and that is
    gone afterwards. Texts are kept as hashes of 16 bytes."""

    def __enter__(self) -> Repeats:
        # the empty name is SQLite's temporary database: a file without a name, used once its cache is full
        self._lines = sqlite3.connect("", isolation_level=None)
        self._lines.execute("PRAGMA journal_mode=OFF")
        self._lines.execute("BEGIN")
        self._lines.execute("CREATE TABLE line (text BLOB PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()

    def first(self, text: str, number: int) -> int:
        """The first line that had this text: `number` itself where it is new."""
        key = hashlib.blake2b(text.encode(), digest_size=16).digest()
        added = self._lines.execute("INSERT INTO line VALUES (?, ?) ON CONFLICT DO NOTHING", (key, number))
        if added.rowcount:
            return number
        (before,) = self._lines.execute("SELECT number FROM line WHERE text = ?", (key,)).fetchone()
        return int(before)
