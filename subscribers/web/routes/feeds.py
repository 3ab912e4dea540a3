"""Atom feeds: a newsletter's editions, and its papers of one topic."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from email.utils import format_datetime, parsedate_to_datetime
from heapq import nlargest
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flows.editions.maths import text
from flows.editions.model import Edition, Kind, Newsletter, Topic
from flows.papers.model import Paper
from flows.storage.archive import ListedPaper
from subscribers.web.atom import MEDIA_TYPE, NEVER, Feed, FeedItem, atom
from subscribers.web.page_meta import path_of
from subscribers.web.pages import public
from subscribers.web.services import Services, services

HALF_AN_HOUR = 1800
EDITIONS = 15
PAPERS = 50
TITLES = 60
"""Papers of an edition that its entry names, the best of each topic first in line; the page has the others."""
AUTHORS = 20
GISTS = 3
"""Papers of an edition whose entry says what they did: the best."""


async def editions(request: Request) -> Response:
    """An entry for each edition: the titles of its papers by topic, with links."""
    s = services(request)
    newsletter = _newsletter(s, request)

    async def make() -> Feed:
        newest = await s.archive.newest(newsletter.slug, EDITIONS)
        return Feed(
            url=f"{s.public_url}/feeds/{newsletter.slug}.xml",
            page=f"{s.public_url}/archive",
            title=newsletter.title,
            subtitle=newsletter.description,
            author=newsletter.title,
            lang=s.phrases.text("site.lang"),
            items=[_edition(s, newsletter, edition, at) for edition, at in newest],
        )

    return await _answer(request, await s.archive.changed_at(newsletter.slug), make)


async def topic(request: Request) -> Response:
    """An entry for each of the newest papers of a topic."""
    s = services(request)
    newsletter = _newsletter(s, request)
    slug = request.path_params["topic"]
    chosen = next((topic for topic in s.topics_of(newsletter) if topic.slug == slug), None)
    if chosen is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, s.phrases.text("feeds.no_topic", title=newsletter.title))

    async def make() -> Feed:
        listed = await s.archive.of_topic(newsletter.slug, slug, PAPERS)
        papers = await s.store.papers_of([one.paper for one in listed])
        return Feed(
            url=f"{s.public_url}/feeds/{newsletter.slug}/{slug}.xml",
            page=f"{s.public_url}/search?topic={slug}",
            title=s.phrases.text("feeds.topic_title", title=newsletter.title, topic=chosen.name),
            subtitle=chosen.description,
            author=newsletter.title,
            lang=s.phrases.text("site.lang"),
            items=[_paper(s, newsletter, chosen, papers[one.paper], one) for one in listed if one.paper in papers],
        )

    return await _answer(request, await s.archive.changed_at(newsletter.slug, slug), make)


def _newsletter(s: Services, request: Request) -> Newsletter:
    newsletter = s.newsletters.get(request.path_params["newsletter"])
    if newsletter is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, s.phrases.text("feeds.no_newsletter"))
    return newsletter


async def _answer(request: Request, changed_at: dt.datetime | None, make: Callable[[], Awaitable[Feed]]) -> Response:
    """The feed, unless whoever asks has it (RFC 9110 section 13.1.3): most requests for a feed end here, unmade."""
    changed = (changed_at or NEVER).replace(microsecond=0)
    headers = {
        "Cache-Control": f"public, max-age={HALF_AN_HOUR}",
        "Last-Modified": format_datetime(changed, usegmt=True),
    }
    if "If-None-Match" not in request.headers and _since(request) >= changed:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    response = public(request, Response(atom(await make()), media_type=MEDIA_TYPE), HALF_AN_HOUR)
    response.headers["Last-Modified"] = headers["Last-Modified"]
    return response


def _since(request: Request) -> dt.datetime:
    try:
        known = parsedate_to_datetime(request.headers.get("If-Modified-Since", ""))
        return known.astimezone(dt.UTC) if known.tzinfo else known.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        return dt.datetime.min.replace(tzinfo=dt.UTC)


def _edition(s: Services, newsletter: Newsletter, edition: Edition, at: dt.datetime) -> FeedItem:
    path = path_of(newsletter.slug, edition.kind, edition.day)
    best = nlargest(GISTS, edition.entries, key=lambda entry: entry.score)
    shown = {entry.paper.id for entry in nlargest(TITLES, edition.entries, key=lambda entry: entry.score)}
    return FeedItem(
        id=_tag(s, edition.day, path.removeprefix("/archive/")),
        title=_title(s, newsletter, edition),
        url=s.public_url + path,
        updated=at,
        content=_content(
            s,
            "feed_edition.html",
            edition=edition,
            shown=shown,
            page=s.public_url + path,
            gists={entry.paper.id: s.gist_of(entry.paper) for entry in best},
        ),
    )


def _title(s: Services, newsletter: Newsletter, edition: Edition) -> str:
    """What leads it, or the subject that its operator gave it."""
    if edition.subject:
        return edition.subject
    if edition.lead is None:
        return f"{newsletter.title}, {s.pages.long_date(edition.day)}"
    lead = text(edition.lead.title) or edition.lead.id
    if edition.kind is Kind.WEEKLY:
        return s.phrases.text("feeds.week_title", lead=lead)
    return s.phrases.text("feeds.edition_title", count=edition.size, lead=lead, others=edition.size - 1)


def _paper(s: Services, newsletter: Newsletter, chosen: Topic, paper: Paper, listed: ListedPaper) -> FeedItem:
    return FeedItem(
        id=_tag(s, listed.day, f"{newsletter.slug}/paper/{paper.id}"),
        title=text(paper.title) or paper.id,
        url=f"{s.public_url}/paper/{paper.id}",
        updated=listed.at,
        authors=[name for name in map(text, paper.authors[:AUTHORS]) if name],
        topic=(chosen.slug, chosen.name),
        summary=s.gist_of(paper),
        content=_content(s, "feed_paper.html", paper=paper),
    )


def _content(s: Services, template: str, **values: Any) -> str:
    return bytes(s.pages(template, url=s.public_url, **values).body).decode()


def _tag(s: Services, day: dt.date, name: str) -> str:
    """A name for ever (RFC 4151): it stays the same when the site moves from http to https."""
    return f"tag:{urlsplit(s.public_url).hostname},{day}:{name}"


ROUTES = (
    Route("/feeds/{newsletter}.xml", editions),
    Route("/feeds/{newsletter}/{topic}.xml", topic),
)
