"""Single fields of an answer that may hold anything: what is not as it should be becomes empty, never an error."""

from __future__ import annotations

import datetime as dt
import re
from urllib.parse import urlsplit

# Control characters, lone surrogates, and what XML 1.0 or a database refuses; also the bidirectional embeddings
# and overrides, which would turn round the text after them. White space is not among them: it is folded.
_UNWANTED = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]"
)
_LINK = re.compile(r"https?://[^\s\"'<>\\^`{|}]+", re.IGNORECASE)
_EARLIEST, _LATEST = 1990, 2100


def text(value: object) -> str:
    """A text in one line, without control characters; empty for anything that is not a text."""
    return " ".join(_UNWANTED.sub("", value).split()) if isinstance(value, str) else ""


def texts(value: object) -> tuple[str, ...]:
    """The texts of a list, each once and in their order; anything else in it is left out."""
    found = (text(item) for item in value) if isinstance(value, list | tuple) else ()
    return tuple(dict.fromkeys(item for item in found if item))


def link(value: object) -> str:
    """An http or https URL of at most 2,000 characters that can stand in an attribute; otherwise empty."""
    found = text(value)
    if len(found) > 2000 or not _LINK.fullmatch(found):
        return ""
    try:
        parts = urlsplit(found)
        whole = bool(parts.hostname) and "@" not in parts.netloc and (parts.port is None or parts.port > 0)
    except ValueError:
        return ""
    return found if whole else ""


def count(value: object) -> int | None:
    """A number of votes, comments or stars; None for anything that cannot be one."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and isinstance(value, int) and 0 <= value <= 1_000_000_000 else None


def moment(value: object) -> dt.datetime | None:
    """An ISO 8601 time, in UTC; one without a zone is taken as UTC."""
    try:
        found = dt.datetime.fromisoformat(text(value)[:40])
    except ValueError:
        return None
    if not _EARLIEST <= found.year <= _LATEST:
        return None
    return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)


def date(value: object) -> dt.date | None:
    """The day of an ISO 8601 date or time, as it is written there."""
    found = moment(text(value)[:10])
    return found.date() if found else None


def at(value: object, *keys: str) -> object:
    """What stands under `keys` in nested objects; None where there is no such thing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def kind(value: object) -> str:
    """What a JSON value is, in a word for people."""
    names: dict[type, str] = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return "nothing" if value is None else names.get(type(value), "a number")


def written(day: dt.date) -> str:
    """A day as people write it: 22 November 2026."""
    return f"{day.day} {day:%B} {day.year}"
