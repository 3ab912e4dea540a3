"""The first page, and the one that says what is kept of readers, and for how long: as this installation is set."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flows.editions.model import Edition, Newsletter
from flows.papers.model import Paper
from subscribers.tokens import LIFE, Purpose
from subscribers.web.page_meta import PageCard, feeds_of
from subscribers.web.pages import public
from subscribers.web.routes.signup_page import form_of
from subscribers.web.services import Services, services


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownEdition:
    """A newsletter's latest edition on the first page."""

    newsletter: Newsletter
    edition: Edition

    leads: Sequence[tuple[Paper, str]]
    """Its first papers, with what each did."""

    @property
    def subject(self) -> str:
        return self.edition.subject or (self.leads[0][0].title if self.leads else self.newsletter.title)


def _leads(s: Services, edition: Edition) -> list[tuple[Paper, str]]:
    papers = {entry.paper.id: entry.paper for entry in edition.entries}
    named = [papers[one] for one in edition.best if one in papers]
    others = [entry.paper for entry in nlargest(BEST, edition.entries, key=lambda entry: entry.score)]
    chosen = dict.fromkeys((paper.id for paper in [*named, *others]), None)
    return [(papers[one], s.gist_of(papers[one])) for one in list(chosen)[:BEST]]


def when(s: Services, newsletter: Newsletter) -> Markup:
    """When the mail of a newsletter comes, as far as its schedule can be said in a sentence."""
    found = _SCHEDULE.fullmatch(newsletter.cron)
    if found is None:
        return s.phrases("home.when_any")
    key = "home.when_week" if found[3] == "1-5" else "home.when_every_day"
    return s.phrases(key, hour=f"{int(found[2]):02}:{int(found[1]):02}", zone=newsletter.zone)


BEST = 3
"""Papers of an edition that the first page shows."""
_SCHEDULE = re.compile(r"([0-9]{1,2}) ([0-9]{1,2}) \* \* (1-5|\*|0-6|1-7)")


async def home(request: Request) -> Response:
    s = services(request)
    latest = [(newsletter, await s.store.latest(newsletter.slug)) for newsletter in s.newsletters.values()]
    shown = [
        ShownEdition(newsletter=newsletter, edition=frozen.edition, leads=_leads(s, frozen.edition))
        for newsletter, frozen in latest
        if frozen
    ]
    shown.sort(key=lambda one: one.edition.day, reverse=True)
    card = PageCard(
        title=s.phrases.text("site.name"),
        description=s.phrases.text("home.lead"),
        url=f"{s.public_url}/",
        type="website",
        feeds={title: path for one in shown for title, path in feeds_of(one.newsletter).items()},
    )
    signup = await form_of(request)
    comes = when(s, signup["newsletters"][0]) if signup["newsletters"] else ""
    return public(request, s.pages("home.html", shown=shown, signup=signup, when=comes, card=card), 0)


@dataclass(frozen=True, slots=True)
class KeptData:
    """Something that is kept: its name among the words, and how long."""

    what: str
    how_long: Markup


def kept(s: Services) -> list[KeptData]:
    """All that is kept of people, what readers know of first."""
    life = LIFE[Purpose.CONFIRM]
    confirm = life.days if life else 0
    days = {
        "unconfirmed": confirm,
        "leavers": s.keep.leavers,
        "deliveries": s.keep.deliveries,
        "letters": s.keep.letters,
        "network": 2,
        "logs": s.keep.logs,
    }
    timed = [KeptData(what, s.phrases("privacy.days." + what, count=count)) for what, count in days.items()]
    subscribed, never = (KeptData(what, s.phrases(f"privacy.days.{what}")) for what in ("subscribed", "never"))
    return [subscribed, *timed, never]


async def privacy(request: Request) -> Response:
    s = services(request)
    return public(request, s.pages("privacy.html", kept=kept(s), sender=s.sender, postal=s.postal_address), 0)


ROUTES = (Route("/", home), Route("/privacy", privacy))
