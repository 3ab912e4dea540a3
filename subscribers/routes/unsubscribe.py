"""The end of a subscription."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from subscribers.model import SubscriptionState
from subscribers.services import services
from subscribers.tokens import PREVIEW_READER, Purpose, verify


async def unsubscribe(request: Request) -> Response:
    """GET shows one button; POST ends the subscription, however often and with whatever body (RFC 8058 section 3.2:
    no cookies, no redirect). It needs no other guard: the token is the reader's own, and a forged request would have
    to know it."""
    s = services(request)
    identity = verify(Purpose.UNSUBSCRIBE, request.path_params["token"], s.keys)
    if identity is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "This link is not complete: copy the whole of it from the mail.")
    if identity == PREVIEW_READER:
        return s.pages("preview_link.html")
    if request.method == "POST":
        await s.subscribers.unsubscribe(identity, s.now())
    found = await s.subscribers.get(identity)
    gone = found is None or found.state is SubscriptionState.UNSUBSCRIBED
    title = s.newsletters[found.newsletter].title if found and found.newsletter in s.newsletters else "this newsletter"
    return s.pages("unsubscribe.html", gone=gone, title=title)


ROUTES = (Route("/unsubscribe/{token}", unsubscribe, methods=["GET", "POST"]),)
