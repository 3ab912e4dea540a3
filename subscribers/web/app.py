"""The web app: its routes, and what it answers where there is none or something fails."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus

import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from flows.outcomes import Problem
from subscribers.web.damaged_links import DamagedLinks, kind_of
from subscribers.web.pages import InTheirLanguage, SecurityHeaders
from subscribers.web.reader_links import Instead, unreadable
from subscribers.web.routes import (
    act,
    archive_pages,
    confirm,
    delivery_report,
    feeds,
    fresh_link,
    home,
    login,
    machines,
    manage,
    metrics,
    paper_page,
    pictures,
    private,
    provider_hooks,
    references,
    search_page,
    signup_page,
    tune,
    unsubscribe,
)
from subscribers.web.services import Services, services
from subscribers.web.teaching import teach_page

__all__ = ["Services", "create_app"]

log = logging.getLogger(__name__)


def create_app(services: Services, extra: Sequence[BaseRoute] = ()) -> ASGIApp:
    """The app; `extra` routes come with what a demonstration adds."""
    app = Starlette(
        routes=[
            *home.ROUTES,
            # before the pages, whose paths end in anything
            *references.ROUTES,
            *pictures.ROUTES,
            *archive_pages.ROUTES,
            *paper_page.ROUTES,
            *search_page.ROUTES,
            *feeds.ROUTES,
            *machines.ROUTES,
            *signup_page.ROUTES,
            *confirm.ROUTES,
            *manage.ROUTES,
            *act.ROUTES,
            *teach_page.ROUTES,
            *tune.ROUTES,
            *fresh_link.ROUTES,
            *private.ROUTES,
            *login.ROUTES,
            *delivery_report.ROUTES,
            *metrics.ROUTES,
            *provider_hooks.ROUTES,
            *unsubscribe.ROUTES,
            Route("/healthz", _health),
            *extra,
        ],
        exception_handlers={
            Instead: _instead,
            HTTPException: _refuse,
            ClientDisconnect: _gone,
            Problem: _trouble,
            Exception: _fail,
        },
    )
    # a page has one address; a redirect would be made of the Host that the request claims
    app.router.redirect_slashes = False
    app.state.services = services
    # Starlette answers a failure outside of its own middleware: these headers must stand around all of it
    return SecurityHeaders(InTheirLanguage(DamagedLinks(app), services.phrases))


async def _health(request: Request) -> Response:
    """200 while the database answers, for whoever watches over the process."""
    async with services(request).database.read() as connection:
        await connection.execute(sa.select(1))
    return PlainTextResponse("ok\n")


async def _instead(request: Request, error: Exception) -> Response:
    assert isinstance(error, Instead)  # noqa: S101 - Starlette calls this handler for nothing else
    return error.response


async def _refuse(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.BAD_REQUEST
    say = services(request).phrases
    known = isinstance(error, HTTPException) and error.detail != HTTPStatus(status).phrase
    if status == HTTPStatus.NOT_FOUND and not known and (kind := kind_of(request.scope["path"])):
        return unreadable(request, kind)
    words = error.detail if known and isinstance(error, HTTPException) else say("problem.nothing_here")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        words = say("problem.only_shows")
    title = f"problem.title.{status}"
    response = services(request).pages(
        "problem.html", status, title=say(title if title in say else "problem.title.other"), words=words
    )
    response.headers.update(getattr(error, "headers", None) or {})
    return response


async def _gone(request: Request, error: Exception) -> Response:
    """Who hangs up in the middle of a form is told nothing, and neither is the log."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


async def _trouble(request: Request, error: Exception) -> Response:
    """What keeps the site from working stands in the log, for the operator; everybody else is asked to come back."""
    log.error("%s", error)
    say = services(request).phrases
    page = services(request).pages(
        "problem.html",
        HTTPStatus.SERVICE_UNAVAILABLE,
        title=say("problem.title.503"),
        words=say("problem.unavailable"),
    )
    page.headers["Retry-After"] = "120"
    return page


async def _fail(request: Request, error: Exception) -> Response:
    say = services(request).phrases
    return services(request).pages("problem.html", 500, title=say("problem.title.500"), words=say("problem.failed"))
