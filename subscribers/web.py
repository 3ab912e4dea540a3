"""The web app: the latest editions, the archive, signed previews, and leaving a newsletter.

GET and HEAD never change anything: mail scanners follow links. What the app needs done (an edition as a page, a
preview, the time) is handed to `create_app`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from http import HTTPStatus

import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from flows.database import Database
from flows.editions.model import Edition, Kind, Newsletter, NoEdition
from flows.papers.model import Paper
from flows.store import Frozen, Store
from subscribers.model import SubscriptionState
from subscribers.pages import Pages, SecurityHeaders, public
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
HOUR = 3600


def create_app(services: Services, extra: Sequence[BaseRoute] = ()) -> ASGIApp:
    """The app; `extra` routes come with what a demonstration adds."""
    app = Starlette(
        routes=[
            Route("/", _home),
            Route("/archive", _archive),
            Route("/archive/{newsletter}/{day}", _edition),
            Route("/preview/{newsletter}/{day}", _preview),
            Route("/unsubscribe/{token}", _unsubscribe, methods=["GET", "POST"]),
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


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _home(request: Request) -> Response:
    s = _services(request)
    latest = [(newsletter, await s.store.latest(newsletter.slug)) for newsletter in s.newsletters.values()]
    shown = [Shown(newsletter=newsletter, edition=frozen.edition) for newsletter, frozen in latest if frozen]
    shown.sort(key=lambda one: one.edition.day, reverse=True)
    return public(request, s.pages("home.html", shown=shown), 0)


async def _archive(request: Request) -> Response:
    """The address that a mail's List-Archive header names. Until there is a list, the latest editions."""
    return RedirectResponse("/")


async def _edition(request: Request) -> Response:
    s = _services(request)
    newsletter, day = _named(request)
    kept = await s.store.find(newsletter.slug, Kind.DAILY, day)
    if isinstance(kept, Frozen):
        return public(request, s.pages.edition(await s.page_of(kept)), HOUR)
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
    kept = await s.store.find(newsletter.slug, Kind.DAILY, day)
    if isinstance(kept, Frozen):
        return s.pages.edition(await s.page_of(kept))
    shown = await s.preview_of(newsletter, day)
    if isinstance(shown, NoEdition):
        return s.pages("no_edition.html", newsletter=newsletter, day=day, reason=shown.reason)
    return s.pages.edition(shown, draft=True)


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
    return PlainTextResponse("ok\n")


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
