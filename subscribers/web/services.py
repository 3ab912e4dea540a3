"""What the web app needs of the rest, and what its routes share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request

from flows.editions.model import Edition, Kind, Newsletter, NoEdition, Topic
from flows.papers.by_number import ByNumber
from flows.papers.model import Paper
from flows.storage.approvals import Approvals
from flows.storage.archive import Archive
from flows.storage.database import Database
from flows.storage.editions import Frozen, Store
from flows.storage.search import Search
from subscribers.ledger.bounce_rates import BounceRates
from subscribers.ledger.figures import Figures
from subscribers.ledger.pauses import Pauses
from subscribers.ledger.report import DeliveryReport
from subscribers.people.store import Subscribers
from subscribers.web.pages import Pages, Speaker
from subscribers.web.request_limits import Limits
from subscribers.web.sessions import Sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Days that something is kept of people."""

    leavers: int
    deliveries: int
    letters: int
    logs: int


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the web app needs of the rest."""

    database: Database
    store: Store
    subscribers: Subscribers
    newsletters: Mapping[str, Newsletter]
    keys: Sequence[bytes]
    pages: Pages
    page_of: Callable[[Frozen], Awaitable[str]]
    """A frozen edition as a page, without anything personal, in the language that is spoken if it is kept in it."""
    preview_of: Callable[[Newsletter, Kind, dt.date], Awaitable[str | NoEdition]]
    """The edition of a day or a week as it would be now, as a page. Stores nothing."""
    now: Callable[[], dt.datetime]
    topics: Sequence[Topic]
    phrases: Speaker
    hashing_key: bytes
    limits: Limits
    wake: Callable[[], None]
    """Tells whoever sends the outbox that there is something in it."""
    latest: Callable[..., Awaitable[Edition | None]]
    """The latest frozen edition of a newsletter (its slug) and kind (daily if none is given), at hand at once."""
    approvals: Approvals
    gist_of: Callable[[Paper], str]
    """What a paper did, in a sentence or two of plain text, as mails say it."""
    archive: Archive
    search: Search
    arxiv: ByNumber
    """Papers that are not in the archive, asked of arXiv for a reader who waits."""
    report: DeliveryReport
    sessions: Sessions
    """Operators who are logged in."""
    rates: BounceRates
    pauses: Pauses
    hear: Callable[[str, Mapping[str, str], bytes], Awaitable[tuple[HTTPStatus, str]]]
    """Does what a provider's call tells: its name, the headers in lower case, the body; the answer to it."""
    figures: Figures
    metrics_token: str
    """With which a scraper of figures shows that it may; empty: nobody can."""
    keep: Keep
    sender: str
    """The From of every mail."""
    postal_address: str
    """The sender's, for who wants to write; may be empty."""
    public_url: str
    """Where readers reach the site, without a slash at the end."""

    def topics_of(self, newsletter: Newsletter) -> Sequence[Topic]:
        """The topics that a newsletter carries."""
        return [topic for topic in self.topics if not newsletter.topics or topic.slug in newsletter.topics]


def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


def named(request: Request) -> tuple[Newsletter, dt.date]:
    """The newsletter and the day that a path names; an unknown one is a page that was not found."""
    slug, written = request.path_params["newsletter"], request.path_params["day"]
    newsletter = services(request).newsletters.get(slug)
    try:
        day = dt.date.fromisoformat(written)
    except ValueError:
        day = None
    if newsletter is None or day is None or written != str(day):
        raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such edition.")
    return newsletter, day
