"""The first page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flows.editions.model import Edition, Newsletter
from flows.papers.model import Paper
from subscribers.web.page_meta import Card, feeds_of
from subscribers.web.pages import public
from subscribers.web.routes.signup_page import form_of
from subscribers.web.services import services


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A newsletter's latest edition on the first page."""

    newsletter: Newsletter
    edition: Edition

    @property
    def best(self) -> Sequence[Paper]:
        return [entry.paper for entry in nlargest(BEST, self.edition.entries, key=lambda entry: entry.score)]


BEST = 3
"""Papers of an edition that the first page names."""


async def home(request: Request) -> Response:
    s = services(request)
    latest = [(newsletter, await s.store.latest(newsletter.slug)) for newsletter in s.newsletters.values()]
    shown = [Shown(newsletter=newsletter, edition=frozen.edition) for newsletter, frozen in latest if frozen]
    shown.sort(key=lambda one: one.edition.day, reverse=True)
    card = Card(
        title=s.phrases.text("site.name"),
        description=s.phrases.text("home.lead"),
        url=f"{s.public_url}/",
        type="website",
        feeds={title: path for one in shown for title, path in feeds_of(one.newsletter).items()},
    )
    return public(request, s.pages("home.html", shown=shown, signup=await form_of(request), card=card), 0)


ROUTES = (Route("/", home),)
