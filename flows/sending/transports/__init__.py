"""The ways out, one file each: `SCHEMES` names the URLs that it takes, `opener(url)` checks one and gives what opens
connections to it.

A connection brings one message after another, each in two steps, and says what came of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol
from urllib.parse import urlsplit

from flows.mail.model import Message
from flows.outcomes import Outcome, Problem
from flows.plugins.installed import TRANSPORTS, usable


class Connection(Protocol):
    """One open way to the mail server."""

    async def offer(self, message: Message) -> Outcome | None:
        """Asks whether the message is welcome; nothing of its content leaves. None: it is, and `bring` must follow, or
        `abandon`; where nobody can be asked (a folder, a service spoken to by HTTP) it is None at once. Every answer
        is an Outcome, a lost connection too; only a bug raises."""

    async def bring(self, message: Message, following: Message | None = None) -> Outcome:
        """Sends the message that was offered. `following` is the one to be offered next, so that both can share a
        round trip."""

    async def send(self, message: Message) -> Outcome:
        """Offers one message and brings it."""

    def abandon(self) -> None:
        """Ends the connection at once: a message that was offered is brought to nobody."""

    @property
    def usable(self) -> bool:
        """Whether another message can be sent over it."""

    async def close(self) -> None: ...


class CantConnect(Exception):  # noqa: N818
    """The mail server can't be reached or refuses us: one sentence with the remedy. No message was tried.

    `lasting`: trying again without a change of the configuration would bring the same. `busy`: it has too much to do.
    `login`: it is the login that was refused, and each further try could lock the account.
    """

    def __init__(self, sentence: str, *, lasting: bool = False, busy: bool = False, login: bool = False) -> None:
        super().__init__(sentence)
        self.lasting = lasting
        self.busy = busy
        self.login = login


Connect = Callable[[], Awaitable[Connection]]


def transport(url: str) -> Connect:
    """What opens connections to `url`; raises Problem for a URL that no transport takes."""
    if not url:
        raise Problem(
            "PAPERROUND_MAIL_URL is not set: name your mail server, such as "
            "smtp+starttls://user:password@mail.example.org:587, or a folder, such as maildir:///tmp/outbox."
        )
    try:
        parsed = urlsplit(url)
    except ValueError:  # whose words may repeat the password
        raise Problem("PAPERROUND_MAIL_URL is no URL: use one such as smtp://mail.example.org:25.") from None
    schemes = []
    ours = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    for found in (*ours, *usable(TRANSPORTS).values()):
        if parsed.scheme in found.SCHEMES:
            connect: Connect = found.opener(parsed)
            return connect
        schemes += [f"{scheme}://" for scheme in found.SCHEMES]
    # A URL may hold a password: no more of it is shown than what stands before its colon.
    began = f"begins with {parsed.scheme[:20]!r}" if parsed.scheme else "names no scheme"
    raise Problem(f"PAPERROUND_MAIL_URL {began}: use one of {', '.join(sorted(schemes))}.")
