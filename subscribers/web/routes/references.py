"""Papers and editions as files for reference managers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flows.editions.model import Kind
from flows.papers.model import Paper, paper_id
from flows.storage.editions import Frozen
from subscribers.web.citations import BIBTEX, RIS, bibtex, ris
from subscribers.web.pages import public
from subscribers.web.services import named, services

HOUR = 3600


def _of_paper(media_type: str, make: Callable[[Iterable[Paper]], str]) -> Route:
    ending = _ENDINGS[media_type]

    async def answer(request: Request) -> Response:
        written = request.path_params["id"]
        try:
            identity = paper_id(written)
        except ValueError:
            identity = None
        paper = await services(request).store.paper(identity) if identity == written and identity else None
        if paper is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, services(request).phrases.text("paper.unknown", id=written[:40]))
        return _file(request, make([paper]), media_type, f"{paper.id.replace('/', '-')}.{ending}")

    return Route(f"/paper/{{id:path}}.{ending}", answer)


def _of_edition(kind: Kind, media_type: str, make: Callable[[Iterable[Paper]], str]) -> Route:
    ending = _ENDINGS[media_type]

    async def answer(request: Request) -> Response:
        s = services(request)
        newsletter, day = named(request)
        kept = await s.store.find(newsletter.slug, kind, day)
        if not isinstance(kept, Frozen):
            words = s.phrases.text("archive.not_there", title=newsletter.title, day=day)
            raise HTTPException(HTTPStatus.NOT_FOUND, words)
        name = f"{newsletter.slug}-{'week-' if kind is Kind.WEEKLY else ''}{day}.{ending}"
        return _file(request, make(entry.paper for entry in kept.edition.entries), media_type, name)

    return Route(f"/archive/{{newsletter}}/{'week/' if kind is Kind.WEEKLY else ''}{{day}}.{ending}", answer)


def _file(request: Request, content: str, media_type: str, name: str) -> Response:
    """Zotero's connector takes it in by its media type; what else there is keeps it by its name."""
    response = public(request, Response(content.encode(), media_type=f"{media_type}; charset=utf-8"), HOUR)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


_ENDINGS = {BIBTEX: "bib", RIS: "ris"}
_MAKERS = {BIBTEX: bibtex, RIS: ris}

ROUTES = tuple(
    route
    for media_type, make in _MAKERS.items()
    for route in (
        _of_paper(media_type, make),
        *(_of_edition(kind, media_type, make) for kind in (Kind.WEEKLY, Kind.DAILY)),
    )
)
