"""What a process works with: settings, database, catalogue, wired together once."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import flows
from flows.config import catalogue
from flows.config.installation import check_keys
from flows.config.phrases import Languages, Phrases
from flows.config.settings import Settings
from flows.editions import summary
from flows.editions.model import Kind, Newsletter, Topic
from flows.editions.topics import Classifier
from flows.mail.model import Site
from flows.outcomes import Problem
from flows.papers.fetch import Fetcher
from flows.papers.model import Addresses
from flows.papers.summary_service import Summariser
from flows.plugins.installed import looks
from flows.sending.dkim import read_key
from flows.sending.sign import Signer
from flows.sending.slots import Slots
from flows.storage.approvals import Approvals
from flows.storage.database import Database, connect, migrate
from flows.storage.editions import Store
from flows.storage.private_files import keep_private
from subscribers.ledger.bounce_rates import BounceRates
from subscribers.ledger.came_back import CameBack
from subscribers.ledger.ledger import Ledger
from subscribers.ledger.masses import HeldBounces
from subscribers.ledger.pause_bounds import Bounds
from subscribers.ledger.pauses import Paused, Pauses
from subscribers.ledger.report import DeliveryReport
from subscribers.ledger.shared_limits import Turns
from subscribers.ledger.uncertain import HeldDeliveries
from subscribers.people.outbox import Outbox
from subscribers.people.store import Subscribers
from subscribers.return_address import return_address
from subscribers.web.page_meta import name_of

Say = Callable[[str], None]
"""Takes a sentence about what is going on, for whoever looks on: a run's log, a terminal."""

_PACKAGE = Path(flows.__file__).parent
_INSTALLED = _PACKAGE / "templates"
TEMPLATES = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "templates"
"""Within the package where a wheel was installed, so that no other package's can take its place; beside it in a
checkout."""


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def read_day(date: str, today: dt.date) -> dt.date:
    """The day that a person wrote, up to tomorrow. Raises Problem."""
    match date.strip().lower():
        case "today" | "":
            return today
        case "yesterday":
            return today - dt.timedelta(days=1)
        case written:
            try:
                day = dt.date.fromisoformat(written)
            except ValueError:
                raise Problem(f"{date[:40]!r} is no date: write it as 2026-06-09, or today, or yesterday.") from None
            if day > today + dt.timedelta(days=1):
                raise Problem(f"{day} lies in the future: choose a day up to {today + dt.timedelta(days=1)}.")
            return day


@dataclass(frozen=True, kw_only=True)
class Context:
    settings: Settings
    database: Database
    topics: tuple[Topic, ...]
    newsletters: Mapping[str, Newsletter]
    now: Callable[[], dt.datetime] = utc_now

    @cached_property
    def store(self) -> Store:
        return Store(self.database)

    @cached_property
    def approvals(self) -> Approvals:
        return Approvals(self.database)

    @cached_property
    def subscribers(self) -> Subscribers:
        return Subscribers(self.database, self.settings.hashing_key)

    @cached_property
    def ledger(self) -> Ledger:
        settings = self.settings
        return Ledger(
            self.database,
            back_off=settings.back_off,
            give_up=dt.timedelta(hours=settings.mail_give_up),
            resend=settings.mail_uncertain == "resend",
        )

    def slots(self, *, letters: bool = False) -> Slots | None:
        """The connections to the mail server that this machine may have; None for mail into a folder."""
        url = self.settings.mail_url.get_secret_value()
        if not url.startswith("smtp"):
            return None
        where = hashlib.sha256(url.rpartition("@")[2].encode()).hexdigest()[:12]
        folder = self.settings.home_dir / "connections" / where
        return Slots(folder, self.settings.mail_connections, letters=letters)

    @cached_property
    def turns(self) -> Turns:
        return Turns(self.database, self.now)

    @cached_property
    def report(self) -> DeliveryReport:
        return DeliveryReport(self.database)

    @cached_property
    def held(self) -> HeldDeliveries:
        return HeldDeliveries(self.database)

    @cached_property
    def came_back(self) -> CameBack:
        return CameBack(self.database, self.settings.hashing_key)

    @cached_property
    def held_bounces(self) -> HeldBounces:
        return HeldBounces(self.database, self.settings.hashing_key)

    @cached_property
    def rates(self) -> BounceRates:
        return BounceRates(self.database)

    @cached_property
    def pauses(self) -> Pauses:
        return Pauses(self.database, self.rates)

    async def watch(self, newsletter: str) -> Paused | None:
        """Pauses a newsletter of whose mails more came back than the settings allow; None: it goes on."""
        return await self.pauses.watch(newsletter, Bounds(*self.settings.bounds), self.now())

    @cached_property
    def outbox(self) -> Outbox:
        return Outbox(self.database)

    @cached_property
    def classifier(self) -> Classifier:
        return Classifier(self.topics)

    @cached_property
    def site(self) -> Site:
        return Site(
            public_url=self.settings.public_url,
            sender=self.settings.sender,
            return_path=self.settings.bounces_to,
            postal_address=self.settings.postal_address,
            unsubscribe_mailbox=self.settings.bounces_to if self.settings.returns_url.get_secret_value() else "",
        )

    def return_address(self, edition_id: int, subscription_id: int) -> str:
        """Where the bounce of one delivery goes, or with edition 0 of a letter to a reader."""
        address = self.settings.bounces_to
        if not self.settings.verp:
            return address
        return return_address(address, edition_id, subscription_id, self.settings.keys[0])

    @cached_property
    def signer(self) -> Signer:
        """What signs mail before it leaves; without keys it leaves as it is."""
        domain = self.settings.signing_domain
        return Signer([read_key(pem, selector, domain) for pem, selector in self.settings.dkim_keys], self.now)

    async def close(self) -> None:
        """Ends the processes that sign, and waits for what the ledger is writing."""
        if "signer" in vars(self):  # never asked for, it was never made
            self.signer.close()
        if "ledger" in vars(self):
            await self.ledger.settled()

    @cached_property
    def summariser(self) -> Summariser | None:
        """What writes summaries; None where no service is set."""
        settings = self.settings
        if not settings.summary_url:
            return None
        key = settings.summary_key.get_secret_value()
        return Summariser(settings.summary_url, key, settings.summary_model, summary.messages, summary.read)

    @cached_property
    def addresses(self) -> Addresses:
        return Addresses(
            huggingface=self.settings.huggingface_url,
            arxiv=self.settings.arxiv_url,
            arxiv_rss=self.settings.arxiv_rss_url,
        )

    @cached_property
    def template_folders(self) -> tuple[Path, ...]:
        """Where templates are looked for, in order: the operator's own folder, those of installed looks, then ours."""
        own = self.settings.templates_dir
        return (*([own] if own else []), *looks(), TEMPLATES)

    def newsletter(self, slug: str, kind: Kind = Kind.DAILY) -> Newsletter:
        """The newsletter of that name. Raises Problem where there is none, or none with editions of this kind."""
        if slug not in self.newsletters:
            raise Problem(f"There is no newsletter {slug!r}: choose one of {', '.join(sorted(self.newsletters))}.")
        newsletter = self.newsletters[slug]
        if kind is Kind.WEEKLY and not newsletter.weekly_cron:
            raise Problem(
                f"{newsletter.title} has no weekly edition: give its file a weekly_cron if it is to have one."
            )
        return newsletter

    def day(self, newsletter: Newsletter, date: str, at: dt.datetime | None = None) -> dt.date:
        """The day that `date` names: "today" or "yesterday" in the newsletter's zone, or a date such as 2026-06-09."""
        return read_day(date, (at or self.now()).astimezone(ZoneInfo(newsletter.zone)).date())

    @cached_property
    def languages(self) -> Languages:
        return Languages(self.template_folders)

    @property
    def phrases(self) -> Phrases:
        """The words in the site's own language."""
        return self.languages[self.languages.default]

    def fetcher(self, say: Say) -> Fetcher:
        """The HTTP client, to be entered: one for a run."""
        return Fetcher(
            contact=self._contact,
            cache=self.settings.cache_dir,
            arxiv_interval=self.settings.arxiv_interval,
            say=say,
        )

    @property
    def _contact(self) -> str:
        """How the services reach us: they ask for it in the User-Agent."""
        return self.settings.public_url if self.settings.public_url.startswith("https") else self.settings.bounces_to


@asynccontextmanager
async def open_context(settings: Settings) -> AsyncIterator[Context]:
    """Reads the catalogue, opens the database and brings its schema up to date. Raises Problem."""
    topics = catalogue.topics(settings.topics_dir)
    newsletters = catalogue.newsletters(settings.newsletters_dir, known_topics=topics)
    keep_private(settings.home_dir, settings.database_file)
    database = connect(settings.database)
    try:
        await migrate(database)
        await check_keys(database, settings)
        context = Context(settings=settings, database=database, topics=topics, newsletters=newsletters)
        try:
            yield context
        finally:
            await context.close()
    finally:
        await database.close()


def report_link(context: Context, newsletter: str, kind: Kind, day: dt.date) -> str:
    """Where an operator sees who got an edition; the page asks for the login."""
    return f"{context.settings.public_url}/report/{name_of(newsletter, kind, day)}"


def preview_link(context: Context, newsletter: str, kind: Kind, day: dt.date) -> str:
    """Where an operator sees an edition as it is or would be; the page asks for the login."""
    return f"{context.settings.public_url}/preview/{name_of(newsletter, kind, day)}"
