"""The end of a subscription: one press, no mail about it, and a way back for a day.

The page's own button, undo and reason have addresses of their own: whatever a mail program sends to the one that it was
given can only unsubscribe, and is answered at once; a browser is sent on, so that reload presses nothing again.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from subscribers.model import Subscription, SubscriptionState
from subscribers.policy import undoable
from subscribers.tokens import Purpose
from subscribers.web import forms, reader_links
from subscribers.web.forms import first
from subscribers.web.services import services

MAX_REASON = 500
LEFT = SubscriptionState.UNSUBSCRIBED


async def unsubscribe(request: Request) -> Response:
    """GET shows one button; POST ends the subscription, however often and with whatever body, which is not read
    (RFC 8058 section 3.2: no cookies, no redirect).

    CSRF: RFC 8058 wants a POST from elsewhere to work; the token is the reader's own, and a forged request would have
    to know it.
    """
    s = services(request)
    number = reader_links.number(request, Purpose.UNSUBSCRIBE)
    if request.method == "POST":
        await s.subscribers.unsubscribe(number, s.now())
    return _page(request, await reader_links.known(request, number))


async def leave(request: Request) -> Response:
    """The same for a browser, by the page's button. CSRF: as above."""
    s = services(request)
    await s.subscribers.unsubscribe(reader_links.number(request, Purpose.UNSUBSCRIBE), s.now())
    return forms.lead_on(request, path=_path(request))


async def undo(request: Request) -> Response:
    """Brings the subscription back as it was, within a day. CSRF: as above; the revision lets it happen once."""
    s = services(request)
    found = await reader_links.reader(request, Purpose.UNSUBSCRIBE)
    revision = first(await forms.read(request), "revision")
    if revision.isascii() and revision.isdigit():
        found = await s.subscribers.undo(found.id, int(revision[:9]), s.now()) or found
    return forms.lead_on(request, "late" if found.state is LEFT else "back", found.revision, path=_path(request))


async def reason(request: Request) -> Response:
    """Keeps why a reader left, if they care to say. CSRF: as above; nothing depends on it."""
    s = services(request)
    found = await reader_links.reader(request, Purpose.UNSUBSCRIBE)
    words = first(await forms.read(request), "reason")[:MAX_REASON]
    if words and found.state is LEFT:
        found = await s.subscribers.leave_reason(found.id, words, s.now()) or found
    return forms.lead_on(request, "thanks" if words else "", found.revision if words else None, path=_path(request))


def _path(request: Request) -> str:
    return f"/unsubscribe/{request.path_params['token']}"


def _page(request: Request, found: Subscription | None) -> Response:
    s = services(request)
    gone = found is None or found.state is LEFT
    told = forms.done(request, found.revision) if found else ""
    back = told == "back" and not gone
    return s.pages(
        "unsubscribe.html",
        gone=gone,
        path=_path(request),
        revision=found.revision if found and gone and undoable(found, s.now()) else None,
        title=reader_links.title(request, found) if found else s.phrases("site.this_newsletter"),
        known=found is not None,
        manage=f"/manage/{reader_links.token(request, Purpose.MANAGE, found)}" if found and back else "",
        limit=MAX_REASON,
        back=back,
        too_late=told == "late",
        thanks=told == "thanks",
    )


ROUTES = (
    Route("/unsubscribe/{token}", unsubscribe, methods=["GET", "POST"]),
    Route("/unsubscribe/{token}/leave", leave, methods=["POST"]),
    Route("/unsubscribe/{token}/undo", undo, methods=["POST"]),
    Route("/unsubscribe/{token}/reason", reason, methods=["POST"]),
)
