"""A fresh link for whoever has lost the mail or whose link has expired."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from subscribers import addresses
from subscribers.web import abuse, forms
from subscribers.web.forms import first
from subscribers.web.services import services

TURNS = 12
"""Hours that a link waits at most: it is of use for a day."""


async def ask(request: Request) -> Response:
    if forms.done(request) == "sent":
        return services(request).pages("link_sent.html")
    sent = forms.as_sent(request)
    return _page(request, first(sent, "address")) if sent else _page(request)


def _page(request: Request, typed: str | None = None) -> Response:
    """The form; with what was typed, if it can be no address, and why."""
    s, error = services(request), ""
    if typed is not None:
        try:
            addresses.read(typed, lasting=False)
        except addresses.BadAddress as bad:
            error = s.phrases(f"errors.address_{bad.reason}")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    return s.pages("link.html", status, address=typed or "", error=error)


async def send(request: Request) -> Response:
    """Mails fresh links to an address that has a subscription; the page never says whether it has.

    CSRF: all that a forged request can do is what anybody can do with the form: bring a reader a mail an hour with a
    link that only they see.
    """
    s = services(request)
    sent = await forms.read(request)
    typed = first(sent, "address")
    try:
        email = addresses.read(typed, lasting=False)
    except addresses.BadAddress:
        return forms.lead_back(request, {"address": [typed[:320]]}) or _page(request, typed[:320])
    begun = asyncio.get_running_loop().time()
    await abuse.admit(request, "link")
    if await abuse.may_write_to(request, "link", email):
        await s.subscribers.ask_link(email, None, s.now(), await abuse.turn(request, "link", TURNS))
        s.wake()
    await abuse.unhurried(begun)
    return forms.lead_on(request, "sent")


ROUTES = (Route("/manage-link", ask), Route("/manage-link", send, methods=["POST"]))
