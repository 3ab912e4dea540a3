"""Papers that a reader pastes or uploads, as numbers, links or a reference manager's file: what they share to choose
from. What they do not offer can't be chosen.

Those that nobody collected are asked of arXiv, by their numbers and when the button is pressed: looking asks nobody.
What was not found is named.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flows.papers.by_number import NumbersAnswer
from flows.papers.model import Paper, PaperId, paper_id
from flows.storage.query import MAX_LETTERS, Query, parse
from subscribers.model import Subscription
from subscribers.preferences import Unusable, follow, preferences_of
from subscribers.web import forms
from subscribers.web.forms import Form, first
from subscribers.web.routes.act import DONE, MONTH, FollowChoice, act_page, among, change, for_a_reader
from subscribers.web.services import Services, services
from subscribers.web.settings_page import manage_path, spoken
from subscribers.web.suggestions import TAUGHT, OfferedTerm, offers, shared, shared_authors
from subscribers.web.teaching import upload
from subscribers.web.teaching.bibliographies import ENTRIES, Named, named, said_in

PATIENCE = 6.0
"""Seconds that a page waits for arXiv."""
ASKED = 20
"""How often in an hour arXiv is asked for one reader."""
TITLES = 40
"""Titles that are looked for in the archive: each is a look into the index."""
SAME_TITLE = 3
"""Papers that hold the words of a title and are compared with it."""
SHOWN = 5
"""Titles that were not found and are named; of more the number."""


async def teach(request: Request, found: Subscription) -> Response:
    s = services(request)
    if request.method == "POST":
        sent = await upload.read(request)
        if "follow" not in sent:
            sent = await _looked_for(s, sent)
    else:
        sent = forms.as_sent(request) or {}
    typed = _ids(first(sent, "papers"))
    papers = await s.store.papers_of(typed)
    told = await _asked(request, found, [one for one in typed if one not in papers])
    papers = {one: paper for one in typed if (paper := papers.get(one) or told.papers.get(one))}
    terms, names = await _shared(s, list(papers.values()), found.newsletter)
    interests = found.interests
    listed = {
        "keywords": [
            FollowChoice(one.term, one.term, among(one.term, interests.keywords), one.papers) for one in terms
        ],
        "authors": [FollowChoice(one.term, one.term, among(one.term, interests.authors), one.papers) for one in names],
    }
    chosen = {field: [one.value for one in some if one.value in sent.get(field, ())] for field, some in listed.items()}
    error = Markup()
    if any(chosen.values()):
        try:
            wanted = follow(preferences_of(found), keywords=chosen["keywords"], authors=chosen["authors"])
        except Unusable as unusable:
            error = spoken(s, unusable.phrase)
        else:
            if request.method == "POST":
                return await change(request, found, wanted)
    if request.method == "POST" and (led := forms.lead_back(request, sent, anchor="found")):
        return led
    if forms.done(request, found.revision) == DONE:
        return act_page(request, found, heading=s.phrases("act.more_done"))
    return s.pages(
        "act_teach.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        asked=bool(sent),
        nothing_ticked="follow" in sent and not error,
        error=error,
        papers=papers,
        told=told,
        titles=sent.get("titles", ()),
        more_titles=_number(sent, "more_titles"),
        nameless=_number(sent, "nameless"),
        named=_number(sent, "named"),
        read_all=not first(sent, "more"),
        most=TAUGHT,
        entries=ENTRIES,
        limit=upload.LIMIT,
        again=f"{request.url.path}?{request.url.query}#found",
        choices=listed,
        left=any(not one.already for some in listed.values() for one in some),
        manage=manage_path(request, found),
    )


async def _looked_for(s: Services, sent: Form) -> Form:
    """What a text or a file names, as the page tells it: the numbers that are learnt from, and the titles that were not
    found."""
    text = "\n".join(part for field in ("papers", "file") for part in sent.get(field, ()))
    read = await asyncio.to_thread(named, text)
    ids, unfound = await _by_title(s, read)
    every = list(dict.fromkeys((*read.numbers, *ids)))
    # of many the newest: numbers begin with the year, those before 2007 with an archive's name
    kept = every if len(every) <= TAUGHT else sorted(every, key=_age, reverse=True)[:TAUGHT]
    return {
        "papers": [" ".join(kept)],
        "titles": [title[:100] for title in unfound[:SHOWN]],
        "more_titles": [str(max(0, len(unfound) - SHOWN))],
        "nameless": [str(read.nameless)],
        "named": [str(len(every))],
        "more": ["yes"] if read.more else [],
    }


def _ids(kept: str) -> list[PaperId]:
    """The papers that a page has named before; those of the archive need not be arXiv's. A form is a stranger's."""
    found: dict[PaperId, None] = {}
    for one in kept.split()[:TAUGHT]:
        try:
            found[paper_id(one)] = None
        except ValueError:
            continue
    return list(found)


def _age(number: PaperId) -> tuple[bool, str]:
    return "/" not in number, number.rpartition("/")[2]


async def _by_title(s: Services, read: Named) -> tuple[list[PaperId], list[str]]:
    """The papers of the archive that bear the titles, and the titles that none bears."""
    looked_for = read.titles[:TITLES]
    queries = [parse('"{}"'.format(title.replace('"', " ")[: MAX_LETTERS - 2])) for title in looked_for]
    held = await s.search.of_late([one for one in queries if one.terms], dt.date.min, SAME_TITLE)
    papers = await s.store.papers_of({one for some in held for one in some})
    bearing = {said_in(paper.title): one for one, paper in papers.items()}
    found = [bearing[said] for title in looked_for if (said := said_in(title)) in bearing]
    return found, [title for title in read.titles if said_in(title) not in bearing]


async def _asked(request: Request, found: Subscription, ids: Sequence[PaperId]) -> NumbersAnswer:
    """What arXiv says of papers that are not in the archive; it is asked when a button is pressed."""
    s = services(request)
    hour = dt.timedelta(hours=1)
    known = s.arxiv.known(ids)
    if request.method != "POST" or not known.unasked:
        return known
    if not await s.limits.allow("arxiv", str(found.id), ASKED, hour, s.now()):
        return known
    return await s.arxiv.ask(ids, PATIENCE)


async def _shared(s: Services, papers: list[Paper], newsletter: str) -> tuple[list[OfferedTerm], list[OfferedTerm]]:
    """The terms and the authors that papers share and others of the newsletter's last month have as well."""
    if not papers:
        return [], []
    last = s.now().date()
    terms, names = await asyncio.to_thread(shared, papers, s.topics), shared_authors(papers)
    queries = [parse(f'"{one.term}"') for one in terms] + [_written_by(name) for name in names]
    held, of_all = await s.archive.counts(newsletter, last - MONTH, last, queries, papers[0].id)
    wrote = [OfferedTerm(name, count) for name, count in zip(names, held[len(terms) :], strict=True) if count]
    return offers(terms, held[: len(terms)], of_all), wrote


def _written_by(name: str) -> Query:
    """The papers in whose authors a name stands as it is written."""
    return Query(tuple(tuple(replace(one, named=True) for one in term) for term in parse(f'"{name}"').terms))


def _number(sent: Form, field: str) -> int:
    written = first(sent, field)[:9]
    return int(written) if written.isascii() and written.isdigit() else 0


ROUTES = (Route("/act/{token}/teach", for_a_reader(teach), methods=["GET", "POST"]),)
