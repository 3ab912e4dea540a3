"""What stands behind a reader's link: the token is checked, and a page says so where it opens nothing."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from subscribers.model import Subscription
from subscribers.tokens import PREVIEW_READER, Expired, Purpose, sign, verify
from subscribers.web.services import services


class Instead(Exception):  # noqa: N818
    """Another page answers than the one that was asked for."""

    def __init__(self, response: Response) -> None:
        super().__init__("another page answers")
        self.response = response


def number(request: Request, purpose: Purpose) -> int:
    """The number that the path's token was signed for. A token that is none, is of another purpose, has expired or
    comes from a preview is answered with a page of its own."""
    s = services(request)
    try:
        found = verify(purpose, request.path_params["token"], s.keys, s.now())
    except Expired:
        raise Instead(s.pages("expired.html", HTTPStatus.GONE, purpose=purpose)) from None
    if found is None:
        raise Instead(unreadable(request, purpose))
    if found == PREVIEW_READER:
        raise Instead(s.pages("preview_link.html"))
    return found


def unreadable(request: Request, purpose: str) -> Response:
    """A link that is none, or not all of it: with the way to a fresh one."""
    return services(request).pages("damaged.html", HTTPStatus.NOT_FOUND, purpose=purpose)


async def reader(request: Request, purpose: Purpose) -> Subscription:
    """The subscription that the path's token opens; one that has been erased is a page that says so."""
    found = await known(request, number(request, purpose))
    if found is None:
        raise Instead(gone(request))
    return found


async def known(request: Request, number: int) -> Subscription | None:
    """The subscription of that number, if there is one; from now on its reader's language is spoken."""
    s = services(request)
    found = await s.subscribers.get(number)
    if found is not None:
        s.phrases.speak(found.language)
    return found


def gone(request: Request) -> Response:
    return services(request).pages("gone.html", HTTPStatus.GONE)


def token(request: Request, purpose: Purpose, found: Subscription) -> str:
    """A fresh token for a reader, to lead from one of their pages to another."""
    s = services(request)
    return sign(purpose, found.id, s.keys[0], s.now())


def token_in(request: Request) -> str:
    """The very token that the path holds, for another action of the same link."""
    return str(request.path_params["token"])


def title(request: Request, found: Subscription) -> str:
    """The title of a reader's newsletter, which may be one that the operator has since taken away."""
    s = services(request)
    newsletter = s.newsletters.get(found.newsletter)
    return newsletter.title if newsletter else s.phrases.text("site.this_newsletter")
