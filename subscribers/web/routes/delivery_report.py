"""The operator's look at who got an edition.

It shows addresses: it asks for the operator's login, and no address stands in a URL: the search is sent as a form, and
only shows. CSRF: nothing is changed here at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flows.editions.model import Kind, Newsletter
from flows.storage.editions import Frozen
from subscribers.ledger.bounce_rates import WEEKS
from subscribers.ledger.report import STATES, DeliveryLine
from subscribers.model import DeliveryState
from subscribers.people import csv_file
from subscribers.web import forms
from subscribers.web.forms import first
from subscribers.web.operators import operators_alone
from subscribers.web.page_meta import path_of
from subscribers.web.services import Services, named, services

PAGE = 100
"""Deliveries on a page."""


async def daily(request: Request) -> Response:
    return await _report(request, Kind.DAILY)


async def weekly(request: Request) -> Response:
    return await _report(request, Kind.WEEKLY)


async def _report(request: Request, kind: Kind) -> Response:
    s = services(request)
    newsletter, day = named(request)
    kept = await s.store.find(newsletter.slug, kind, day)
    if not isinstance(kept, Frozen):
        say = s.phrases.text
        raise HTTPException(HTTPStatus.NOT_FOUND, say("report.not_delivered", title=newsletter.title, day=day))
    page = _Page(request, newsletter, kept)
    return await (page.search() if request.method == "POST" else page.listed())


class _Page:
    """The report of one edition, as it was asked for."""

    def __init__(self, request: Request, newsletter: Newsletter, frozen: Frozen) -> None:
        self._request, self._newsletter, self._frozen = request, newsletter, frozen
        self._s: Services = services(request)

    def _url(self, **more: object) -> str:
        """This page in another state or further on."""
        query = urlencode({name: value for name, value in more.items() if value})
        path: str = self._request.scope["path"]
        return f"{path}?{query}" if query else path

    async def listed(self) -> Response:
        state, after = self._asked()
        # one more than is shown tells whether there is a next page
        found = await self._s.report.page(self._frozen.id, state=state, after=after, size=PAGE + 1)
        rows = found[:PAGE]
        further = self._url(state=state, after=rows[-1].subscription_id) if len(found) > PAGE else ""
        return await self._show(rows, state=state, further=further, back=self._url(state=state) if after else "")

    def _asked(self) -> tuple[DeliveryState | None, int]:
        """The state and the place that a link of ours names; anything else is a page that was not found."""
        state, after = (self._request.query_params.get(name, "") for name in ("state", "after"))
        numbered = after.isascii() and after.isdigit() and len(after) <= 9
        if (state and state not in STATES) or (after and not numbered):
            raise HTTPException(HTTPStatus.NOT_FOUND, self._s.phrases.text("problem.nothing_here"))
        return DeliveryState(state) if state else None, int(after or 0)

    async def search(self) -> Response:
        typed = first(await forms.read(self._request), "address")
        try:
            address = csv_file.address(typed)
        except ValueError:
            errors = {"address": self._s.phrases("report.no_address")}
            return await self._show([], typed=typed[:320], errors=errors)
        found = await self._s.report.find(self._frozen.id, address)
        why = "" if found else await self._why_none(address)
        return await self._show([found] if found else [], typed=address, why=why, back=self._url())

    async def _why_none(self, address: str) -> Markup:
        """Why an address has no delivery."""
        say, title = self._s.phrases, self._newsletter.title
        reader = await self._s.subscribers.by_address(address, self._newsletter.slug)
        if reader is None:
            return say("report.unknown", title=title)
        return say("report.none_made", state=reader.state, frequency=reader.frequency)

    async def _show(
        self,
        rows: Sequence[DeliveryLine],
        *,
        state: DeliveryState | None = None,
        further: str = "",
        back: str = "",
        typed: str = "",
        why: Markup | str = "",
        errors: Mapping[str, Markup] | None = None,
    ) -> Response:
        edition = self._frozen.edition
        summary = await self._s.report.summary(self._frozen.id)
        rates, now = self._s.rates, self._s.now()
        return self._s.pages(
            "report.html",
            HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
            newsletter=self._newsletter,
            edition=edition,
            archived=path_of(edition.newsletter, edition.kind, edition.day),
            summary=summary,
            rates_of_edition=await rates.of_edition(self._frozen.id, now),
            rates_of_weeks=await rates.of_newsletter(edition.newsletter, now - WEEKS, now),
            rates_of_domains=await rates.domains(self._frozen.id),
            paused=await self._s.pauses.paused(edition.newsletter),
            rows=rows,
            state=state,
            url=self._url,
            further=further,
            back=back,
            typed=typed,
            why=why,
            errors=errors or {},
        )


ROUTES = (
    Route("/report/{newsletter}/{day}", operators_alone(daily), methods=["GET", "POST"]),
    Route("/report/{newsletter}/week/{day}", operators_alone(weekly), methods=["GET", "POST"]),
)
