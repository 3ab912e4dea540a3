"""The pictures of the site: its icon, and one of each edition for those who link to it."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flows.editions.maths import text
from flows.editions.model import Kind
from flows.storage.editions import Frozen
from subscribers.web.edition_picture import Drawn, picture
from subscribers.web.pages import public
from subscribers.web.services import named, services

WEEK = 7 * 86_400
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="#0b6e5f"/>'
    '<path d="M9 6h10l5 5v15H9z" fill="#fff"/><path d="M19 6v5h5" fill="#b9d8d2"/>'
    '<path d="M12 15h9M12 18.5h9M12 22h6" stroke="#0b6e5f" stroke-width="1.6"/></svg>'
)
"""A sheet of paper. Every browser that shows icons of pages reads SVG, whatever its name ends in."""


async def icon(request: Request) -> Response:
    return public(request, Response(ICON, media_type="image/svg+xml"), WEEK)


async def daily(request: Request) -> Response:
    return await _of_edition(request, Kind.DAILY)


async def weekly(request: Request) -> Response:
    return await _of_edition(request, Kind.WEEKLY)


async def _of_edition(request: Request, kind: Kind) -> Response:
    s = services(request)
    newsletter, day = named(request)
    kept = await s.store.find(newsletter.slug, kind, day)
    if not isinstance(kept, Frozen):
        words = s.phrases.text("archive.not_there", title=newsletter.title, day=day)
        raise HTTPException(HTTPStatus.NOT_FOUND, words)
    lead = kept.edition.lead
    drawn = Drawn(
        newsletter=newsletter.title,
        date=str(s.pages.long_date(day).unescape()),
        lead=text(lead.title) or lead.id if lead else "",
        count=s.phrases.text("archive.papers", count=kept.edition.size),
        accent=newsletter.accent,
    )
    made = await asyncio.to_thread(picture, drawn)
    return public(request, Response(made, media_type="image/png"), WEEK)


ROUTES = (
    Route("/favicon.ico", icon),
    Route("/archive/{newsletter}/week/{day}.png", weekly),
    Route("/archive/{newsletter}/{day}.png", daily),
)
