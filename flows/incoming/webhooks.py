"""What the webhooks of all providers have in common: a call, what it tells, and why it is refused. Pure.

A provider is one file in `providers/` with `TITLE`, `RELAYS` (what the names of its mail servers end in), `SETTING`
(what PAPERROUND_HOOKS holds of it), `NEEDS` (what its relay needs of the operator) and `read`. It verifies the call
before it believes anything in it, and says what makes the call unique, so that none is heard twice.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows.causes import OURS, Cause, cause_of
from flows.incoming.evidence import evidence_of
from flows.incoming.failure_reports import codes
from flows.incoming.model import Event, Evidence, Report, shortened

OLDEST = dt.timedelta(hours=25)
"""How old a call may be: providers try for a day. Calls are remembered for longer than that."""
AHEAD = dt.timedelta(minutes=10)
"""How far a provider's clock may be ahead of ours."""

_REPLY = re.compile(r"[45][0-9]{2}")

Fetch = Callable[[str], Awaitable[bytes]]
"""Gets what stands at an address, over a connection that is verified. Raises CallRefused where it can't."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request to our webhook."""

    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Notice:
    """What a call that was verified tells."""

    reports: Sequence[Report]
    unique: str
    """What no other call has."""


class CallRefused(Exception):  # noqa: N818
    """The call is not believed, or can't be read: one sentence."""


def parsed(body: bytes | str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise CallRefused("The body is no JSON.") from None


def table(value: Any) -> Mapping[str, Any]:
    """The value if it is an object; else an empty one."""
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> Sequence[Mapping[str, Any]]:
    """The objects of a list, at most a thousand."""
    return [one for one in value[:1000] if isinstance(one, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """The value if it is a text or a number; else an empty one. What no text can hold is taken out: half of a character
    beyond the first plane, which JSON can write, and NUL, which no PostgreSQL keeps."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode().replace("\0", "")
    return str(value) if isinstance(value, (int, float)) else ""


def in_time(moment: dt.datetime, now: dt.datetime) -> None:
    """Raises CallRefused for a call that was made too long ago, or in the future."""
    if not now - OLDEST <= moment <= now + AHEAD:
        raise CallRefused("The call is too old, or its clock is wrong.")


def seconds(value: Any) -> dt.datetime:
    """A time in seconds since 1970. Raises CallRefused."""
    try:
        return dt.datetime.fromtimestamp(float(value), dt.UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise CallRefused("The call has no time that can be read.") from None


def moment(value: Any) -> dt.datetime:
    """A time as RFC 3339 writes it. Raises CallRefused."""
    try:
        found = dt.datetime.fromisoformat(text(value))
    except ValueError:
        raise CallRefused("The call has no time that can be read.") from None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def authorised(call: Call, secret: str) -> None:
    """Raises CallRefused unless the call brings the secret: as user:password (RFC 7617) or as a token (RFC 6750)."""
    scheme, _, given = call.headers.get("authorization", "").partition(" ")
    found = given.strip()
    if scheme.lower() == "basic":
        try:
            found = base64.b64decode(found, validate=True).decode()
        except ValueError:  # no base64, a header beyond ASCII, or no UTF-8 in it
            found = ""
    elif scheme.lower() != "bearer":
        found = ""
    if not hmac.compare_digest(found.encode(), secret.encode()):
        raise CallRefused("The call does not bring the secret.")


def digest(call: Call) -> str:
    """What makes a call unique whose provider says nothing of the kind."""
    return hashlib.sha256(call.body).hexdigest()


def evidence(*, message_id: str = "", return_path: str = "", headers: Mapping[str, str] | None = None) -> Evidence:
    """What a call repeats of our mail."""
    lines = [f"Message-ID: <{message_id.strip().strip('<>')}>", f"Return-Path: <{return_path}>"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return evidence_of("\n\n".join(["", "\n".join(lines)]).encode(errors="replace"))


def failed(address: Any, words: Any, proof: Evidence, *, lasting: bool, code: Any = None, status: Any = None) -> Report:
    """A failure that a provider tells. `lasting`: it calls the address itself no good; then what its words don't
    explain otherwise means that."""
    said = text(words)
    found_code, found_status = codes(said, text(status))
    reply = int(text(code)) if _REPLY.fullmatch(text(code)) else found_code
    cause = cause_of(said, reply, found_status)
    known = cause in OURS or cause in (Cause.FULL, Cause.REACH)
    return Report(
        event=Event.FAILED,
        address=text(address)[:320],
        evidence=proof,
        cause=Cause.DEAD if lasting and not known else cause,
        code=reply,
        status=found_status,
        words=shortened(said),
        signed=True,
    )


def told(event: Event, address: Any, proof: Evidence, words: str) -> Report:
    """A complaint, or that somebody has pressed the provider's own button."""
    return Report(event=event, address=text(address)[:320], evidence=proof, words=shortened(words), signed=True)
