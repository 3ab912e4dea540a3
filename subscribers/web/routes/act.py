"""One tap in a mail: a page that says what will change, and one button that does it.

The action stands unsigned in the path behind the token, since looking changes nothing and the button is pressed by
whoever reads what it does. CSRF, for each of them: the token in the path is the authority, there is no cookie; a forged
request would have to know it. Each is done once however often it is sent, and can be undone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, NamedTuple

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flows.papers.model import Paper, paper_id
from flows.storage.archive import Issue
from flows.storage.query import parse
from subscribers.model import Frequency, Subscription, SubscriptionState
from subscribers.preferences import Preferences, Unusable, follow, leave_out, preferences_of, wanted_topics
from subscribers.preferences import mute as without
from subscribers.tokens import Purpose
from subscribers.web import choices, forms, reader_links
from subscribers.web.routes.manage import ACTIVE, WEEK
from subscribers.web.services import services
from subscribers.web.settings_page import last_change, manage_path, spoken, today
from subscribers.web.suggestions import TICKED, OfferedTerm, authors, candidates, offers

DONE = "done"
"""What a page tells when its button has been pressed."""
MONTH = dt.timedelta(days=31)
"""In which others are looked for."""

Act = Callable[[Request, Subscription], Awaitable[Response]]


class FollowChoice(NamedTuple):
    """What can be followed or left out, and whether it is already."""

    value: str
    name: str
    already: bool
    papers: int = 0
    """How many others of a month hold it; 0: that was not asked."""


class _Known(NamedTuple):
    """What is followed or left out already."""

    keywords: tuple[str, ...]
    authors: tuple[str, ...]
    topics: frozenset[str]


def for_a_reader(act: Act) -> Callable[[Request], Awaitable[Response]]:
    """The route for one action of a reader who gets mail."""

    async def route(request: Request) -> Response:
        found = await reader_links.reader(request, Purpose.MANAGE)
        if found.state not in ACTIVE:
            if request.method == "POST":
                return forms.lead_on(request)
            s = services(request)
            return act_page(request, found, heading=s.phrases("act.nothing"), status=HTTPStatus.CONFLICT)
        return await act(request, found)

    return route


async def mute(request: Request, found: Subscription) -> Response:
    s = services(request)
    topic = next((one for one in s.topics if one.slug == request.path_params["topic"]), None)
    if topic is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, s.phrases.text("problem.nothing_here"))
    slugs = [one.slug for one in s.topics]
    preferences = preferences_of(found)
    if topic.slug not in wanted_topics(preferences.interests, slugs):
        if request.method == "POST":
            return forms.lead_on(request, DONE, found.revision)
        said_so = "act.muted" if is_done(request, found) else "act.muted_already"
        return act_page(request, found, heading=s.phrases(said_so, topic=topic.name))
    try:
        wanted = without(preferences, [topic.slug], slugs)
    except Unusable:
        heading = s.phrases("act.mute", topic=topic.name)
        words = s.phrases("act.only_topic", topic=topic.name)
        return act_page(request, found, heading=heading, words=words)
    if request.method == "POST":
        return await change(request, found, wanted)
    return act_page(
        request,
        found,
        heading=s.phrases("act.mute", topic=topic.name),
        words=s.phrases("act.mute_words"),
        button=s.phrases("act.mute_button", topic=topic.name),
    )


async def pause(request: Request, found: Subscription) -> Response:
    s = services(request)
    until = today(s, found) + WEEK
    day = s.pages.long_date(until)
    paused = found.state is SubscriptionState.PAUSED
    if paused and (found.paused_until is None or found.paused_until >= until):
        if request.method == "POST":
            return forms.lead_on(request, DONE, found.revision)
        kept = found.paused_until
        words = s.phrases("manage.paused", until=s.pages.long_date(kept)) if kept else s.phrases("manage.paused_open")
        return act_page(request, found, heading=words)
    if request.method == "POST":
        after = await s.subscribers.pause(found.id, until, s.now())
        return _done(request, after)
    return act_page(
        request,
        found,
        heading=s.phrases("act.pause"),
        words=s.phrases("act.pause_words", until=day),
        button=s.phrases("act.pause_button", until=day),
    )


def _rhythm(frequency: Frequency) -> Act:
    async def act(request: Request, found: Subscription) -> Response:
        s = services(request)
        if not choices.comes_out(s, found.newsletter, frequency):
            if request.method == "POST":
                return forms.lead_on(request)
            return act_page(request, found, heading=s.phrases("act.no_weekly"))
        if found.frequency is frequency:
            if request.method == "POST":
                return forms.lead_on(request, DONE, found.revision)
            return act_page(request, found, heading=s.phrases(f"act.rhythm.{frequency}.done"))
        if request.method == "POST":
            wanted = replace(preferences_of(found), frequency=frequency)
            return await change(request, found, wanted)
        return act_page(
            request,
            found,
            heading=s.phrases(f"act.rhythm.{frequency}.heading"),
            words=s.phrases(f"act.rhythm.{frequency}.words"),
            button=s.phrases(f"act.rhythm.{frequency}.button"),
        )

    return act


async def more(request: Request, found: Subscription) -> Response:
    """More like a paper: its words, authors and topic to follow."""
    interests, slugs = found.interests, [one.slug for one in services(request).topics]
    known = _Known(interests.keywords, interests.authors, wanted_topics(interests, slugs))

    def wanted(keywords: list[str], authors: list[str], topics: list[str]) -> Preferences:
        return follow(preferences_of(found), keywords=keywords, authors=authors, topics=topics, all_topics=slugs)

    return await _like(request, found, "more", known, wanted)


async def less(request: Request, found: Subscription) -> Response:
    """Less like a paper: its words, authors and topic to leave out. Nothing is ticked beforehand: a word may take more
    away than a reader thinks."""
    interests, slugs = found.interests, [one.slug for one in services(request).topics]
    muted = frozenset(slugs) - wanted_topics(interests, slugs)
    known = _Known(interests.leave_out, interests.leave_out, muted)

    def wanted(keywords: list[str], authors: list[str], topics: list[str]) -> Preferences:
        return leave_out(preferences_of(found), (*keywords, *authors), topics=topics, all_topics=slugs)

    return await _like(request, found, "less", known, wanted)


async def _like(
    request: Request,
    found: Subscription,
    way: str,
    known: _Known,
    wanted: Callable[[list[str], list[str], list[str]], Preferences],
) -> Response:
    """What a paper offers to choose from. What it does not offer can't be chosen."""
    s = services(request)
    paper = await _paper(request)
    topic = await _topic(request, paper, found.newsletter)
    terms = await offered(request, paper, found.newsletter)
    choices = {
        "keywords": [FollowChoice(one.term, one.term, among(one.term, known.keywords), one.papers) for one in terms],
        "authors": [FollowChoice(one, one, among(one, known.authors)) for one in authors(paper)],
        "topics": [FollowChoice(one.slug, one.name, one.slug in known.topics) for one in topic],
    }
    sent = await forms.read(request) if request.method == "POST" else forms.as_sent(request)
    chosen = {
        field: [one.value for one in listed if one.value in (sent or {}).get(field, ())]
        for field, listed in choices.items()
    }
    error = Markup()
    if any(chosen.values()):
        try:
            preferences = wanted(chosen["keywords"], chosen["authors"], chosen["topics"])
        except Unusable as unusable:
            error = spoken(s, unusable.phrase)
        else:
            if request.method == "POST":
                return await change(request, found, preferences)
    if request.method == "POST":
        if not error:
            return forms.lead_on(request, "nothing", found.revision)
        if led := forms.lead_back(request, {field: values for field, values in chosen.items() if values}):
            return led
    told = forms.done(request, found.revision)
    if told == DONE:
        return act_page(request, found, heading=s.phrases(f"act.{way}_done"))
    return s.pages(
        "act_like.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        way=way,
        title=paper.title or paper.id,
        choices=choices,
        ticked=[one.term for one in terms[:TICKED]] if way == "more" else [],
        left=any(not one.already for listed in choices.values() for one in listed),
        notice=s.phrases("act.more_none") if told == "nothing" else "",
        error=error,
        manage=manage_path(request, found),
    )


async def offered(request: Request, paper: Paper, newsletter: str) -> list[OfferedTerm]:
    """The terms of a paper that other papers of the newsletter hold, in the month to the edition that held it: the best
    first."""
    s = services(request)
    issue = await _issue(request, paper, newsletter)
    found = candidates(paper, s.topics, issue.topic if issue else "")
    last = issue.day if issue else s.now().date()
    queries = [parse(f'"{one.term}"') for one in found]
    held, papers = await s.archive.counts(newsletter, last - MONTH, last, queries, paper.id)
    return offers(found, held, papers)


async def _paper(request: Request) -> Paper:
    s = services(request)
    try:
        found = await s.store.paper(paper_id(request.path_params["paper"]))
    except ValueError:
        found = None
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, s.phrases.text("act.no_paper"))
    return found


async def _topic(request: Request, paper: Paper, newsletter: str) -> list[Any]:
    """The topic that a paper had in the reader's newsletter; none for one that no edition held."""
    issue = await _issue(request, paper, newsletter)
    return [one for one in services(request).topics if issue and one.slug == issue.topic]


async def _issue(request: Request, paper: Paper, newsletter: str) -> Issue | None:
    """The newest edition of the reader's newsletter that held a paper."""
    issues = await services(request).archive.holding(paper.id)
    return next((issue for issue in issues if issue.newsletter == newsletter), None)


def among(word: str, known: tuple[str, ...]) -> bool:
    return word.casefold() in {one.casefold() for one in known}


def is_done(request: Request, found: Subscription) -> bool:
    """Whether the page's button has just been pressed."""
    return forms.done(request, found.revision) == DONE


async def change(request: Request, found: Subscription, wanted: Preferences) -> Response:
    s = services(request)
    return _done(request, await s.subscribers.change(found.id, wanted, s.now()))


def _done(request: Request, after: Subscription | None) -> Response:
    return forms.lead_on(request, DONE, after.revision) if after else forms.lead_on(request)


def act_page(
    request: Request,
    found: Subscription,
    *,
    heading: Markup,
    words: Markup | str = "",
    button: Markup | str = "",
    status: int = HTTPStatus.OK,
) -> Response:
    """With a button: what it will do. Without: how it is now, and a way back where the last change can be undone."""
    last = None if button else last_change(request, found)
    return services(request).pages(
        "act.html",
        status,
        heading=heading,
        words=words,
        button=button,
        changes=last.said if last and is_done(request, found) else [],
        last=last,
        newsletter=reader_links.title(request, found),
        manage=manage_path(request, found),
    )


def _route(path: str, act: Act) -> Route:
    return Route(f"/act/{{token}}/{path}", for_a_reader(act), methods=["GET", "POST"])


ROUTES = (
    _route("mute/{topic}", mute),
    _route("more/{paper:path}", more),
    _route("less/{paper:path}", less),
    _route("pause", pause),
    _route("weekly", _rhythm(Frequency.WEEKLY)),
    _route("daily", _rhythm(Frequency.DAILY)),
)
