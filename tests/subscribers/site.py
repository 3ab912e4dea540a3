"""The web app to test with: a site whose clock stands at noon, a browser for it, and links of its readers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import sqlalchemy as sa
from starlette.types import ASGIApp, Message

from flows.context import Context
from flows.editions.model import Edition
from flows.mail.cards import pack
from flows.papers.model import Collected, Paper
from flows.pipeline import cards_of
from flows.storage.database import metadata
from flows.storage.editions import Frozen
from subscribers.model import Subscription, SubscriptionState
from subscribers.people.store import Change
from subscribers.tables import outbox
from subscribers.tokens import Purpose, sign
from subscribers.web.app import Services, create_app
from tests import factories
from tests.context import NOON
from tests.factories import DAY

NEW, OLD = "the newest key of many bytes", "an older key of many bytes"
READER = "ada.brook@example.org"
SCRIPT = "<script>alert('x')</script>"
OTHER_DAY = DAY - dt.timedelta(days=1)


@dataclass(frozen=True)
class Site:
    context: Context
    services: Services
    app: ASGIApp
    browser: httpx.AsyncClient

    async def publish(self, edition: Edition | None = None) -> Frozen:
        made = edition or factories.edition()
        cards = await cards_of(self.context, made, self.context.newsletters["daily"])
        return await self.context.store.freeze(made, pack(cards), NOON)

    async def subscribe(self, address: str = READER) -> int:
        await self.context.subscribers.keep([Change(email=address, newsletter="daily", columns={})], NOON)
        found = await self.context.subscribers.by_address(address, "daily")
        assert found
        return found.id

    async def state(self, identity: int) -> SubscriptionState:
        found = await self.context.subscribers.get(identity)
        assert found
        return found.state

    async def reader(self, address: str = READER) -> Subscription:
        found = await self.context.subscribers.get(await self.subscribe(address))
        assert found
        return found

    async def now(self, identity: int) -> Subscription:
        """A subscription as it stands."""
        found = await self.context.subscribers.get(identity)
        assert found
        return found

    async def letters(self) -> Sequence[str]:
        """The kinds of the letters in the outbox, in the order in which they were asked for."""
        async with self.context.database.read() as connection:
            return (await connection.scalars(sa.select(outbox.c.kind).order_by(outbox.c.id))).all()

    async def log_in(self) -> None:
        """The browser becomes the operator's."""
        answer = await self.browser.post("/login", data={"login": self.context.settings.login}, follow_redirects=False)
        assert answer.status_code == 303

    async def everything(self) -> dict[str, list[Any]]:
        """All rows of all tables."""
        async with self.context.database.read() as connection:
            return {
                table.name: sorted(map(repr, (await connection.execute(sa.select(table))).all()))
                for table in metadata.sorted_tables
            }


def served(made: Services) -> tuple[ASGIApp, httpx.AsyncClient]:
    app = create_app(made)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return app, httpx.AsyncClient(transport=transport, base_url="https://papers.example.org", follow_redirects=True)


def unsubscribe(identity: int, key: str = NEW) -> str:
    return f"/unsubscribe/{sign(Purpose.UNSUBSCRIBE, identity, key.encode())}"


def preview(day: dt.date) -> str:
    return f"/preview/daily/{day}"


def link(purpose: Purpose, identity: int, now: dt.datetime = NOON) -> str:
    """The path of a reader's page."""
    if purpose is Purpose.UNSUBSCRIBE:
        return unsubscribe(identity)
    return f"/{purpose}/{sign(purpose, identity, NEW.encode(), now)}"


def act(identity: int, action: str) -> str:
    return f"/act/{sign(Purpose.MANAGE, identity, NEW.encode(), NOON)}/{action}"


async def collect(site: Site, *papers: Paper) -> None:
    await site.context.store.keep(Collected(source="huggingface", day=DAY, papers=papers), NOON)


async def ask(
    app: ASGIApp, method: str, path: str, query: bytes = b"", cookie: str = ""
) -> tuple[int, dict[str, str], bytes]:
    """The answer to a path as it is: a client would have put it in order first."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "surrogatepass"),
        "root_path": "",
        "query_string": query,
        "headers": [(b"host", b"papers.example.org"), (b"if-none-match", query), (b"cookie", cookie.encode())],
        "client": ("192.0.2.7", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])
