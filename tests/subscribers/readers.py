"""The site as a visitor sees it, who has no link of their own."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import httpx
from lxml import html

from flows.context import Context
from flows.editions.model import Edition, Kind, NoEdition
from flows.mail.cards import pack
from flows.papers.model import Collected
from flows.pipeline import cards_of
from flows.storage.editions import Frozen
from tests import factories
from tests.context import NOON
from tests.factories import DAY

URL = "https://papers.example.org"


@dataclass(frozen=True)
class Visited:
    context: Context
    browser: httpx.AsyncClient

    async def publish(self, edition: Edition | None = None, at: dt.datetime = NOON) -> Frozen:
        """Keeps an edition's papers as if they had been collected on its day, and freezes it."""
        made = edition or self.edition()
        papers = tuple(replace(entry.paper, day=made.day) for entry in made.entries)
        await self.context.store.keep(Collected(source="huggingface", day=made.day, papers=papers), at)
        cards = await cards_of(self.context, made, self.context.newsletters[made.newsletter])
        return await self.context.store.freeze(made, pack(cards), at)

    def edition(self, **given: Any) -> Edition:
        return factories.edition(**given)

    async def silence(self, day: dt.date, reason: str, newsletter: str = "daily") -> None:
        none = NoEdition(newsletter=newsletter, kind=Kind.DAILY, day=day, reason=reason)
        await self.context.store.keep_draft(none, NOON)

    async def page(self, path: str, status: int = 200) -> str:
        answer = await self.browser.get(path)
        assert answer.status_code == status, answer.text
        return answer.text


def tree_of(page: str | bytes) -> Any:
    """A page to ask by XPath."""
    return html.fromstring(page)


async def is_sent_once(site: Visited, path: str) -> None:
    """A public page has a tag, is not sent again to whoever has it, and answers HEAD alike."""
    first = await site.browser.get(path)
    assert first.status_code == 200
    assert first.headers["Cache-Control"] == "no-cache" or first.headers["Cache-Control"].startswith("public, max-age=")
    again = await site.browser.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    asked = await site.browser.head(path)
    assert (asked.status_code, asked.headers["ETag"]) == (200, first.headers["ETag"])


__all__ = ["DAY", "NOON", "URL", "Visited", "is_sent_once", "tree_of"]
