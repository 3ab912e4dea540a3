"""One paper: what it is about, its topic and why, and where it stood."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from flows.editions.excerpt import excerpt
from flows.editions.maths import text
from flows.editions.model import Entry
from flows.papers.model import Paper, PaperId, paper_id
from flows.storage.archive import Issue
from flows.storage.editions import Frozen
from subscribers.web.citations import tags
from subscribers.web.page_meta import PageCard, feeds_of
from subscribers.web.pages import public
from subscribers.web.related import DAYS, HOLDING, TERMS, alike, queries
from subscribers.web.services import Services, services
from subscribers.web.suggestions import candidates

HOUR = 3600
DESCRIPTION = 200


async def paper(request: Request) -> Response:
    s = services(request)
    written = request.path_params["id"]
    try:
        identity = paper_id(written)
    except ValueError:
        raise HTTPException(HTTPStatus.NOT_FOUND, s.phrases.text("paper.no_id", id=written[:40])) from None
    if written != identity:
        # a version, or "arXiv:" before it: the page has one address
        return RedirectResponse(f"/paper/{identity}", HTTPStatus.PERMANENT_REDIRECT)
    found = await s.store.paper(identity)
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, s.phrases.text("paper.unknown", id=identity))
    stood = [issue for issue in await s.archive.holding(identity) if issue.newsletter in s.newsletters]
    topics = {topic.slug: topic for topic in s.topics}
    entry = await _entry(s, identity, stood)
    page = s.pages(
        "paper.html",
        paper=found,
        ways={name: url for name, url in _links(found).items() if url.startswith(("http://", "https://"))},
        topic=topics.get(entry.topic) if entry else None,
        because=entry.because if entry else (),
        second=topics.get(entry.second) if entry else None,
        stood=stood,
        newsletters=s.newsletters,
        related=await _related(s, found, entry.topic if entry else ""),
        card=PageCard(
            title=text(found.title) or found.id,
            description=text(excerpt(found.abstract, DESCRIPTION)),
            url=f"{s.public_url}/paper/{identity}",
            feeds=feeds_of(s.newsletters[stood[0].newsletter]) if stood else {},
            tags=tags(found, s.public_url),
            references=f"/paper/{identity}",
        ),
    )
    return public(request, page, HOUR)


async def _entry(s: Services, identity: PaperId, stood: list[Issue]) -> Entry | None:
    """Its place in the newest edition that it stood in."""
    if not stood:
        return None
    kept = await s.store.find(stood[0].newsletter, stood[0].kind, stood[0].day)
    entries = kept.edition.entries if isinstance(kept, Frozen) else ()
    return next((entry for entry in entries if entry.paper.id == identity), None)


async def _related(s: Services, paper: Paper, topic: str) -> Sequence[Paper]:
    """The papers that share most of its terms, of its own time and since."""
    terms = candidates(paper, s.topics, topic)[:TERMS]
    if not terms:
        return ()
    first = paper.day - dt.timedelta(days=min(DAYS, (paper.day - dt.date.min).days))
    holding = await s.search.of_late(queries(terms), first, HOLDING)
    found = alike(paper.id, terms, holding, await s.search.listed(first))
    papers = await s.store.papers_of(found)
    return [papers[one] for one in found if one in papers]


def _links(paper: Paper) -> dict[str, str]:
    """Where else to go, by the names that `words.toml` has for them."""
    return {
        "arxiv": paper.url if paper.on_arxiv else "",
        "pdf": paper.pdf,
        "discussion": paper.discussion,
        "code": paper.code,
        "project": paper.project,
        "doi": f"https://doi.org/{paper.doi}" if paper.doi else "" if paper.on_arxiv else paper.url,
    }


ROUTES = (Route("/paper/{id:path}", paper),)
