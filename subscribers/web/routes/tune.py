"""Tune this mail: the topics and papers of one edition, each with a button that is pressed once.

The way of `act`: the token in the path is the authority, looking changes nothing, and what was changed can be undone.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flows.editions.choose import choose
from flows.editions.model import FOR_YOU, Edition, Kind
from flows.papers.model import Paper, PaperId
from flows.storage.editions import Frozen
from subscribers.model import Subscription
from subscribers.preferences import Preferences, Unusable, follow, mute, preferences_of, unmute, wanted_topics
from subscribers.web import forms, reader_links
from subscribers.web.routes.act import for_a_reader, offered
from subscribers.web.services import Services, named, services
from subscribers.web.settings_page import last_change, manage_path, spoken
from subscribers.web.suggestions import TICKED


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicChoice:
    """A topic of the edition, and what pressing its button does."""

    slug: str
    name: str
    count: int
    muted: bool


async def daily(request: Request, found: Subscription) -> Response:
    return await _tune(request, found, Kind.DAILY)


async def weekly(request: Request, found: Subscription) -> Response:
    return await _tune(request, found, Kind.WEEKLY)


async def _tune(request: Request, found: Subscription, kind: Kind) -> Response:
    s = services(request)
    newsletter, day = named(request)
    kept = await s.store.find(newsletter.slug, kind, day)
    if newsletter.slug != found.newsletter or not isinstance(kept, Frozen):
        raise HTTPException(HTTPStatus.NOT_FOUND, s.phrases.text("problem.nothing_here"))
    error = Markup()
    sent = await forms.read(request) if request.method == "POST" else forms.as_sent(request)
    if sent is not None:
        try:
            wanted = await _pressed(request, found, kept.edition, sent)
        except Unusable as unusable:
            error = spoken(s, unusable.phrase)
        else:
            if request.method == "POST":
                after = await s.subscribers.change(found.id, wanted, s.now())
                return forms.lead_on(request, "done", after.revision) if after else forms.lead_on(request)
        if request.method == "POST" and (sent_on := forms.lead_back(request, sent)):
            return sent_on
    last = last_change(request, found)
    told = last.said if last and forms.done(request, found.revision) else []
    interests = found.interests
    wanted_slugs = wanted_topics(interests, [topic.slug for topic in s.topics])
    return s.pages(
        "tune.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        heading=s.phrases("tune.title"),
        newsletter=newsletter.title,
        day=s.pages.long_date(day),
        changes=told,
        error=error,
        last=last,
        groups=_papers(s, kept.edition, found),
        topics=[
            TopicChoice(
                slug=section.topic,
                name=section.name,
                count=len(section.entries),
                muted=section.topic not in wanted_slugs,
            )
            for section in kept.edition.sections
        ],
        manage=manage_path(request, found),
        act=f"/act/{reader_links.token_in(request)}",
    )


async def _pressed(request: Request, found: Subscription, edition: Edition, sent: forms.Form) -> Preferences:
    """What a button of the page does. One that the page does not have is a page that is not there."""
    s, preferences = services(request), preferences_of(found)
    slugs = [topic.slug for topic in s.topics]
    names = {section.topic for section in edition.sections}
    for name, change in (("mute", mute), ("unmute", unmute)):
        if (slug := next(iter(sent.get(name, ())), "")) in names:
            return change(preferences, [slug], slugs)
    wanted = next(iter(sent.get("more", ())), "")
    paper = next((entry.paper for entry in edition.entries if entry.paper.id == wanted), None)
    if paper is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, s.phrases.text("problem.nothing_here"))
    terms = [one.term for one in (await offered(request, paper, found.newsletter))[:TICKED]]
    if not terms:
        raise Unusable("tune.nothing_to_follow")
    return follow(preferences, keywords=terms, all_topics=slugs)


def _papers(s: Services, edition: Edition, found: Subscription) -> list[tuple[Markup | str, list[Paper]]]:
    """The papers of the reader's mail by group, as far as their present settings tell; those they follow first."""
    digest = choose(edition, found.interests)
    papers: dict[PaperId, Paper] = {entry.paper.id: entry.paper for entry in edition.entries}
    groups: dict[str, Markup | str] = {section.topic: section.group for section in edition.sections}
    groups[FOR_YOU] = s.phrases("manage.for_you")
    shown: dict[Markup | str, list[Paper]] = {}
    for part in digest.parts:
        shown.setdefault(groups[part.topic], []).extend(papers[one] for one in part.papers)
    return list(shown.items())


ROUTES = tuple(
    Route(f"/act/{{token}}/tune/{{newsletter}}/{path}", for_a_reader(act), methods=["GET", "POST"])
    for path, act in (("{day}", daily), ("week/{day}", weekly))
)
