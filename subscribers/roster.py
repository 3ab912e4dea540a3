"""Subscriptions as CSV, in and out: one line each, several values of a field joined by `;`.

A missing column means the default for a new subscription and no change for one that is there already.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from email_validator import EmailNotValidError, validate_email

from flows.outcomes import Problem
from subscribers.model import Frequency, Subscription, SubscriptionState
from subscribers.store import Change

COLUMNS = (
    "email",
    "newsletter",
    "topics",
    "keywords",
    "authors",
    "frequency",
    "hour",
    "zone",
    "state",
    "tags",
    "consent_at",
    "consent_source",
)
DEFAULT_NEWSLETTER = "daily"


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that was left out: its number in the file, and why, without the address."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Known:
    """What a line may name."""

    newsletters: Collection[str]
    topics: Collection[str]


def read(file: TextIO, known: Known) -> Iterator[Change | BadLine]:
    """One line after the other, in bounded memory. Raises Problem for a header that can't be used."""
    # a NUL makes no valid field; without it the reader goes on with the next line
    rows = csv.DictReader((line.replace("\0", "\ufffd") for line in file), restkey="")
    header = [(name or "").strip().lstrip("\ufeff").lower() for name in rows.fieldnames or []]
    if unknown := [name for name in header if name not in COLUMNS]:
        raise Problem(f"The CSV's column {unknown[0][:40]!r} is not known: use {', '.join(COLUMNS)}.")
    if "email" not in header:
        raise Problem("The CSV has no column email: its first line should name the columns, email among them.")
    if twice := [name for name in COLUMNS if header.count(name) > 1]:
        raise Problem(f"The CSV has the column {twice[0]} more than once: leave one of them.")
    rows.fieldnames = header
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadLine(rows.line_num, f"it can't be read ({error})")
            continue
        try:
            yield change(row, known)
        except ValueError as error:
            yield BadLine(rows.line_num, str(error))


def change(row: Mapping[str, Any], known: Known) -> Change:
    """The change that one line asks for; raises ValueError with the field, the value and the remedy."""
    if "" in row:
        raise ValueError("it has more fields than the first line: put values with commas in double quotes")
    newsletter = (row.get("newsletter") or "").strip() or DEFAULT_NEWSLETTER
    if newsletter not in known.newsletters:
        raise ValueError(
            f"newsletter {newsletter[:40]!r} is not known: use one of {', '.join(sorted(known.newsletters))}"
        )
    given = {}
    for name, parse in _FIELDS.items():
        if (text := row.get(name)) is not None:
            given[name] = parse(text.strip())
    if unknown := [slug for slug in given.get("topics", ()) if slug not in known.topics]:
        raise ValueError(f"topic {unknown[0][:40]!r} is not known: use one of {', '.join(sorted(known.topics))}")
    return Change(email=address(row.get("email") or ""), newsletter=newsletter, columns=given)


def address(text: str) -> str:
    """The address in its normal form; raises ValueError. Internal domains are allowed: the operator knows them."""
    try:
        found = validate_email(text.strip(), check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise ValueError(f"email is not an address ({str(error).rstrip('.')})") from None
    if not found.local_part.isascii():
        raise ValueError("email has letters outside of ASCII before the @: the mail server could not be given it")
    return found.ascii_email or found.normalized


def _list(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for value in text.split(";") if (part := " ".join(value.split()))))


def _choice(name: str, kind: Callable[[str], Any], choices: Iterable[str], default: str) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            return kind(text.lower() or default)
        except ValueError:
            raise ValueError(f"{name} {text[:40]!r} is not known: use one of {', '.join(choices)}") from None

    return parse


def _hour(text: str) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdigit() and int(text) < 24:
        return int(text)
    raise ValueError(f"hour {text[:40]!r} should be a whole number from 0 to 23, or empty for at once")


@cache
def _zone(text: str) -> str:
    name = text or "UTC"
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"zone {name[:40]!r} is not known: use a name such as Europe/Berlin") from None
    return name


def _moment(text: str) -> dt.datetime | None:
    if not text:
        return None
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"consent_at {text[:40]!r} should be a time such as 2026-06-09T08:30:00+02:00") from None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _words(text: str) -> str:
    return " ".join(text.split())[:200]


_FIELDS: Mapping[str, Callable[[str], Any]] = {
    "topics": _list,
    "keywords": _list,
    "authors": _list,
    "frequency": _choice("frequency", Frequency, list(Frequency), Frequency.DAILY),
    "hour": _hour,
    "zone": _zone,
    "state": _choice("state", SubscriptionState, list(SubscriptionState), SubscriptionState.CONFIRMED),
    "tags": _list,
    "consent_at": _moment,
    "consent_source": _words,
}


def write(file: TextIO) -> Callable[[Subscription], None]:
    """Writes the first line, and returns what writes a subscription each. What `read` makes of it is the same."""
    rows = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    rows.writeheader()

    def one(subscription: Subscription) -> None:
        rows.writerow(
            {
                "email": subscription.email,
                "newsletter": subscription.newsletter,
                "topics": ";".join(sorted(subscription.interests.topics)),
                "keywords": ";".join(subscription.interests.keywords),
                "authors": ";".join(subscription.interests.authors),
                "frequency": subscription.frequency,
                "hour": "" if subscription.hour is None else subscription.hour,
                "zone": subscription.zone,
                "state": subscription.state,
                "tags": ";".join(subscription.tags),
                "consent_at": subscription.consent_at.isoformat() if subscription.consent_at else "",
                "consent_source": subscription.consent_source,
            }
        )

    return one
