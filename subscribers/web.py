"""The web app: the latest editions, the archive, signed previews, and leaving a newsletter.

GET and HEAD never change anything: mail scanners follow links. What the app needs done (an edition as a page, a
preview, the time) is handed to `create_app`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from flows.database import Database
from flows.editions.model import Kind, Newsletter, NoEdition
from flows.store import Frozen, Store
from subscribers.model import SubscriptionState
from subscribers.pages import Pages, SecurityHeaders
from subscribers.store import Subscribers
from subscribers.tokens import PREVIEW_READER, Purpose, verify, verify_text


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the web app needs of the rest."""

    database: Database
    store: Store
    subscribers: Subscribers
    newsletters: Mapping[str, Newsletter]
    keys: Sequence[bytes]
    pages: Pages
    page_of: Callable[[Frozen], Awaitable[str]]
    """A frozen edition as a page, without anything personal."""
    preview_of: Callable[[Newsletter, dt.date], Awaitable[str | NoEdition]]
    """The edition of a day as it would be now, as a page. Stores nothing."""
    now: Callable[[], dt.datetime]


def create_app(services: Services, extra: Sequence[BaseRoute] = ()) -> Starlette:
    """The app; `extra` routes come with what a demonstration adds."""
    app = Starlette(
        routes=[
            Route("/", _home),
            Route("/archive/{newsletter}/{day}", _edition),
            Route("/preview/{newsletter}/{day}", _preview),
            Route("/unsubscribe/{token}", _unsubscribe, methods=["GET", "POST"]),
            Route("/healthz", _health),
            *extra,
        ],
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={HTTPException: _refuse, Exception: _fail},
    )
    app.state.services = services
    return app


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _home(request: Request) -> Response:
    s = _services(request)
    latest = [(newsletter, await s.store.latest(newsletter.slug)) for newsletter in s.newsletters.values()]
    shown = [(newsletter, frozen) for newsletter, frozen in latest if frozen is not None]
    return s.pages("home.html", shown=shown, has_inbox=_has_inbox(request))


def _has_inbox(request: Request) -> bool:
    return any(getattr(route, "path", "") == "/inbox" for route in request.app.routes)


async def _edition(request: Request) -> Response:
    s = _services(request)
    newsletter, day = _named(request)
    kept = await s.store.find(newsletter.slug, Kind.DAILY, day)
    if isinstance(kept, Frozen):
        return HTMLResponse(await s.page_of(kept), headers={"Cache-Control": "public, max-age=3600"})
    if isinstance(kept, NoEdition):
        return s.pages("no_edition.html", HTTPStatus.NOT_FOUND, newsletter=newsletter, day=day, reason=kept.reason)
    # a draft is the operator's affair until it is delivered
    raise HTTPException(HTTPStatus.NOT_FOUND, f"{newsletter.title} has no edition of {day}.")


async def _preview(request: Request) -> Response:
    s = _services(request)
    newsletter, day = _named(request)
    path = f"{newsletter.slug}/{day}"
    if not verify_text(Purpose.PREVIEW, path, request.query_params.get("seal", ""), s.keys):
        raise HTTPException(HTTPStatus.FORBIDDEN, "This preview's link is not complete: take it from the run again.")
    shown = await s.preview_of(newsletter, day)
    if isinstance(shown, NoEdition):
        return s.pages("no_edition.html", newsletter=newsletter, day=day, reason=shown.reason)
    return HTMLResponse(shown, headers={"Cache-Control": "no-store"})


def _named(request: Request) -> tuple[Newsletter, dt.date]:
    """The newsletter and the day that a path names; an unknown one is a page that was not found."""
    slug, written = request.path_params["newsletter"], request.path_params["day"]
    newsletter = _services(request).newsletters.get(slug)
    try:
        day = dt.date.fromisoformat(written)
    except ValueError:
        day = None
    if newsletter is None or day is None or written != str(day):
        raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such edition.")
    return newsletter, day


async def _unsubscribe(request: Request) -> Response:
    """GET shows one button; POST ends the subscription, however often and with whatever body (RFC 8058 section 3.2:
    no cookies, no redirect). It needs no other guard: the token is the reader's own, and a forged request would have
    to know it."""
    s = _services(request)
    identity = verify(Purpose.UNSUBSCRIBE, request.path_params["token"], s.keys)
    if identity is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "This link is not complete: copy the whole of it from the mail.")
    if identity == PREVIEW_READER:
        return s.pages("preview_link.html")
    if request.method == "POST":
        await s.subscribers.unsubscribe(identity, s.now())
    found = await s.subscribers.get(identity)
    gone = found is None or found.state is SubscriptionState.UNSUBSCRIBED
    title = s.newsletters[found.newsletter].title if found and found.newsletter in s.newsletters else "this newsletter"
    return s.pages("unsubscribe.html", gone=gone, title=title)


async def _health(request: Request) -> Response:
    """200 while the database answers, for whoever watches over the process."""
    async with _services(request).database.read() as connection:
        await connection.execute(sa.select(1))
    return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})


async def _refuse(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.BAD_REQUEST
    known = isinstance(error, HTTPException) and error.detail != HTTPStatus(status).phrase
    words = error.detail if known and isinstance(error, HTTPException) else "There is nothing at this address."
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        words = "This address only shows something: nothing can be sent to it."
    response = _services(request).pages("problem.html", status, title=HTTPStatus(status).phrase, words=words)
    response.headers.update(getattr(error, "headers", None) or {})
    return response


async def _fail(request: Request, error: Exception) -> Response:
    words = "Something went wrong on our side. Nothing was changed; try again in a minute."
    return _services(request).pages("problem.html", 500, title="Something went wrong", words=words)
