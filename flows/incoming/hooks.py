"""The webhooks of providers: a call is verified, heard once, and done."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

import httpx

from flows.context import Context
from flows.incoming.model import Event
from flows.incoming.providers import providers
from flows.incoming.webhooks import Call, CallRefused, Fetch
from flows.incoming.whose import said
from subscribers.ledger.came_back import Replayed

PATIENCE = 10.0
"""Seconds that a provider's own server may take."""
SIZE = 64 * 1024
"""Bytes of its answer: a certificate has a few thousand."""
KEPT = 10
"""Certificates that are not asked for again."""

log = logging.getLogger(__name__)

Answer = tuple[HTTPStatus, str]


class Hooks:
    """What the web app does with a call to /hooks/PROVIDER."""

    def __init__(self, context: Context, fetch: Fetch | None = None) -> None:
        self._context = context
        self._fetch = fetch or Fetched()

    async def __call__(self, name: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The status and a line that answer a call. One that is not believed changes nothing, nor does one that was
        heard before."""
        secret, provider = self._context.settings.hook_secrets.get(name), providers().get(name)
        if provider is None or not secret:
            return HTTPStatus.NOT_FOUND, "No such provider is set."
        now = self._context.now()
        try:
            notice = await provider.read(Call(headers, body), secret, now, self._fetch)
        except CallRefused as refused:
            log.warning("A call of %s was refused: %s", provider.TITLE, refused)
            return HTTPStatus.FORBIDDEN, str(refused)
        keys = self._context.settings.keys
        told = [(report.event, found) for report in notice.reports if (found := said(report, keys, name))]
        leaving = [found for event, found in told if event is Event.UNSUBSCRIBED]
        others = [found for event, found in told if event is not Event.UNSUBSCRIBED]
        try:
            await self._context.came_back.record(others, now, leaving=leaving, call=f"{name} {notice.unique}")
        except Replayed:
            return HTTPStatus.CONFLICT, "This call was heard before."
        return HTTPStatus.OK, "Heard."


class Fetched:
    """Gets what a provider's server has; what was got is kept."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    async def __call__(self, address: str) -> bytes:
        if address in self._kept:
            return self._kept[address]
        try:
            content = await _content(address)
        except httpx.HTTPError as error:
            raise CallRefused(f"The provider's own server does not answer ({type(error).__name__}).") from error
        if address.endswith(".pem"):
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[address] = content
        return content


async def _content(address: str) -> bytes:
    found = b""
    async with (
        httpx.AsyncClient(timeout=PATIENCE, follow_redirects=False) as client,
        client.stream("GET", address) as answer,
    ):
        answer.raise_for_status()
        async for piece in answer.aiter_bytes():
            found += piece
            if len(found) > SIZE:
                raise CallRefused("The provider's own server answers too much.")
    return found
