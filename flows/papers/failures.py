"""What can go wrong with a request, in words: the one sentence that an operator reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import httpx

from flows.papers import bodies, fields
from flows.papers.model import Request, Unreadable

_NAMES = {"huggingface": "Hugging Face", "arxiv": "arXiv", "package": "This installation"}
_SETTINGS = {"arxiv": "PAPERROUND_ARXIV_URL and PAPERROUND_ARXIV_RSS_URL"}
_TIMES = ("", "once", "twice", "three times", "four times", "five times", "six times", "seven times", "eight times")
_PASSING = (408, 425, 429)
_LATER = "try again later"


class Unreachable(Exception):  # noqa: N818 - its message is read by people
    """No readable answer after every attempt: the address, what came instead, how often, and what to do."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt that failed: what happened, what to do about it, and whether another attempt may help."""

    what: str
    remedy: str
    passing: bool = True
    after: str = ""
    """The Retry-After header that came with it."""


def of_status(response: httpx.Response, body: bytes) -> Failure:
    """An answer other than the 200 that was hoped for."""
    status = response.status_code
    said = _words(body)
    what = f"answered {status}" + (f" ({said})" if said else "")
    if status in _PASSING or status >= 500:
        return Failure(what, _LATER, after=response.headers.get("Retry-After", ""))
    if status in (401, 403, 407, 451):
        return Failure(
            what, "it refuses this machine: check its address, its terms of use and any proxy", passing=False
        )
    if 400 <= status < 500:
        return Failure(what, "it does not know what was asked for: check the date and its address", passing=False)
    return Failure(what, _LATER)


def of_error(error: Exception, request: Request) -> Failure:
    """An exception that httpx, a timeout or a reader raised."""
    said = fields.text(str(error))[:200]
    if isinstance(error, Unreadable):
        return Failure(f"sent {said}", _LATER)
    if isinstance(
        error, httpx.UnsupportedProtocol | httpx.InvalidURL | httpx.LocalProtocolError | httpx.TooManyRedirects
    ):
        return Failure(f"has no usable address ({said})", f"check {_setting(request)}", passing=False)
    if isinstance(error, httpx.ConnectError | httpx.ProxyError | httpx.ConnectTimeout):
        why = said or "no answer in time"
        return Failure(f"could not be reached ({why})", f"check this machine's connection and {_setting(request)}")
    late = isinstance(error, TimeoutError | httpx.TimeoutException)
    return Failure("did not answer in time" if late else "broke off its answer", _LATER)


def sentence(request: Request, failures: list[Failure]) -> str:
    """Everything that an operator needs: who, what, how often, where, and what to do."""
    last = failures[-1]
    often = _TIMES[len(failures)] if len(failures) < len(_TIMES) else f"{len(failures)} times"
    if len({failure.what for failure in failures}) == 1:
        happened = f"{last.what} {often}" if len(failures) > 1 else last.what
    else:
        happened = f"failed {often}, at last it {last.what}"
    return f"{name(request)} {happened} at {shown(request.url)}: {last.remedy}"


def name(request: Request) -> str:
    """What people call the service."""
    return _NAMES.get(request.service, request.service)


def shown(url: str) -> str:
    """A URL that can be printed: without a user and password, and not endless."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url[:200]
    whole = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return whole if len(whole) <= 200 else f"{whole[:200]}…"


def _setting(request: Request) -> str:
    return _SETTINGS.get(request.service, f"PAPERROUND_{request.service.upper()}_URL")


def _words(body: bytes) -> str:
    """What the body of an error says of it, if it says it in a way that we know: JSON's "error", Atom's summary."""
    start = body[:20_000]
    if found := re.search(rb"<summary[^>]*>([^<]{1,300})<", start):
        return fields.text(found[1].decode(errors="replace"))
    try:
        return fields.text(fields.at(bodies.json_value(start), "error"))[:300]
    except Unreadable:
        return ""
