"""A reader's settings: all that can be undone.

The link stands in every mail and works for a year. A mail gets forwarded, so whoever holds the link may change what can
be changed back, and reads no more than that; for the rest a link is mailed to the reader (see `private`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from subscribers.addresses import masked
from subscribers.model import Subscription, SubscriptionState
from subscribers.preferences import MAX_PAUSE, MAX_SIZE, Preferences, Unusable, preferences_of, read_form, read_pause
from subscribers.tokens import Purpose, sign
from subscribers.web import choices, forms, reader_links
from subscribers.web.forms import Form, first
from subscribers.web.services import services
from subscribers.web.settings_page import (
    Filled,
    filled,
    languages,
    last_change,
    left_out,
    refilled,
    spoken,
    today,
    told,
    would_have,
    zone_of,
)
from subscribers.zones import known, nearest

WEEK = dt.timedelta(days=7)
PRIVATE_LINKS = 3
"""Links to what is private that are mailed to one reader within an hour."""
ACTIVE = frozenset({SubscriptionState.CONFIRMED, SubscriptionState.PAUSED})


async def manage(request: Request) -> Response:
    """GET shows the settings; POST does what its button says, and leads back to them.

    CSRF: there is no cookie, and the token in the path is the authority; a forged request would have to know it. Sent
    twice, each does what it does once.
    """
    found = await reader_links.reader(request, Purpose.MANAGE)
    if request.method != "POST":
        return await _shown(request, found)
    sent = await forms.read(request)
    button, _, group = first(sent, "do").partition(":")
    if button not in _BUTTONS:
        raise HTTPException(HTTPStatus.BAD_REQUEST, services(request).phrases.text("problem.bad_form"))
    if found.state not in ACTIVE and button != "undo":
        return forms.lead_on(request)
    return await _BUTTONS[button](request, found, {**sent, "group": [group]})


async def _shown(request: Request, found: Subscription) -> Response:
    """The settings, with what a button has just done; or a form that is not saved, as it was sent."""
    sent = forms.as_sent(request)
    look = _LOOKS.get(first(sent, "do").partition(":")[0]) if sent else None
    if sent and look and found.state in ACTIVE:
        return await look(request, found, sent)
    return await _page(request, found, notice=_NOTICES.get(forms.done(request, found.revision), ""))


async def _unsaved(request: Request, found: Subscription, sent: Form, anchor: str = "") -> Response:
    """To the settings with the form as it was sent, at a section of them."""
    sent_on = forms.lead_back(request, sent, anchor=anchor)
    return sent_on or await _LOOKS[first(sent, "do").partition(":")[0]](request, found, sent)


async def _save(request: Request, found: Subscription, sent: Form) -> Response:
    s = services(request)
    wanted = _wanted(request, found, sent)
    if not isinstance(wanted, Preferences):
        return await _unsaved(request, found, sent)
    return _changed(request, found, await s.subscribers.change(found.id, wanted, s.now()))


async def _preview(request: Request, found: Subscription, sent: Form) -> Response:
    fits = isinstance(_wanted(request, found, sent), Preferences)
    return await _unsaved(request, found, sent, "would" if fits else "")


async def _look(request: Request, found: Subscription, sent: Form) -> Response:
    """A form with what is wrong with it, or with the edition that it would have brought."""
    wanted = _wanted(request, found, sent)
    if not isinstance(wanted, Preferences):
        return await _page(request, found, form=refilled(sent), errors=wanted)
    return await _page(request, found, form=refilled(sent), wanted=wanted, unsaved=True, open_at="would")


def _wanted(request: Request, found: Subscription, sent: Form) -> Preferences | Mapping[str, Markup]:
    """The settings that a form asks for, or what is wrong with it by field."""
    s = services(request)
    wanted = read_form(sent, _slugs(request, found), preferences_of(found), s.phrases.names())
    if not isinstance(wanted, Preferences):
        return {field: spoken(s, phrase) for field, phrase in wanted.items()}
    if not choices.comes_out(s, found.newsletter, wanted.frequency) and wanted.frequency is not found.frequency:
        return {"frequency": s.phrases("errors.no_weekly", newsletter=reader_links.title(request, found))}
    return wanted


async def _switch(request: Request, found: Subscription, sent: Form) -> Response:
    known = {group.slug for group in _groups(request, found)}
    name = first(sent, "group")
    return await _unsaved(request, found, sent, f"g-{name}" if name in known else "topics-fold")


async def _switched(request: Request, found: Subscription, sent: Form) -> Response:
    """Ticks the boxes of a group or takes them away. Nothing is saved: it is still a form."""
    way, _, name = first(sent, "do").partition(":")
    slugs = [topic.slug for group in _groups(request, found) if group.slug == name for topic in group.topics]
    ticked = [slug for slug in sent.get("topics", ()) if slug not in slugs]
    form = refilled({**sent, "topics": [*ticked, *(slugs if way == "on" else ())]})
    return await _page(request, found, form=form, unsaved=True, open_at="topics")


async def _pause(request: Request, found: Subscription, sent: Form) -> Response:
    s = services(request)
    try:
        until = read_pause(first(sent, "until"), today(s, found))
    except Unusable:
        return await _unsaved(request, found, sent)
    return _changed(request, found, await s.subscribers.pause(found.id, until, s.now()))


async def _no_pause(request: Request, found: Subscription, sent: Form) -> Response:
    """What is wrong with the day of a pause; one that fits is not paused by looking."""
    s = services(request)
    try:
        read_pause(first(sent, "until"), today(s, found))
    except Unusable as unusable:
        return await _page(request, found, errors={"until": spoken(s, unusable.phrase)})
    return await _page(request, found)


async def _pause_week(request: Request, found: Subscription, sent: Form) -> Response:
    s = services(request)
    return _changed(request, found, await s.subscribers.pause(found.id, today(s, found) + WEEK, s.now()))


async def _resume(request: Request, found: Subscription, sent: Form) -> Response:
    s = services(request)
    return _changed(request, found, await s.subscribers.resume(found.id, s.now()))


async def _undo(request: Request, found: Subscription, sent: Form) -> Response:
    s = services(request)
    revision = first(sent, "revision")
    if not (revision.isascii() and revision.isdigit()):
        raise HTTPException(HTTPStatus.BAD_REQUEST, s.phrases.text("problem.bad_form"))
    undone = await s.subscribers.undo(found.id, int(revision[:9]), s.now())
    return forms.lead_on(request, "undone" if undone else "late", (undone or found).revision)


async def _ask_private(request: Request, found: Subscription, sent: Form) -> Response:
    s = services(request)
    hour = dt.timedelta(hours=1)
    if not await s.limits.allow("private", str(found.id), PRIVATE_LINKS, hour, s.now()):
        wait = {"Retry-After": str(int(hour.total_seconds()))}
        raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, s.phrases.text("limits.reader"), wait)
    await s.subscribers.ask_private(found.id, s.now())
    s.wake()
    return forms.lead_on(request, "mailed", found.revision)


def _changed(request: Request, before: Subscription, after: Subscription | None) -> Response:
    if after is None:
        return forms.lead_on(request)
    return forms.lead_on(request, "changed" if after.revision != before.revision else "unchanged", after.revision)


def _slugs(request: Request, found: Subscription) -> list[str]:
    """The topics that the form shows."""
    return [topic.slug for group in _groups(request, found) for topic in group.topics]


def _groups(request: Request, found: Subscription) -> list[choices.TopicGroup]:
    s = services(request)
    newsletter = s.newsletters.get(found.newsletter)
    return choices.groups(s.topics_of(newsletter) if newsletter else s.topics)


def _path(request: Request) -> str:
    return f"/manage/{request.path_params['token']}"


async def _page(
    request: Request,
    found: Subscription,
    *,
    form: Filled | None = None,
    wanted: Preferences | None = None,
    errors: Mapping[str, Markup] | None = None,
    notice: str = "",
    unsaved: bool = False,
    open_at: str = "",
) -> Response:
    """The settings as they are, or as `form` has them; what would have come is by `wanted`, else by what is kept.
    `open_at` names the section that is unfolded."""
    s = services(request)
    errors = errors or {}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    title = reader_links.title(request, found)
    last = last_change(request, found)
    shared: dict[str, Any] = {
        "path": _path(request),
        "newsletter": title,
        "address": masked(found.email),
        "last": last,
        "notice": notice,
        "changes": last.said if last and notice == "manage.changed" else [],
    }
    if found.state not in ACTIVE:
        return s.pages("manage_inactive.html", status, left=found.state is SubscriptionState.UNSUBSCRIBED, **shared)
    preferences = wanted or preferences_of(found)
    day = today(s, found)
    shown = form or filled(preferences, _slugs(request, found))
    instead = zone_of(s, found.newsletter)
    return s.pages(
        "manage.html",
        status,
        open=open_at,
        unsaved=unsaved,
        told=told(s, preferences, _slugs(request, found)),
        form=replace(shown, zone=nearest(shown.zone, instead)),
        zone_gone="" if known(preferences.zone) else preferences.zone,
        instead=instead,
        errors=errors,
        groups=_groups(request, found),
        frequencies=choices.frequencies(s, found.newsletter, found.frequency),
        zones=choices.zones(),
        languages=languages(s, shown.language),
        max_size=MAX_SIZE,
        paused=found.state is SubscriptionState.PAUSED,
        paused_until=found.paused_until,
        suppressed=found.suppressed is not None,
        week=day + WEEK,
        first_day=day + dt.timedelta(days=1),
        last_day=day + MAX_PAUSE,
        teach=f"/act/{request.path_params['token']}/teach",
        left_out=await left_out(s, found.newsletter, preferences.interests),
        would=await would_have(s, found.newsletter, preferences.interests, preferences.frequency),
        unsubscribe=f"/unsubscribe/{sign(Purpose.UNSUBSCRIBE, found.id, s.keys[0])}",
        **shared,
    )


_BUTTONS: Mapping[str, Callable[[Request, Subscription, Form], Awaitable[Response]]] = {
    "save": _save,
    "preview": _preview,
    "on": _switch,
    "off": _switch,
    "pause": _pause,
    "pause-week": _pause_week,
    "resume": _resume,
    "undo": _undo,
    "private": _ask_private,
}
"""What each button does; those of a group bear its name behind a colon."""

_LOOKS: Mapping[str, Callable[[Request, Subscription, Form], Awaitable[Response]]] = {
    "save": _look,
    "preview": _look,
    "on": _switched,
    "off": _switched,
    "pause": _no_pause,
}
"""What is shown of a form that was not saved, by its button."""

_NOTICES = {
    "changed": "manage.changed",
    "unchanged": "manage.unchanged",
    "undone": "manage.undone",
    "late": "manage.too_late",
    "mailed": "manage.private_sent",
}
"""What is told of what was done."""

ROUTES = (Route("/manage/{token}", manage, methods=["GET", "POST"]),)
