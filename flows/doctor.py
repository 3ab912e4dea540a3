"""The command `doctor`: looks at everything that mail depends on, changes nothing but the database's schema, and sends
nothing."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from email.utils import parseaddr
from urllib.parse import urlsplit

import dns.asyncresolver
import dns.exception
import dns.resolver
import httpx
import sqlalchemy as sa

from flows import catalogue
from flows.database import connect, migrate
from flows.mail import published
from flows.mail.dkim import Key, read_key
from flows.mail.model import Message
from flows.mail.published import Finding, Grade, aligned, dmarc_places
from flows.mail.transports import CantConnect, transport
from flows.mailbox import OpenMailbox
from flows.outcomes import Problem, anonymous
from flows.settings import Settings, load_settings
from subscribers.tables import subscription

PATIENCE = 20.0
"""Seconds for one thing: a firewall may swallow all that we say."""
LOOKUP = 5.0
LITTLE = 1 << 30
"""Bytes that should be free where the database lies."""
_LOCAL = re.compile(r"localhost|127\.[\d.]+|::1|.*\.(?:localhost|local|test|example|invalid)")


async def examine(settings: Settings, resolver: dns.asyncresolver.Resolver) -> AsyncIterator[Finding]:
    """What is found out about each thing, in this order, as soon as it is known. Nothing raises: a thing that fails is
    a finding."""
    doctor = _Doctor(settings, resolver)
    checks = {
        "Newsletters": doctor.newsletters(),
        "Database": doctor.database(),
        "Keys": doctor.keys(),
        "Public address": doctor.public_url(),
        "Mail server": doctor.mail_server(),
        "Sender": doctor.sender(),
        "Bounces": doctor.bounces(),
        "Returned mail": doctor.returned(),
        "SPF": doctor.spf(),
        "DKIM": doctor.dkim(),
        "DMARC": doctor.dmarc(),
    }
    working = [asyncio.create_task(_within(about, check)) for about, check in checks.items()]
    try:
        for one in working:
            for finding in await one:
                yield finding
    finally:
        for one in working:
            one.cancel()
        await asyncio.gather(*working, return_exceptions=True)


async def tell(say: Callable[[str], object]) -> int:
    """Says each finding in a line, and how many ask for something; returns 1 if anything is wrong, else 0."""
    counts: Counter[Grade] = Counter()
    async for finding in examine(load_settings(), default_resolver()):
        counts[finding.grade] += 1
        say(f"{finding.grade:6}{finding.about}: {finding.words}")
    wrong, look = counts[Grade.WRONG], counts[Grade.LOOK]
    say(f"{wrong or 'Nothing'} {'are' if wrong > 1 else 'is'} wrong" + (f", {look} to look at." if look else "."))
    return 1 if wrong else 0


async def _within(about: str, check: Awaitable[Sequence[Finding]]) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(PATIENCE):
            return await check
    except TimeoutError:
        words = f"nothing was answered within {PATIENCE:g} s: look whether a firewall lies in between."
        return [Finding(about, Grade.WRONG, words)]
    except Problem as problem:
        return [Finding(about, Grade.WRONG, str(problem))]
    except _Unknown as error:
        return [Finding(about, Grade.LOOK, str(error))]


class _Unknown(Exception):  # noqa: N818
    """DNS could not be asked: one sentence."""


def default_resolver() -> dns.asyncresolver.Resolver:
    """The machine's own. Raises Problem where it has none."""
    try:
        return dns.asyncresolver.Resolver()
    except dns.resolver.NoResolverConfiguration as error:
        raise Problem("This machine names no DNS server: write one into /etc/resolv.conf.") from error


class _Doctor:
    def __init__(self, settings: Settings, resolver: dns.asyncresolver.Resolver) -> None:
        self._settings, self._resolver = settings, resolver
        self._from = parseaddr(settings.sender)[1].rpartition("@")[2].lower()
        self._bounces = settings.bounces_to.rpartition("@")[2].lower()

    # --- here

    async def newsletters(self) -> Sequence[Finding]:
        topics = catalogue.topics(self._settings.topics_dir)
        found = catalogue.newsletters(self._settings.newsletters_dir, known_topics=topics)
        return [_ok("Newsletters", f"{', '.join(sorted(found))}, with {len(topics)} topics.")]

    async def database(self) -> Sequence[Finding]:
        database = connect(self._settings.database)
        try:
            await migrate(database)
            async with database.read() as connection:
                count = await connection.scalar(sa.select(sa.func.count()).select_from(subscription))
        finally:
            await database.close()
        kind = "SQLite" if database.engine.dialect.name == "sqlite" else "PostgreSQL"
        found = [_ok("Database", f"{kind}, up to date, {count} subscriptions.")]
        home = self._settings.home_dir
        if (free := shutil.disk_usage(home if home.exists() else "/").free) < LITTLE:
            found.append(_look("Disk", f"{free >> 20} MB are free where {home} lies: make room."))
        return found

    async def keys(self) -> Sequence[Finding]:
        keys, _ = self._settings.keys, self._settings.hashing_key
        kept = [
            f"{self._settings.home_dir / name}"
            for name, given in (
                ("secret_key", self._settings.secret_key),
                ("suppression_key", self._settings.suppression_key),
            )
            if not given.get_secret_value()
        ]
        where = f"Keep {' and '.join(kept)} with your backups." if kept else "They stand in the settings."
        return [_ok("Keys", f"{len(keys)} for the readers' links, one for suppressed addresses. {where}")]

    # --- the web

    async def public_url(self) -> Sequence[Finding]:
        url = self._settings.public_url
        host = urlsplit(url).hostname or ""
        found = []
        if _LOCAL.fullmatch(host):
            words = f"{url} is this machine's own: set PAPERROUND_PUBLIC_URL to where readers reach the web app."
            found.append(_wrong("Public address", words))
        elif not url.startswith("https://"):
            words = (
                f"{url} is not encrypted, so that no mail program offers to unsubscribe (RFC 8058): put a proxy with "
                "TLS before the web app."
            )
            found.append(_wrong("Public address", words))
        try:
            async with httpx.AsyncClient(timeout=PATIENCE / 2) as client:
                answer = await client.get(f"{url}/healthz")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            words = f"{url} does not answer ({_words(error)}): start `paperround up`, and check the proxy before it."
            return [*found, _wrong("Public address", words)]
        if answer.status_code != 200 or answer.text != "ok\n":
            words = f"{url}/healthz answers {answer.status_code}, and not as our web app does: check the proxy."
            return [*found, _wrong("Public address", words)]
        return found or [_ok("Public address", f"{url} answers.")]

    # --- the mail server

    async def mail_server(self) -> Sequence[Finding]:
        """Asks whether it would take a mail for our own address for bounces; nothing of one is sent."""
        url = self._settings.mail_url.get_secret_value()
        connect_to = transport(url)
        parsed = urlsplit(url)
        if parsed.scheme == "maildir":
            return [_look("Mail server", "mail goes into a folder, and to nobody: set PAPERROUND_MAIL_URL.")]
        where = parsed.hostname or ""
        try:
            connection = await connect_to()
        except CantConnect as error:
            return [_wrong("Mail server", anonymous(str(error)))]
        to = self._settings.bounces_to
        outcome = await connection.offer(Message(sender=to, recipient=to, content=b"\r\n"))
        if outcome is None:
            connection.abandon()
        await connection.close()
        found = []
        if parsed.scheme == "smtp" and not _LOCAL.fullmatch(where):
            words = f"{where} is not asked for its certificate: write smtp+starttls:// or smtps:// if it has one."
            found.append(_look("Mail server", words))
        if outcome is not None:
            said = f"{outcome.code or 'no reply'}: {_plain(outcome.text)}"
            words = (
                f"{where} would take no mail from and to {to} ({said}): check PAPERROUND_SENDER and "
                "PAPERROUND_RETURN_PATH, and whether there is such an address."
            )
            return [*found, _wrong("Mail server", words)]
        login = "takes our login and" if parsed.username else "takes"
        return found or [_ok("Mail server", f"{where} {login} mail from {to}.")]

    # --- the sender's domains

    async def sender(self) -> Sequence[Finding]:
        if not _public(self._from):
            words = f"PAPERROUND_SENDER is {self._settings.sender}: set it to an address of a domain of yours."
            return [_wrong("Sender", words)]
        found = []
        if not self._settings.postal_address:
            words = "PAPERROUND_POSTAL_ADDRESS is not set: many countries want one in every mail to a list."
            found.append(_look("Sender", words))
        if not (aligned(self._from, self._bounces) or self._signed()):
            words = (
                f"bounces go to {self._bounces}, mail comes from {self._from}: DMARC then needs a DKIM signature of "
                f"{self._from}, by `paperround dkim new` or your relay."
            )
            found.append(_look("Sender", words))
        return found or [_ok("Sender", f"{self._settings.sender}.")]

    def _signed(self) -> bool:
        return bool(self._settings.dkim_keys) and aligned(self._from, self._settings.signing_domain)

    async def bounces(self) -> Sequence[Finding]:
        if not _public(self._bounces):
            return []
        if exchangers := await self._look_up(self._bounces, "MX"):
            if exchangers == ["0 ."]:
                words = f"{self._bounces} takes no mail (RFC 7505): set PAPERROUND_RETURN_PATH to an address that does."
                return [_wrong("Bounces", words)]
            return [_ok("Bounces", f"go to {self._bounces}, which takes mail.")]
        if await self._look_up(self._bounces, "A") or await self._look_up(self._bounces, "AAAA"):
            return [_look("Bounces", f"{self._bounces} has no MX record: many servers take no mail from it. Add one.")]
        words = f"{self._bounces} is not known to DNS: many servers take no mail from it. Check PAPERROUND_RETURN_PATH."
        return [_wrong("Bounces", words)]

    async def returned(self) -> Sequence[Finding]:
        url = self._settings.returns_url.get_secret_value()
        if not url:
            words = "PAPERROUND_RETURNS_URL is not set: nobody can unsubscribe by mail. The link in the mail is enough."
            return [_look("Returned mail", words)]
        async with OpenMailbox(url):
            return [_ok("Returned mail", f"the mailbox of {self._settings.bounces_to} can be read.")]

    async def spf(self) -> Sequence[Finding]:
        if not _public(self._bounces):
            return []
        return [published.spf(self._bounces, await self._look_up(self._bounces, "TXT"))]

    async def dkim(self) -> Sequence[Finding]:
        domain = self._settings.signing_domain
        keys = [read_key(pem, selector, domain) for pem, selector in self._settings.dkim_keys]
        if not keys:
            words = "mail is not signed here: your relay should do so, or `paperround dkim new` makes a key."
            return [_look("DKIM", words)]
        found = await asyncio.gather(*(self._key(key) for key in keys))
        if not aligned(domain, self._from):
            words = f"mail comes from {self._from} and is signed for {domain}: DMARC wants one of them for both."
            found.append(_wrong("DKIM", words))
        return found

    async def _key(self, key: Key) -> Finding:
        return published.dkim(key, await self._look_up(key.record[0], "TXT"))

    async def dmarc(self) -> Sequence[Finding]:
        if not _public(self._from):
            return []
        place, records = "", list[str]()
        for place in dmarc_places(self._from):
            if published.has_policy(records := await self._look_up(place, "TXT")):
                break
        return [published.dmarc(self._from, place, records)]

    async def _look_up(self, name: str, kind: str) -> list[str]:
        """The records as text, the strings of each joined; none where there is no such name. Raises _Unknown."""
        try:
            answer = await self._resolver.resolve(name, kind, lifetime=LOOKUP)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError, UnicodeError) as error:
            words = f"{name} could not be looked up ({_words(error)}): try again, or ask `dig {kind} {name}`."
            raise _Unknown(words) from error
        if kind == "TXT":
            return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
        return [record.to_text() for record in answer]


def _public(domain: str) -> bool:
    """Whether anybody else could know a domain."""
    return "." in domain and not _LOCAL.fullmatch(domain)


def _ok(about: str, words: str) -> Finding:
    return Finding(about, Grade.OK, words)


def _look(about: str, words: str) -> Finding:
    return Finding(about, Grade.LOOK, words)


def _wrong(about: str, words: str) -> Finding:
    return Finding(about, Grade.WRONG, words)


def _words(error: Exception) -> str:
    return _plain(str(error) or type(error).__name__)


def _plain(text: str) -> str:
    """A stranger's words in one short line."""
    return "".join(c if c.isprintable() else " " for c in anonymous(text))[:160].rstrip(" .")
