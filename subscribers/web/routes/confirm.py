"""The second half of a sign-up: the links of the confirmation mail."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from subscribers.addresses import masked
from subscribers.model import Frequency, Subscription, SubscriptionState
from subscribers.preferences import Preferences, Unusable, mute, preferences_of, unmute, wanted_topics
from subscribers.tokens import Purpose
from subscribers.web import choices, forms, reader_links
from subscribers.web.forms import first
from subscribers.web.routes.act import for_a_reader
from subscribers.web.routes.manage import ACTIVE
from subscribers.web.services import services
from subscribers.web.settings_page import last_change

WAITS = SubscriptionState.UNCONFIRMED
HOURS = (6, 7, 8, 9, 12, 18)
"""That are one press away; the others stand in the settings."""


async def confirm(request: Request) -> Response:
    """GET shows one button, so that a scanner which opens every link confirms nothing; POST confirms.

    CSRF: the token is the authority and stands in no cookie; a page that could forge this request would have to have
    read the mail.
    """
    s = services(request)
    found = await reader_links.reader(request, Purpose.CONFIRM)
    if request.method == "POST":
        if found.state is WAITS:
            await s.subscribers.confirm(found.id, s.now())
            s.wake()
        return forms.lead_on(request, "welcome")
    if found.state in ACTIVE:
        return _chosen(request, found, reader_links.token(request, Purpose.MANAGE, found))
    return s.pages(
        "confirm.html",
        waits=found.state is WAITS,
        address=masked(found.email),
        newsletter=reader_links.title(request, found),
    )


async def choose(request: Request, found: Subscription) -> Response:
    """The first choices, one press each: how often, from which hour on, in what language, which topics. GET shows them.

    CSRF: the token in the path is the authority; each can be undone.
    """
    if request.method != "POST":
        return _chosen(request, found, reader_links.token_in(request))
    s = services(request)
    sent = await forms.read(request)
    slugs = [topic.slug for topic in s.topics]
    preferences = preferences_of(found)
    try:
        if slug := first(sent, "mute"):
            wanted = mute(preferences, [slug] if slug in slugs else [], slugs)
        elif slug := first(sent, "unmute"):
            wanted = unmute(preferences, [slug] if slug in slugs else [], slugs)
        else:
            wanted = _one_of(request, found, preferences, sent)
    except Unusable:
        return forms.lead_on(request, "last", found.revision)
    after = await s.subscribers.change(found.id, wanted, s.now())
    return forms.lead_on(request, "changed", after.revision) if after else forms.lead_on(request)


def _one_of(request: Request, found: Subscription, preferences: Preferences, sent: forms.Form) -> Preferences:
    """With the frequency, hour or language that a button names; any other is a form that can't be read."""
    s = services(request)
    frequency, hour, language = first(sent, "frequency"), first(sent, "hour"), first(sent, "language")
    if frequency in choices.frequencies(s, found.newsletter):
        return replace(preferences, frequency=Frequency(frequency), weekday=None)
    if hour in {"any", *map(str, HOURS)}:
        return replace(preferences, hour=None if hour == "any" else int(hour))
    if language in s.phrases.names():
        return replace(preferences, language=language)
    raise HTTPException(HTTPStatus.BAD_REQUEST, s.phrases.text("problem.bad_form"))


def _chosen(request: Request, found: Subscription, token: str) -> Response:
    s = services(request)
    newsletter = s.newsletters.get(found.newsletter)
    carried = s.topics_of(newsletter) if newsletter else s.topics
    told, last = forms.done(request, found.revision), last_change(request, found)
    return s.pages(
        "start.html",
        newsletter=reader_links.title(request, found),
        welcome=forms.done(request) == "welcome",
        changes=last.said if last and told == "changed" else [],
        last=last,
        error=s.phrases("errors.nothing_left") if told == "last" else "",
        frequencies=choices.frequencies(s, found.newsletter, found.frequency),
        frequency=found.frequency,
        hours=HOURS,
        hour=found.hour,
        languages=s.phrases.names(),
        language=s.phrases.language,
        zone=found.zone,
        groups=choices.groups(carried),
        wanted=wanted_topics(found.interests, [topic.slug for topic in s.topics]),
        path=f"/act/{token}/start",
        manage=f"/manage/{token}",
    )


async def never(request: Request) -> Response:
    """For whoever did not ask for it: GET shows one button; POST never mails this address again.

    CSRF: as above; what a stranger can do with a forwarded mail is to keep its address from being signed up.
    """
    s = services(request)
    number = reader_links.number(request, Purpose.CONFIRM)
    if request.method == "POST":
        return forms.lead_on(request, "never" if await s.subscribers.decline(number, s.now()) else "")
    found = await reader_links.known(request, number)
    done = found is None and forms.done(request) == "never"
    if found is None and not done:
        return reader_links.gone(request)
    return s.pages("never.html", done=done, subscribed=found is not None and found.state is not WAITS)


async def never_address(request: Request) -> Response:
    """The same for an address that somebody wanted their mail sent to."""
    s = services(request)
    number = reader_links.number(request, Purpose.ADDRESS)
    if request.method == "POST":
        declined = await s.subscribers.decline_address(number, s.now())
        return forms.lead_on(request, "never" if declined else "gone")
    told = forms.done(request)
    if told == "gone":
        return reader_links.gone(request)
    return s.pages("never.html", done=told == "never", subscribed=False)


ROUTES = (
    Route("/act/{token}/start", for_a_reader(choose), methods=["GET", "POST"]),
    Route("/confirm/{token}", confirm, methods=["GET", "POST"]),
    Route("/confirm/{token}/never", never, methods=["GET", "POST"]),
    Route("/address/{token}/never", never_address, methods=["GET", "POST"]),
)
