"""The second half of a sign-up: the links of the confirmation mail."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from subscribers.addresses import masked
from subscribers.model import Subscription, SubscriptionState
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


async def never(request: Request) -> Response:
    """For whoever did not ask for it: GET shows one button; POST never mails this address again.

    CSRF: as above; what a stranger can do with a forwarded mail is to keep its address from being signed up.
    """
    s = services(request)
    number = reader_links.number(request, Purpose.CONFIRM)
    done = request.method == "POST" and await s.subscribers.decline(number, s.now())
    return _never(request, await s.subscribers.get(number), done=done)


async def never_address(request: Request) -> Response:
    """The same for an address that somebody wanted their mail sent to."""
    s = services(request)
    number = reader_links.number(request, Purpose.ADDRESS)
    if request.method != "POST":
        return s.pages("never.html", done=False, subscribed=False)
    if not await s.subscribers.decline_address(number, s.now()):
        return reader_links.gone(request)
    return s.pages("never.html", done=True, subscribed=False)


def _never(request: Request, found: Subscription | None, *, done: bool) -> Response:
    if found is None and not done:
        return reader_links.gone(request)
    subscribed = found is not None and found.state is not WAITS
    return services(request).pages("never.html", done=done, subscribed=subscribed)


ROUTES = (
    Route("/confirm/{token}", confirm, methods=["GET", "POST"]),
    Route("/confirm/{token}/never", never, methods=["GET", "POST"]),
    Route("/address/{token}/never", never_address, methods=["GET", "POST"]),
)
