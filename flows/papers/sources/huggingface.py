"""Hugging Face's Daily Papers: what its readers submitted for a day, with their votes.

`GET /api/daily_papers?date=&limit=&p=`, https://huggingface.co/docs/hub/api#get-apidailypapers
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar

from flows.papers import bodies, fields
from flows.papers.merge import divide
from flows.papers.model import Addresses, Answer, Paper, Request, Skipped, Window, paper_id

NAME = "huggingface"
TITLE = "Hugging Face"
WANTS_DETAILS = True
"""Its papers come without arXiv's categories, which say much about their topic: arXiv is asked for them."""

_LIMIT = 100  # the most that the service gives a page
_PAGES = 20
_SATURDAY = 5
_SUBMITTER = tuple(
    f"{who}.{name}" for name in ("fullname", "name", "user") for who in ("submittedBy", "submittedOnDailyBy")
)

T = TypeVar("T")


def requests(window: Window, addresses: Addresses) -> tuple[Request, ...]:
    """The day's first page; each page that holds something leads to the next."""
    return (_page(0, window, addresses),)


def parse(body: bytes, request: Request, window: Window, addresses: Addresses) -> Answer:
    """The papers of one page, and the next page unless this one is empty.

    A page shorter than the limit is no sign of the end: a server may give fewer a page than it was asked for.
    """
    entries = bodies.json_list(body, "data", "papers")
    number = int(request.kind.removeprefix("page "))
    if not entries:
        return Answer(silence="" if number else silence(window))
    papers, skipped = divide(_read(entry, position, window) for position, entry in enumerate(entries, start=1))
    follow = (_page(number + 1, window, addresses),) if number + 1 < _PAGES else ()
    return Answer(papers=papers, skipped=skipped, follow=follow)


def silence(window: Window) -> str:
    """Why a day holds nothing."""
    if window.day.weekday() >= _SATURDAY:
        return "Hugging Face lists no papers at weekends"
    return f"Hugging Face lists no papers for {fields.written(window.day)} (a holiday, or it is too early in the day)"


def _page(number: int, window: Window, addresses: Addresses) -> Request:
    url = f"{addresses.huggingface}/api/daily_papers?date={window.day}&limit={_LIMIT}&p={number}"
    return Request(url=url, kind=f"page {number}", format="json", service=NAME)


_Entry: TypeAlias = tuple[object, object]
"""What an entry says of the paper, and around it what it says of its listing."""


def _first(read: Callable[[object], T], entry: _Entry, *paths: str) -> T:
    """What `read` makes of the first readable value under one of `paths`, in the paper or else in its listing."""
    found = [read(fields.at(place, *path.split("."))) for path in paths for place in entry]
    return next((value for value in found if value not in (None, "", ())), found[0])


def _read(listing: object, position: int, window: Window) -> Paper | Skipped:
    """One entry. Only its id and its title are needed; any other field that is not as it should be is left out."""
    if not isinstance(listing, dict):
        return Skipped(entry=f"entry {position}", reason=f"it is {fields.kind(listing)}, not an object")
    inner = listing.get("paper")
    entry = (inner if isinstance(inner, dict) else {}, listing)
    name, title = _first(fields.text, entry, "id"), _first(fields.text, entry, "title")
    try:
        identifier = paper_id(name)
    except ValueError as error:
        reason = str(error) if name else "it has no id"
        return Skipped(entry=name[:60] or title[:60] or f"entry {position}", reason=reason)
    if not title:
        return Skipped(entry=identifier, reason="it has no title")
    return Paper(
        id=identifier,
        title=title,
        day=window.day,
        sources=(NAME,),
        abstract=_first(fields.text, entry, "summary"),
        authors=_first(_authors, entry, "authors"),
        # The listing's own publishedAt is hours off, which can be another day: better none than that one.
        published=fields.date(fields.at(inner, "publishedAt")),
        listed_at=_first(fields.moment, entry, "submittedOnDailyAt"),
        upvotes=_first(fields.count, entry, "upvotes") or 0,
        comments=_first(fields.count, entry, "numComments") or 0,
        submitter=_first(fields.text, entry, *_SUBMITTER),
        keywords=_first(fields.texts, entry, "ai_keywords"),
        ai_summary=_first(fields.text, entry, "ai_summary"),
        organisation=_first(fields.text, entry, "organization.fullname", "organization.name"),
        code=_first(fields.link, entry, "githubRepo"),
        stars=_first(fields.count, entry, "githubStars"),
        project=_first(fields.link, entry, "projectPage"),
        thumbnail=_first(fields.link, entry, "thumbnail"),
    )


def _authors(people: object) -> tuple[str, ...]:
    """The names of a list of authors, without those who are hidden."""
    listed = people if isinstance(people, list) else []
    return fields.texts([fields.at(one, "name") for one in listed if fields.at(one, "hidden") is not True])
