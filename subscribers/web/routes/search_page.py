"""Full-text search over all papers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flows.editions.maths import text
from flows.editions.model import Topic
from flows.papers.model import Paper
from flows.storage.query import Highlight, Query, marked, parse, passage
from flows.storage.search import PAGE, FoundPapers, Wanted
from subscribers.web.pages import public
from subscribers.web.services import Services, services

MINUTES = 300
LAST_PAGE = 50
"""Who looks further is a machine."""
FIELDS = ("q", "topic", "from", "to")
ECHOED = 400
"""Characters of a field that are shown again."""
HARDLY_ANY = 2
"""Papers found, so that it is asked whether a word is misspelt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A paper that was found, as the page shows it."""

    paper: Paper
    topic: Topic | None
    title: Sequence[Highlight]
    passage: Sequence[Highlight]


async def search(request: Request) -> Response:
    """The form, and what was found where anything was asked for. What can't be read is said beside its field."""
    s = services(request)
    given = {field: request.query_params.get(field, "").strip() for field in FIELDS}
    topics = {topic.slug: topic for topic in s.topics}
    wanted, errors = _read(given, request.query_params, topics)
    asked = bool(wanted.query.terms or wanted.topic or wanted.first or wanted.last)
    found = await s.search.find(wanted) if asked and not errors else None
    meant: Sequence[Highlight] = ()
    if found and wanted.query.terms and found.total <= HARDLY_ANY:
        meant = await s.search.meant(given["q"], wanted, found.total)
    page = s.pages(
        "search.html",
        HTTPStatus.BAD_REQUEST if errors else HTTPStatus.OK,
        given={field: value[:ECHOED] for field, value in given.items()},
        errors={field: s.phrases(f"search.errors.{error}", value=given.get(field, "")[:40]) for field, error in errors},
        # words were typed, and none of them can be looked for
        wordless=bool(given["q"]) and not wanted.query.terms,
        cut=wanted.query.cut,
        topics=s.topics,
        found=found,
        hits=await _hits(s, found, wanted.query, topics) if found else (),
        page=wanted.page,
        pages=min(found.pages, LAST_PAGE) if found else 0,
        first=(wanted.page - 1) * PAGE + 1,
        address=lambda number: _address(given | {"page": str(number)}),
        set_filters=sum(bool(given[field]) for field in FIELDS[1:]),
        meant=meant,
        meant_address=_address(given | {"q": "".join(piece.text for piece in meant)}),
    )
    return page if errors else public(request, page, MINUTES)


def _read(
    given: Mapping[str, str], params: QueryParams, topics: Mapping[str, Topic]
) -> tuple[Wanted, Sequence[tuple[str, str]]]:
    """What is wanted, and what is wrong with it: fields, and keys of sentences."""
    errors = []
    if given["topic"] and given["topic"] not in topics:
        errors.append(("topic", "topic"))
    first, last = _day(given["from"]), _day(given["to"])
    errors += [(field, "date") for field, day in (("from", first), ("to", last)) if given[field] and day is None]
    if first and last and first > last:
        errors.append(("to", "order"))
    number = params.get("page", "1")
    if not (number.isascii() and number.isdigit() and 1 <= int(number[:9]) <= LAST_PAGE):
        errors.append(("page", "page"))
        number = "1"
    wanted = Wanted(
        query=parse(given["q"]),
        topic=given["topic"],
        first=first,
        last=last,
        page=int(number[:9]),
    )
    return wanted, errors


def _address(fields: Mapping[str, str]) -> str:
    return "/search?" + urlencode({field: value for field, value in fields.items() if value})


def _day(written: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(written)
    except ValueError:
        return None
    return day if written == str(day) else None


async def _hits(s: Services, found: FoundPapers, query: Query, topics: Mapping[str, Topic]) -> Sequence[Hit]:
    papers = await s.store.papers_of(found.papers)
    return [
        Hit(
            paper=papers[identity],
            topic=topics.get(topic),
            title=marked(text(papers[identity].title) or identity, query),
            passage=passage(text(papers[identity].abstract), query),
        )
        for identity, topic in found.papers.items()
        if identity in papers
    ]


ROUTES = (Route("/search", search),)
