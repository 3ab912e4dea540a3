"""Editions that have come out, and the operator's look at one that has not."""

from __future__ import annotations

import datetime as dt
from functools import partial
from http import HTTPStatus
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flows.editions.excerpt import excerpt
from flows.editions.maths import text
from flows.editions.model import Edition, Kind, Newsletter, NoEdition
from flows.storage.approvals import ApprovalState
from flows.storage.editions import Frozen
from subscribers.web.citations import context_object
from subscribers.web.month_calendar import calendars, last_day, parse_month
from subscribers.web.operators import operators_alone
from subscribers.web.page_meta import PageCard, feeds_of, path_of
from subscribers.web.pages import public
from subscribers.web.services import Services, named, services

HOUR = 3600
BEST = 3
"""Papers that a description of an edition names."""
_SATURDAY = 6


async def archive(request: Request) -> Response:
    """A month of all newsletters, the newest unless one is named. Mails' List-Archive headers lead here."""
    s = services(request)
    months = await s.archive.months()
    written = request.query_params.get("month", "")
    month = parse_month(written) if written else next(iter(months), None)
    if written and month not in months:
        raise HTTPException(HTTPStatus.NOT_FOUND, s.phrases.text("archive.no_month", month=written[:20]))
    issues = await s.archive.issues(month, last_day(month)) if month else ()
    leads = await s.archive.leads(issues)
    at = months.index(month) if month else 0
    return public(
        request,
        s.pages(
            "archive.html",
            month=month,
            months=months,
            earlier=months[at + 1] if at + 1 < len(months) else None,
            later=months[at - 1] if at else None,
            calendars=calendars(s.newsletters.values(), issues, month) if month else (),
            leads={key: text(title) for key, title in leads.items()},
            topics_of={slug: s.topics_of(newsletter) for slug, newsletter in s.newsletters.items()},
        ),
        0,
    )


async def daily(request: Request) -> Response:
    return await _edition(request, Kind.DAILY)


async def weekly(request: Request) -> Response:
    return await _edition(request, Kind.WEEKLY)


async def _edition(request: Request, kind: Kind) -> Response:
    s = services(request)
    newsletter, day = named(request)
    kept = await s.store.find(newsletter.slug, kind, day)
    if isinstance(kept, Frozen):
        before, after = await s.archive.beside(newsletter.slug, kind, day)
        page = s.pages.edition(
            await s.page_of(kept),
            card=_card(s, newsletter, kept.edition),
            before=path_of(newsletter.slug, kind, before) if before else None,
            after=path_of(newsletter.slug, kind, after) if after else None,
            context_objects=[context_object(entry.paper) for entry in kept.edition.entries],
        )
        return public(request, page, HOUR)
    before, after = await s.archive.beside(newsletter.slug, kind, day)
    return s.pages(
        "no_edition.html",
        HTTPStatus.NOT_FOUND,
        newsletter=newsletter,
        day=day,
        reason=kept.public
        if isinstance(kept, NoEdition)
        else await _why(s, newsletter, kind, day, kept, before, after),
        before=before,
        after=after,
        path_of=partial(path_of, newsletter.slug, kind),
        month=day if (before or after) and day.replace(day=1) in await s.archive.months() else None,
    )


async def _why(
    s: Services,
    newsletter: Newsletter,
    kind: Kind,
    day: dt.date,
    draft: Edition | None,
    before: dt.date | None,
    after: dt.date | None,
) -> str:
    """Why a day has no edition of which nothing is kept but perhaps a draft: that itself is the operator's affair."""
    approval = await s.approvals.find(newsletter.slug, kind, day) if draft else None
    dates = {"first": s.pages.long_date(after) if after else "", "last": s.pages.long_date(before) if before else ""}
    if approval and approval.state is ApprovalState.HOLD:
        why = "held"
    elif draft:
        why = "draft"
    elif day > s.now().astimezone(ZoneInfo(newsletter.zone)).date():
        why = "to_come"
    elif before is None:
        why = "before_the_first" if after else "none_yet"
    elif after is None:
        why = "after_the_last"
    elif kind is Kind.WEEKLY:
        why = "other_weekday"
    else:
        why = "weekend" if day.isoweekday() >= _SATURDAY else "none"
    return s.phrases(f"archive.why.{why}", **dates)


def _card(s: Services, newsletter: Newsletter, edition: Edition) -> PageCard:
    best = sorted(edition.entries, key=lambda entry: -entry.score)[:BEST]
    names = "; ".join(text(excerpt(entry.paper.title or entry.paper.id, 90)) for entry in best)
    title = f"{newsletter.title}, {s.pages.long_date(edition.day)}"
    return PageCard(
        title=title,
        description=s.phrases.text("archive.description", count=edition.size, names=names),
        url=s.public_url + path_of(newsletter.slug, edition.kind, edition.day),
        feeds=feeds_of(newsletter),
        references=path_of(newsletter.slug, edition.kind, edition.day),
        image=f"{s.public_url}{path_of(newsletter.slug, edition.kind, edition.day)}.png",
        tags=(
            ("DC.title", title),
            ("DC.publisher", newsletter.title),
            ("DC.date", str(edition.day)),
            ("DC.type", "Collection"),
        ),
    )


async def preview(request: Request) -> Response:
    return await _preview(request, Kind.DAILY)


async def preview_of_week(request: Request) -> Response:
    return await _preview(request, Kind.WEEKLY)


async def _preview(request: Request, kind: Kind) -> Response:
    s = services(request)
    newsletter, day = named(request)
    kept = await s.store.find(newsletter.slug, kind, day)
    if isinstance(kept, Frozen):
        return s.pages.edition(await s.page_of(kept))
    shown = await s.preview_of(newsletter, kind, day)
    if isinstance(shown, NoEdition):
        return s.pages(
            "no_edition.html", newsletter=newsletter, day=day, reason=shown.reason, before=None, after=None, month=None
        )
    return s.pages.edition(shown, draft=True)


ROUTES = (
    Route("/archive", archive),
    Route("/archive/{newsletter}/{day}", daily),
    Route("/archive/{newsletter}/week/{day}", weekly),
    # composing one is work that not everybody may ask for
    Route("/preview/{newsletter}/{day}", operators_alone(preview)),
    Route("/preview/{newsletter}/week/{day}", operators_alone(preview_of_week)),
)
