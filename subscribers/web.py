"""The web app: its routes, and what it answers where there is none or something fails."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from subscribers.pages import SecurityHeaders
from subscribers.routes import archive, home, unsubscribe
from subscribers.services import Services, services

__all__ = ["Services", "create_app"]


def create_app(services: Services, extra: Sequence[BaseRoute] = ()) -> ASGIApp:
    """The app; `extra` routes come with what a demonstration adds."""
    app = Starlette(
        routes=[
            *home.ROUTES,
            *archive.ROUTES,
            *unsubscribe.ROUTES,
            Route("/healthz", _health),
            *extra,
        ],
        exception_handlers={HTTPException: _refuse, Exception: _fail},
    )
    # a page has one address; a redirect would be made of the Host that the request claims
    app.router.redirect_slashes = False
    app.state.services = services
    # Starlette answers a failure outside of its own middleware: these headers must stand around all of it
    return SecurityHeaders(app)


async def _health(request: Request) -> Response:
    """200 while the database answers, for whoever watches over the process."""
    async with services(request).database.read() as connection:
        await connection.execute(sa.select(1))
    return PlainTextResponse("ok\n")


async def _refuse(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.BAD_REQUEST
    known = isinstance(error, HTTPException) and error.detail != HTTPStatus(status).phrase
    words = error.detail if known and isinstance(error, HTTPException) else "There is nothing at this address."
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        words = "This address only shows something: nothing can be sent to it."
    response = services(request).pages("problem.html", status, title=HTTPStatus(status).phrase, words=words)
    response.headers.update(getattr(error, "headers", None) or {})
    return response


async def _fail(request: Request, error: Exception) -> Response:
    words = "Something went wrong on our side. Nothing was changed; try again in a minute."
    return services(request).pages("problem.html", 500, title="Something went wrong", words=words)
