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
from subscribers.model import Frequency
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a sign-up asks for, as far as it is well formed."""

    email: str
    newsletter: Newsletter
    preferences: Preferences


async def form_of(request: Request, sent: Form | None = None, errors: Mapping[str, Markup] | None = None) -> Any:
    """What the form's template shows: choices, what was sent, and what was wrong with it."""
    s = services(request)
    offered = await choices.newsletters(s)
    sent = sent or {}
    chosen = first(sent, "newsletter") or next((one.slug for one in offered), "")
    usual = next((one.frequency for one in offered if one.slug == chosen), Frequency.DAILY)
    carried = {topic.slug for one in offered for topic in s.topics_of(one)}
    return {
        "newsletters": offered,
        "groups": choices.groups([topic for topic in s.topics if topic.slug in carried]),
        "address": first(sent, "address")[:320],
        "newsletter": chosen,
        "topics": set(sent.get("topics", ())),
        "frequency": first(sent, "frequency") or usual,
        "frequencies": [
            one for one in Frequency if not offered or any(choices.comes_out(s, it.slug, one) for it in offered)
        ],
        "errors": errors or {},
    }


async def ask(request: Request) -> Response:
    return services(request).pages("subscribe.html", signup=await form_of(request))


async def subscribe(request: Request) -> Response:
    """Takes a sign-up. CSRF: whoever makes a browser send this form gains nothing over sending it themselves, since
    there is no account or cookie that would speak for the visitor; the confirmation is what protects the address."""
    s = services(request)
    sent = await forms.read(request)
    if first(sent, TRAP):
        return s.pages("check_inbox.html")
    wanted = await _read(request, sent)
    if not isinstance(wanted, Wanted):
        form = await form_of(request, sent, wanted)
        return s.pages("subscribe.html", HTTPStatus.UNPROCESSABLE_ENTITY, signup=form)
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
            consent_version=s.phrases.text("subscribe.consent_version"),
            consent_network=keyed("network", abuse.network(request), s.hashing_key),
            source=SOURCE,
        )
        await s.subscribers.sign_up(wish, s.now(), await abuse.turn(request, "sign-up"))
        s.wake()
    await abuse.unhurried(begun)
    return s.pages("check_inbox.html")


async def _read(request: Request, sent: Form) -> Wanted | Mapping[str, Markup]:
    """The sign-up, or what is wrong with it by field."""
    s = services(request)
    errors = {}
    offered = {one.slug: one for one in await choices.newsletters(s)}
    email = ""
    try:
        typed = first(sent, "address")
        email = addresses.read(typed, lasting=not await s.subscribers.allows(typed))
    except addresses.BadAddress as error:
        errors["address"] = s.phrases(f"errors.address_{error.reason}")
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
    return Wanted(email, newsletter, preferences)


ROUTES = (Route("/subscribe", ask), Route("/subscribe", subscribe, methods=["POST"]))
