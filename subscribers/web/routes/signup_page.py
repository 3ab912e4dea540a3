"""Signing up: a form, and one answer to whatever it is sent.

Nobody can find out here who is subscribed: the page is the same for an address that is new, waits, is confirmed,
paused, has left or is never mailed again; what differs is the mail. Only what the visitor typed is judged aloud.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flows.editions.model import Newsletter
from subscribers import addresses
from subscribers.people.rows import beginning
from subscribers.people.store import SignUp
from subscribers.preferences import Preferences, read_form
from subscribers.tokens import keyed
from subscribers.web import abuse, choices, forms
from subscribers.web.forms import Form, first
from subscribers.web.services import services
from subscribers.web.settings_page import spoken

TRAP = "website"
"""A field that no person sees: what fills it in is a program."""
SOURCE = "web"
SENT = "/check-inbox"


@dataclass(frozen=True, slots=True)
class SignUpForm:
    """What a sign-up asks for, as far as it is well formed."""

    email: str
    newsletter: Newsletter
    preferences: Preferences


async def form_of(request: Request, sent: Form | None = None, errors: Mapping[str, Markup] | None = None) -> Any:
    """What the form's template shows: choices, what was sent, and what was wrong with it."""
    s = services(request)
    offered = await choices.newsletters(s)
    sent = sent or {}
    typed = first(sent, "address")[:320]
    meant = addresses.likely_meant(typed) if errors and "address" in errors else ""
    return {
        "newsletters": offered,
        "address": meant or typed,
        "newsletter": first(sent, "newsletter") or next((one.slug for one in offered), ""),
        "errors": errors or {},
    }


async def ask(request: Request) -> Response:
    sent = forms.as_sent(request)
    return await _page(request, sent) if sent else await _page(request)


async def _page(request: Request, sent: Form | None = None) -> Response:
    """The form; as it was sent, with what is wrong with it."""
    wanted = await _read(request, sent) if sent else None
    errors = None if isinstance(wanted, SignUpForm) else wanted
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return services(request).pages("subscribe.html", status, signup=await form_of(request, sent, errors))


async def check_inbox(request: Request) -> Response:
    """Tells nothing but what was typed, and what it may have been meant to be."""
    s = services(request)
    sent = forms.as_sent(request) or {}
    typed = first(sent, "address")
    return s.pages(
        "check_inbox.html",
        typed=typed,
        meant=addresses.likely_meant(typed),
        newsletter=first(sent, "newsletter"),
        sender=s.sender,
    )


def _sent(request: Request, email: str, newsletter: str) -> Response:
    told = {"address": [email], "newsletter": [newsletter]}
    return forms.lead_back(request, told, path=SENT) or forms.lead_on(request, path=SENT)


async def subscribe(request: Request) -> Response:
    """Takes a sign-up. CSRF: whoever makes a browser send this form gains nothing over sending it themselves, since
    there is no account or cookie that would speak for the visitor; the confirmation is what protects the address."""
    s = services(request)
    sent = await forms.read(request)
    if first(sent, TRAP):
        return _sent(request, first(sent, "address")[:254], first(sent, "newsletter")[:80])
    wanted = await _read(request, sent)
    if not isinstance(wanted, SignUpForm):
        typed = {name: sent[name] for name in ("newsletter", "topics", "frequency") if name in sent}
        return forms.lead_back(request, {**typed, "address": [first(sent, "address")[:320]]}) or await _page(
            request, sent
        )
    begun = asyncio.get_running_loop().time()
    await abuse.admit(request, "sign-up")
    if await s.subscribers.pending() >= abuse.PENDING:
        raise abuse.full(request)
    if await abuse.may_write_to(request, "confirm", wanted.email):
        wish = SignUp(
            email=wanted.email,
            newsletter=wanted.newsletter.slug,
            interests=wanted.preferences.interests,
            frequency=wanted.preferences.frequency,
            beginning=beginning(wanted.newsletter),
            language=s.phrases.language,
            consent_version=s.phrases.text("subscribe.consent_version"),
            consent_network=keyed("network", abuse.network(request), s.hashing_key),
            source=SOURCE,
        )
        await s.subscribers.sign_up(wish, s.now(), await abuse.turn(request, "sign-up"))
        s.wake()
    await abuse.unhurried(begun)
    return _sent(request, wanted.email, wanted.newsletter.slug)


async def _read(request: Request, sent: Form) -> SignUpForm | Mapping[str, Markup]:
    """The sign-up, or what is wrong with it by field."""
    s = services(request)
    errors = {}
    offered = {one.slug: one for one in await choices.newsletters(s)}
    email = ""
    try:
        typed = first(sent, "address")
        email = addresses.read(typed, lasting=not await s.subscribers.allows(typed))
    except addresses.BadAddress as error:
        meant = addresses.likely_meant(typed) if error.reason == "disposable" else ""
        key = "errors.address_slip" if meant else f"errors.address_{error.reason}"
        errors["address"] = s.phrases(key, typed=typed[:254], meant=meant)
    slug = first(sent, "newsletter") or next(iter(offered), "")
    newsletter = offered.get(slug)
    if newsletter is None:
        errors["newsletter"] = s.phrases("errors.newsletter")
    carried = s.topics_of(newsletter) if newsletter else s.topics
    asked = {name: sent[name] for name in ("topics", "frequency") if name in sent}
    if newsletter:
        asked.setdefault("frequency", [newsletter.frequency])
    preferences = read_form(asked, [topic.slug for topic in carried], None)
    if not isinstance(preferences, Preferences):
        return errors | {field: spoken(s, phrase) for field, phrase in preferences.items()}
    if newsletter and not choices.comes_out(s, newsletter.slug, preferences.frequency):
        errors["frequency"] = s.phrases("errors.no_weekly", newsletter=newsletter.title)
    if errors or newsletter is None:
        return errors
    return SignUpForm(email, newsletter, preferences)


ROUTES = (Route("/subscribe", ask), Route("/subscribe", subscribe, methods=["POST"]), Route(SENT, check_inbox))
