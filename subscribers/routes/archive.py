"""Editions that have come out, and the operator's look at one that has not."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from flows.editions.model import Kind, NoEdition
from flows.store import Frozen
from subscribers.pages import public
from subscribers.services import named, services
from subscribers.tokens import Purpose, verify_text

HOUR = 3600


async def archive(request: Request) -> Response:
    """The address that a mail's List-Archive header names. Until there is a list, the latest editions."""
    return RedirectResponse("/")


async def edition(request: Request) -> Response:
    s = services(request)
    newsletter, day = named(request)
    kept = await s.store.find(newsletter.slug, Kind.DAILY, day)
    if isinstance(kept, Frozen):
        return public(request, s.pages.edition(await s.page_of(kept)), HOUR)
    if isinstance(kept, NoEdition):
        return s.pages("no_edition.html", HTTPStatus.NOT_FOUND, newsletter=newsletter, day=day, reason=kept.reason)
    # a draft is the operator's affair until it is delivered
    raise HTTPException(HTTPStatus.NOT_FOUND, f"{newsletter.title} has no edition of {day}.")


async def preview(request: Request) -> Response:
    s = services(request)
    newsletter, day = named(request)
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


ROUTES = (
    Route("/archive", archive),
    Route("/archive/{newsletter}/{day}", edition),
    Route("/preview/{newsletter}/{day}", preview),
)
