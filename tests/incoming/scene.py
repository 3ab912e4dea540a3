"""Readers, editions that were sent to them, and what comes back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from flows.context import Context
from flows.incoming.handle import Returns, read_returns
from flows.storage.database import Database
from flows.storage.editions import edition
from subscribers.bounces import BounceState
from subscribers.model import DeliveryState, Subscription, Suppressed
from subscribers.people.store import Change
from subscribers.return_address import return_address
from subscribers.tables import batch, bounce, delivery
from subscribers.tokens import Purpose, sign
from tests.context import NOON, context_of

KEY = "a key of sixteen letters or more"
DAY = dt.timedelta(days=1)


@dataclass
class Scene:
    context: Context
    folder: Path
    now: dt.datetime = NOON
    readers: dict[str, int] = field(default_factory=dict)
    """Subscriptions by address."""
    sent: list[int] = field(default_factory=list)
    """Editions by number, a day each."""
    _messages: int = 0

    async def subscribe(self, *addresses: str, newsletter: str = "daily") -> None:
        changes = [Change(email=one, newsletter=newsletter, columns={}) for one in addresses]
        await self.context.subscribers.keep(changes, self.now)
        for one in addresses:
            found = await self.context.subscribers.by_address(one, newsletter)
            assert found
            self.readers[one] = found.id

    async def send(self, *addresses: str, day: dt.datetime | None = None, newsletter: str = "daily") -> int:
        """An edition that the mail server took for these readers, all if none is named; its number."""
        at = day or self.now
        numbers = [self.readers[one] for one in addresses] if addresses else list(self.readers.values())
        async with self.context.database.write() as connection:
            made = sa.insert(edition).values(
                newsletter=newsletter, kind="daily", day=at.date(), state="frozen", number=len(self.sent) + 1,
                document="{}", reason="", changed_at=at, opened_at=at,
            )  # fmt: skip
            number: int = (await connection.execute(made.returning(edition.c.id))).scalar_one()
            row = {"edition_id": number, "state": DeliveryState.SENT, "attempts": 1, "words": "", "changed_at": at}
            if numbers:
                await connection.execute(sa.insert(delivery), [{**row, "subscription_id": one} for one in numbers])
                await connection.execute(sa.insert(batch).values(edition_id=number, lo=min(numbers), hi=max(numbers)))
        self.sent.append(number)
        return number

    async def was_sent(self, number: int, address: str) -> bool:
        mine = (delivery.c.edition_id == number, delivery.c.subscription_id == self.readers[address])
        async with self.context.database.read() as connection:
            return bool(await connection.scalar(sa.select(sa.exists().where(*mine))))

    def token_of(self, number: int, address: str) -> str:
        """The return address of a delivery."""
        return return_address("bounces@example.org", number, self.readers[address], KEY.encode())

    def unsubscribe_token(self, address: str) -> str:
        return sign(Purpose.UNSUBSCRIBE, self.readers[address], KEY.encode())

    def message_id(self, address: str, day: dt.datetime | None = None) -> str:
        return f"daily.daily.{(day or self.now).date()}.{self.readers[address]}@papers.example.org"

    def put(self, content: bytes, name: str = "") -> None:
        self._messages += 1
        (self.folder / "new" / (name or f"{self._messages:06}.m")).write_bytes(content)

    async def read(self) -> Returns:
        return await read_returns(self.context)

    def left(self) -> list[str]:
        """The messages that were left unread."""
        return sorted(file.name for file in (self.folder / "cur").iterdir() if not file.name.endswith("S"))

    async def reader(self, address: str) -> Subscription:
        found = await self.context.subscribers.get(self.readers[address])
        assert found
        return found

    async def suppressed(self) -> dict[str, Suppressed]:
        every = [one async for one in self.context.subscribers.walk()]
        return {one.email: one.suppressed for one in every if one.suppressed}

    async def rows(self) -> Sequence[sa.Row[Any]]:
        async with self.context.database.read() as connection:
            return (await connection.execute(sa.select(bounce).order_by(bounce.c.subscription_id))).all()

    async def states(self) -> dict[BounceState, int]:
        found: dict[BounceState, int] = {}
        for row in await self.rows():
            found[BounceState(row.state)] = found.get(BounceState(row.state), 0) + 1
        return found


def scene_of(database: Database, folder: Path, **given: Any) -> Scene:
    mailbox = folder / "returns"
    for part in ("new", "cur", "tmp"):
        (mailbox / part).mkdir(parents=True)
    settings = {"secret_key": KEY, "returns_url": f"maildir://{mailbox}", "return_path": "bounces@example.org"}
    made = Scene(context_of(database, folder, **(settings | given)), mailbox)
    object.__setattr__(made.context, "now", lambda: made.now)
    return made


def report(
    to: str = "bounces@example.org",
    address: str = "ada@reader.example",
    *,
    diagnostic: str = "smtp; 550 5.1.1 user unknown",
    status: str = "5.1.1",
    action: str = "failed",
    headers: str = "",
) -> bytes:
    """A delivery report of RFC 3464."""
    return (
        f"From: MAILER-DAEMON@mx.reader.example\nTo: {to}\nSubject: Undelivered\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nIt came back.\n\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.reader.example\n\n"
        f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: {diagnostic}\n\n"
        f"--b\nContent-Type: text/rfc822-headers\n\nSubject: 12 papers\n{headers}\n--b--\n"
    ).encode()


def complaint(*, address: str = "", headers: str = "", kind: str = "abuse") -> bytes:
    """A complaint of RFC 5965."""
    recipient = f"Original-Rcpt-To: {address}\n" if address else ""
    return (
        "From: feedback@provider.example\nTo: bounces@example.org\nSubject: complaint\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nA reader has complained.\n\n"
        f"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: {kind}\nVersion: 1\n{recipient}\n"
        f"--b\nContent-Type: message/rfc822\n\nSubject: 12 papers\n{headers}\n\nbody\n--b--\n"
    ).encode()


FULL = {"diagnostic": "smtp; 552 5.2.2 mailbox full", "status": "5.2.2"}
