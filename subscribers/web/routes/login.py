"""Where an operator logs in and out."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from subscribers.web import forms
from subscribers.web.abuse import network
from subscribers.web.forms import first
from subscribers.web.operators import COOKIE, LOGIN, by_our_name, logged_in, wanted
from subscribers.web.services import services
from subscribers.web.sessions import LIFE

ATTEMPTS = 10
"""Logins that a network may try within a quarter of an hour: nobody guesses it, and none shall keep us busy."""
WINDOW = dt.timedelta(minutes=15)


async def login(request: Request) -> Response:
    """GET asks for the login; POST takes it, and leads to the page that was asked for before."""
    if request.method != "POST":
        return _page(request, wanted(request.query_params.get("next", "")), inside=await logged_in(request))
    s = services(request)
    if not await s.limits.allow("login", network(request), ATTEMPTS, WINDOW, s.now()):
        seconds = str(int(WINDOW.total_seconds()))
        raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, s.phrases.text("login.often"), {"Retry-After": seconds})
    sent = await forms.read(request)
    after = wanted(first(sent, "next"))
    if not s.sessions.fits(first(sent, "login")):
        return _page(request, after, wrong=True)
    answer = RedirectResponse(after, HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        COOKIE,
        await s.sessions.open(s.now()),
        max_age=int(LIFE.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.scope["scheme"] == "https",
    )
    return answer


async def logout(request: Request) -> Response:
    """Ends the session, also for whoever has copied the cookie."""
    if token := request.cookies.get(COOKIE):
        await services(request).sessions.close(token)
    answer = RedirectResponse(LOGIN, HTTPStatus.SEE_OTHER)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=request.scope["scheme"] == "https")
    return answer


def _page(request: Request, after: str, *, wrong: bool = False, inside: bool = False) -> Response:
    s = services(request)
    return s.pages(
        "login.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        after=after,
        inside=inside,
        elsewhere=request.headers.get("Sec-Fetch-Site") == "cross-site" and after != LOGIN,
        errors={"login": s.phrases("login.wrong")} if wrong else {},
    )


ROUTES = (
    Route(LOGIN, by_our_name(login), methods=["GET", "POST"]),
    Route("/logout", by_our_name(logout), methods=["POST"]),
)
