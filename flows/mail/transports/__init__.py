"""The ways out, one file each: `SCHEMES` names the URLs that it takes, `connect(url)` opens one connection.

A connection sends one message at a time and says what came of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from flows.mail.model import Message
from flows.outcomes import Outcome, Problem


class Connection(Protocol):
    """One open way to the mail server."""

    async def send(self, message: Message) -> Outcome:
        """Sends one message. Every answer is an Outcome, a lost connection too; only a bug raises."""

    @property
    def usable(self) -> bool:
        """Whether another message can be sent over it."""

    async def close(self) -> None: ...


class CantConnect(Exception):  # noqa: N818
    """The mail server can't be reached or refuses us: one sentence with the remedy. No message was tried."""


Connect = Callable[[], Awaitable[Connection]]


def transport(url: str) -> Connect:
    """What opens connections to `url`; raises Problem for a URL that no transport takes."""
    parsed = urlsplit(url)
    schemes = []
    for module in iter_modules(__path__):
        found = import_module(f"{__name__}.{module.name}")
        if parsed.scheme in found.SCHEMES:
            return _opener(found.connect, parsed)
        schemes += [f"{scheme}://" for scheme in found.SCHEMES]
    if not url:
        raise Problem(
            "PAPERROUND_MAIL_URL is not set: name your mail server, such as smtp+starttls://user:password@mail.example.org:587, "
            "or a folder, such as maildir:///tmp/outbox."
        )
    raise Problem(f"PAPERROUND_MAIL_URL begins with {parsed.scheme[:20]!r}: use one of {', '.join(sorted(schemes))}.")


def _opener(connect: Callable[[SplitResult], Awaitable[Connection]], url: SplitResult) -> Connect:
    return lambda: connect(url)
