"""The pictures of the site: its icon."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from subscribers.web.pages import public

WEEK = 7 * 86_400
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="#0b6e5f"/>'
    '<path d="M9 6h10l5 5v15H9z" fill="#fff"/><path d="M19 6v5h5" fill="#b9d8d2"/>'
    '<path d="M12 15h9M12 18.5h9M12 22h6" stroke="#0b6e5f" stroke-width="1.6"/></svg>'
)
"""A sheet of paper. Every browser that shows icons of pages reads SVG, whatever its name ends in."""


async def icon(request: Request) -> Response:
    return public(request, Response(ICON, media_type="image/svg+xml"), WEEK)


ROUTES = (Route("/favicon.ico", icon),)
