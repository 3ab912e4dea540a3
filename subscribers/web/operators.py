"""Who may see the operator's pages: whoever has logged in with the installation's login, by a name of this site.

CSRF: the cookie is sent by pages of this site alone (SameSite=Strict), and what these pages do besides showing is to
log out. A page that links here from elsewhere, such as Prefect's behind another name, finds the browser logged out at
first: the page that asks for the login leads on.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from subscribers.web.services import services

COOKIE = "paperround_operator"
LOGIN = "/login"

Endpoint = Callable[[Request], Awaitable[Response]]

_HERE = frozenset({"127.0.0.1", "localhost", "::1"})
_PAGES = re.compile(r"/metrics|/(?:report|preview)/[\w/.-]+(?:\?[\w=&%.-]*)?", re.ASCII)


def by_our_name(page: Endpoint) -> Endpoint:
    """The page, for whoever asks this site for it by a name of its own: one of somebody else's that leads to this
    machine would let their page read it (DNS rebinding)."""

    @functools.wraps(page)
    async def asked(request: Request) -> Response:
        s = services(request)
        if _name(request) not in _HERE | {urlsplit(s.public_url).hostname}:
            raise HTTPException(HTTPStatus.MISDIRECTED_REQUEST, s.phrases.text("login.other_name"))
        return await page(request)

    return asked


def _name(request: Request) -> str:
    try:
        return urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
    except ValueError:
        return ""


def operators_alone(page: Endpoint) -> Endpoint:
    """The page, for whoever has logged in; anybody else is asked for the login first."""

    @by_our_name
    @functools.wraps(page)
    async def asked(request: Request) -> Response:
        if not await logged_in(request):
            # as they came: what is no URL can be asked for, too
            query = request.scope["query_string"].decode("latin-1")
            asked_for = wanted(f"{request.scope['path']}?{query}".removesuffix("?"))
            return RedirectResponse(f"{LOGIN}?next={quote(asked_for)}", HTTPStatus.SEE_OTHER)
        return await page(request)

    return asked


async def logged_in(request: Request) -> bool:
    s = services(request)
    return await s.sessions.is_open(request.cookies.get(COOKIE, ""), s.now())


def wanted(written: str) -> str:
    """The operator's page that was asked for before the login, if it is one of this site's; else where one logs in."""
    return written if _PAGES.fullmatch(written) and "//" not in written else LOGIN
