"""Mail into a folder (maildir: a file a message, never half a one), to look at or to hand on."""

from __future__ import annotations

import asyncio
import mailbox
from pathlib import Path
from urllib.parse import SplitResult, unquote

from flows.mail.model import Message
from flows.outcomes import Outcome, Problem, Stage, Verdict
from flows.sending.transports import CantConnect, Connect

SCHEMES = ("maildir",)


class MaildirConnection:
    def __init__(self, box: mailbox.Maildir) -> None:
        self._box = box

    @property
    def usable(self) -> bool:
        return True

    async def offer(self, message: Message) -> Outcome | None:
        """A folder takes every message."""
        return None

    async def bring(self, message: Message, following: Message | None = None) -> Outcome:
        try:
            await asyncio.to_thread(self._box.add, message.content)
        except (OSError, mailbox.Error) as error:
            return Outcome(Verdict.UNSENT, Stage.CONNECT, text=f"the folder can't be written: {error}"[:500])
        return Outcome(Verdict.SENT, Stage.CONTENT, text="kept in the folder")

    async def send(self, message: Message) -> Outcome:
        return await self.bring(message)

    def abandon(self) -> None:
        """Nothing was begun."""

    async def close(self) -> None:
        """Nothing stays open between two messages."""


def opener(url: SplitResult) -> Connect:
    """Keeps what it is given in the URL's folder; raises Problem for a URL that names none."""
    folder = Path(unquote(url.path))
    if url.netloc or not url.path.startswith("/") or url.query or url.fragment:
        raise Problem("PAPERROUND_MAIL_URL should name a folder from the root, such as maildir:///home/me/outbox.")

    async def connect() -> MaildirConnection:
        try:
            for part in ("tmp", "new", "cur"):
                (folder / part).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CantConnect(
                f"The folder {folder} can't be written ({error.strerror}): choose another in PAPERROUND_MAIL_URL.",
                lasting=True,
            ) from error
        return MaildirConnection(mailbox.Maildir(folder))

    return connect
