"""What needs more than the link of a mail: an export of all we hold, a change of address, erasing everything.

A mail gets forwarded, and with it its links: to a colleague, to a list, into a screenshot. Whoever holds one can mute a
topic or unsubscribe, which its owner sees and undoes. They must not read the owner's address and history, take the
subscription over or destroy it. So the link that opens this page is mailed on request, to the address itself, and works
for two hours: to use it takes the mailbox, now. The page that asks for it tells nobody more than they typed; a change
of address is confirmed at the new address and told to the old one; erasing takes a second step.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from subscribers import addresses
from subscribers.model import Subscription
from subscribers.tokens import Purpose
from subscribers.web import forms, reader_links
from subscribers.web.forms import Form, first
from subscribers.web.services import services

OF_A_READER = 3
"""New addresses that one reader may have mailed within an hour."""


async def private(request: Request) -> Response:
    """GET shows the page; POST exports, asks for a new address or erases, by the button that was pressed.

    CSRF: the token was mailed to the reader alone, two hours ago at most, and stands in no cookie.
    """
    s = services(request)
    number = reader_links.number(request, Purpose.PRIVATE)
    found = await reader_links.known(request, number)
    if request.method != "POST":
        return _shown(request, found)
    sent = await forms.read(request)
    button = first(sent, "do")
    if button not in _BUTTONS:
        raise HTTPException(HTTPStatus.BAD_REQUEST, s.phrases.text("problem.bad_form"))
    if found is None:
        # the second press of "erase", too
        return forms.lead_on(request, "erased")
    return await _BUTTONS[button](request, found, sent)


def _shown(request: Request, found: Subscription | None) -> Response:
    s, told = services(request), forms.done(request)
    if found is None:
        return s.pages("erased.html") if told == "erased" else reader_links.gone(request)
    if told == "address":
        return s.pages("address_sent.html")
    sent = forms.as_sent(request) or {}
    errors = {field: s.phrases(sent[field][0]) for field in sent if field in ("address", "sure")}
    return _page(request, found, errors, typed=first(sent, "typed"))


async def _erase(request: Request, found: Subscription, sent: Form) -> Response:
    s = services(request)
    if first(sent, "sure") != "yes":
        return _wrong(request, found, {"sure": "errors.sure"})
    await s.subscribers.erase(found.id, s.now())
    return forms.lead_on(request, "erased")


async def _export(request: Request, found: Subscription, sent: Form) -> Response:
    s = services(request)
    held = await s.subscribers.everything(found.id)
    content = json.dumps(held, ensure_ascii=False, indent=2, default=str) + "\n"
    day = s.now().date()
    return Response(
        content,
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="paperround-{day}.json"'},
    )


async def _ask_address(request: Request, found: Subscription, sent: Form) -> Response:
    s = services(request)
    typed = first(sent, "address")
    try:
        email = addresses.read(typed, lasting=not await s.subscribers.allows(typed))
        key = ""
    except addresses.BadAddress as error:
        email, key = "", f"errors.address_{error.reason}"
    if not key and not await s.limits.allow("address", str(found.id), OF_A_READER, dt.timedelta(hours=1), s.now()):
        key = "errors.address_often"
    if not key:
        key = await s.subscribers.ask_address(found.id, email, s.now())
    if key:
        return _wrong(request, found, {"address": key}, typed=typed[:320])
    s.wake()
    return forms.lead_on(request, "address")


def _wrong(request: Request, found: Subscription, errors: Mapping[str, str], typed: str = "") -> Response:
    """To the page with what is wrong, phrases by field, and what was typed."""
    told = {field: [key] for field, key in errors.items()} | {"typed": [typed]}
    shown = {field: services(request).phrases(key) for field, key in errors.items()}
    return forms.lead_back(request, told) or _page(request, found, shown, typed)


_BUTTONS: Mapping[str, Callable[[Request, Subscription, Form], Awaitable[Response]]] = {
    "export": _export,
    "address": _ask_address,
    "erase": _erase,
}


def _page(
    request: Request, found: Subscription, errors: Mapping[str, Markup] | None = None, typed: str = ""
) -> Response:
    return services(request).pages(
        "private.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        address=addresses.masked(found.email),
        typed=typed,
        errors=errors or {},
        manage=f"/manage/{reader_links.token(request, Purpose.MANAGE, found)}",
    )


async def confirm_address(request: Request) -> Response:
    """GET shows one button; POST makes the new address the reader's. CSRF: the token was mailed to that address."""
    s = services(request)
    number = reader_links.number(request, Purpose.ADDRESS)
    if request.method == "POST":
        confirmed = await s.subscribers.confirm_address(number, s.now())
        s.wake()
        return forms.lead_on(request, "confirmed" if confirmed else "gone")
    told = forms.done(request)
    if told == "gone":
        return reader_links.gone(request)
    return s.pages("address.html", done=told == "confirmed")


ROUTES = (
    Route("/private/{token}", private, methods=["GET", "POST"]),
    Route("/address/{token}", confirm_address, methods=["GET", "POST"]),
)
