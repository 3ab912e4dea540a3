"""The second half of a sign-up: the link of the confirmation mail."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from subscribers.addresses import masked
from subscribers.model import SubscriptionState
from subscribers.tokens import Purpose
from subscribers.web import reader_links
from subscribers.web.services import services

WAITS = SubscriptionState.UNCONFIRMED


async def confirm(request: Request) -> Response:
    """GET shows one button, so that a scanner which opens every link confirms nothing; POST confirms.

    CSRF: the token is the authority and stands in no cookie; a page that could forge this request would have to have
    read the mail.
    """
    s = services(request)
    found = await reader_links.reader(request, Purpose.CONFIRM)
    if request.method == "POST" and found.state is WAITS:
        found = await s.subscribers.confirm(found.id, s.now()) or found
        s.wake()
    return s.pages(
        "confirm.html",
        waits=found.state is WAITS,
        left=found.state is SubscriptionState.UNSUBSCRIBED,
        done=request.method == "POST",
        address=masked(found.email),
        newsletter=reader_links.title(request, found),
        manage=f"/manage/{reader_links.token(request, Purpose.MANAGE, found)}",
    )


ROUTES = (Route("/confirm/{token}", confirm, methods=["GET", "POST"]),)
