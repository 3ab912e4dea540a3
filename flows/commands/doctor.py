"""The command `doctor`: looks at everything that mail depends on, changes nothing and sends nothing."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from email.utils import parseaddr
from importlib.metadata import version
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

import dns.asyncresolver
import dns.exception
import dns.resolver
import httpx
from sqlalchemy.engine import make_url

from flows.commands import dns_records
from flows.commands.dns_records import Finding, Grade, dmarc_places
from flows.commands.returned.doctor_returns import reporting, try_return_address
from flows.commands.subscribers import shown
from flows.config import catalogue
from flows.config.installation import differing
from flows.config.own_files import foreign
from flows.config.phrases import Languages
from flows.config.settings import Settings, load_settings, unknown_variables
from flows.context import TEMPLATES, utc_now
from flows.delivery import clock_jumps
from flows.incoming.mailboxes import OpenMailbox
from flows.mail.model import Message
from flows.outcomes import Problem, Verdict, anonymous
from flows.plugins.installed import KINDS, looks, plugins
from flows.processes.prefect_server import api_of
from flows.sending.dkim import Key, read_key
from flows.sending.transports import CantConnect, transport
from flows.storage.database import connect, is_current
from flows.storage.private_files import open_to_others
from subscribers.people.store import count

PATIENCE = 20.0
"""Seconds for one thing: a firewall may swallow all that we say."""
LOOKUP = 5.0
WIDE = 8
"""A network of proxies with a shorter prefix than this is no network of anybody's own."""
LITTLE = 1 << 30
"""Bytes that should be free where the database lies."""
NEXT_TO_NOTHING = 100 << 20
"""Bytes below which the next delivery may fill the disk."""
_LOCAL = re.compile(r"localhost|127\.[\d.]+|::1|.*\.(?:localhost|local|test|example|invalid)")


async def examine(
    settings: Settings, resolver: dns.asyncresolver.Resolver, mx_port: int = 25
) -> AsyncIterator[Finding]:
    """What is found out about each thing, in this order, as soon as it is known. Nothing raises: a thing that fails is
    a finding."""
    doctor = _Doctor(settings, resolver, mx_port)
    checks = {
        "Installation": doctor.installed(),
        "Plug-ins": doctor.plugged_in(),
        "Newsletters": doctor.newsletters(),
        "Languages": doctor.languages(),
        "Database": doctor.home(),
        "Clock": doctor.clock(),
        "Public address": doctor.public_url(),
        "Prefect": doctor.prefect(),
        "Proxies": doctor.proxies(),
        "Mail server": doctor.mail_server(),
        "Sender": doctor.sender(),
        "Bounces": doctor.bounces(),
        "Returned mail": doctor.returned(),
        "Return addresses": doctor.verp(),
        "Providers": doctor.hooks(),
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


async def tell(say: Callable[[str], object], *, as_json: bool = False) -> int:
    """Says each finding in a line, and how many ask for something, or all of it as JSON; returns 1 if anything is
    wrong, else 0."""
    counts: Counter[Grade] = Counter()
    findings = []
    async for finding in examine(load_settings(), default_resolver()):
        counts[finding.grade] += 1
        findings.append({"about": finding.about, "grade": finding.grade.value, "words": finding.words})
        if not as_json:
            say(f"{finding.grade:6}{finding.about}: {shown(finding.words)}")
    wrong, look = counts[Grade.WRONG], counts[Grade.LOOK]
    if as_json:
        say(json.dumps(findings, ensure_ascii=False, indent=2))
        return 1 if wrong else 0
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
    except Exception as error:  # whatever is set: the other things are told all the same
        words = f"it could not be looked at ({type(error).__name__}: {_words(error)}): check its settings."
        return [Finding(about, Grade.WRONG, words)]


class _Unknown(Exception):  # noqa: N818
    """DNS could not be asked: one sentence."""


def default_resolver() -> dns.asyncresolver.Resolver:
    """The machine's own; where it names no server, one that knows nothing."""
    try:
        return dns.asyncresolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return dns.asyncresolver.Resolver(configure=False)


class _Doctor:
    def __init__(self, settings: Settings, resolver: dns.asyncresolver.Resolver, mx_port: int) -> None:
        self._settings, self._resolver, self._mx_port = settings, resolver, mx_port
        self._from = parseaddr(settings.sender)[1].rpartition("@")[2].lower()
        self._bounces = settings.bounces_to.rpartition("@")[2].lower()

    # --- here

    async def installed(self) -> Sequence[Finding]:
        if words := await asyncio.to_thread(foreign):
            return [_wrong("Installation", words)]
        if unknown := await asyncio.to_thread(unknown_variables, os.environ):
            return [_look("Installation", f"{sentence.removesuffix('?')}: correct its name.") for sentence in unknown]
        return [_ok("Installation", f"Paperround {version('paperround')}, and nothing else has its names.")]

    async def plugged_in(self) -> Sequence[Finding]:
        every = [one for group in KINDS for one in plugins(group)]
        broken = [
            _wrong("Plug-ins", f"the {KINDS[one.group]} {one.name} of {one.package} {one.problem}.")
            for one in every
            if one.problem
        ]
        well = ", ".join(f"{KINDS[one.group]} {one.name} of {one.package}" for one in every if not one.problem)
        return [*broken, *([_ok("Plug-ins", f"{well}.")] if well else [])]

    async def newsletters(self) -> Sequence[Finding]:
        topics = catalogue.topics(self._settings.topics_dir)
        found = catalogue.newsletters(self._settings.newsletters_dir, known_topics=topics)
        return [_ok("Newsletters", f"{', '.join(sorted(found))}, with {len(topics)} topics.")]

    async def languages(self) -> Sequence[Finding]:
        """What mails and pages can be read in, and what of a translation is English."""
        own = self._settings.templates_dir
        found = Languages([*([own] if own else []), *looks(), TEMPLATES])
        lacks = [
            f"{language} lacks {len(keys)} phrases, which are English there ({', '.join(keys[:3])}"
            f"{', …' if len(keys) > 3 else ''}): add them to words.{language}.toml."
            for language, keys in found.missing.items()
        ]
        said = f"{', '.join(found)}; the first is the site's own."
        return [_ok("Languages", said), *(_look("Languages", words) for words in lacks)]

    async def home(self) -> Sequence[Finding]:
        """The database and the keys that must not be lost while it holds anybody."""
        readers = 0
        url = make_url(self._settings.database)
        url = url.set(database=self._settings.database_file) if self._settings.database_file else url
        sqlite = url.get_backend_name() == "sqlite"
        if sqlite and not _is_there(url.database):  # to connect would make it
            found = [_look("Database", f"there is none yet at {url.database}: `paperround up` makes it.")]
        else:
            readers, found = await self._database("SQLite" if sqlite else "PostgreSQL")
        return [*found, self._keys(readers), *self._files(url.database if sqlite else None)]

    def _files(self, database: str | None) -> Sequence[Finding]:
        """Whether they can be written, by us alone."""
        home = self._settings.home_dir
        if not home.exists():
            return []
        found = []
        for place in (home, *([Path(database)] if database and _is_there(database) else [])):
            if not os.access(place, os.W_OK):
                words = f"{place} can't be written by this user: give it to whoever runs Paperround."
                found.append(_wrong("Files", words))
            free = shutil.disk_usage(place).free
            if free < LITTLE and (place == home or os.stat(place).st_dev != os.stat(home).st_dev):
                grade = Grade.WRONG if free < NEXT_TO_NOTHING else Grade.LOOK
                words = f"{free >> 20} MB are free where {place} lies: make room, before nothing can be recorded."
                found.append(Finding("Disk", grade, words))
        keys = [home / name for name in ("secret_key", "suppression_key")]
        keys += [Path(part.strip()).expanduser() for part in self._settings.dkim_key.split(",") if part.strip()]
        readable = open_to_others(home, *([Path(database)] if database else []), *keys, Path(".env").absolute())
        if readable:
            places = " ".join(shlex.quote(str(place)) for place in readable)
            found.append(_wrong("Files", f"others can read {places}: `chmod go-rwx {places}`."))
        return found or [_ok("Files", f"{home} is for its owner alone.")]

    async def _database(self, kind: str) -> tuple[int, list[Finding]]:
        """How many subscriptions it holds, how it is, and whether our keys are those of its installation."""
        database = connect(self._settings.database)
        try:
            if not await is_current(database):
                words = f"{kind}, empty or of another version: `paperround up` brings it up to date."
                return 0, [_look("Database", words)]
            readers, others = await count(database), await differing(database, self._settings)
        finally:
            await database.close()
        found = [_ok("Database", f"{kind}, up to date, {readers} subscriptions.")]
        return readers, [*found, *([_wrong("Database", others)] if others else [])]

    async def clock(self) -> Sequence[Finding]:
        """By itself, and by the database where there is one."""
        seen = clock_jumps.look().after(clock_jumps.remembered(self._settings.home_dir))
        wrong = clock_jumps.told(seen, within=clock_jumps.TOLD_FOR)
        file = self._settings.database_file
        if file is None or _is_there(file):
            database = connect(self._settings.database)
            try:
                if await is_current(database):
                    wrong += await clock_jumps.against_the_database(database, utc_now(), utc_now())
            finally:
                await database.close()
        if wrong:
            return [_look("Clock", sentence) for sentence in wrong]
        return [_ok("Clock", "it agrees with the database's, and with what was recorded.")]

    def _keys(self, readers: int) -> Finding:
        kept = []
        for name, given, use in (
            ("secret_key", self._settings.secret_key, "the links in all mail that was sent are void"),
            ("suppression_key", self._settings.suppression_key, "who is never to be mailed again is forgotten"),
        ):
            if given.get_secret_value():
                continue
            file = self._settings.home_dir / name
            kept.append(str(file))
            if file.exists():
                continue
            if readers:
                return _wrong("Keys", f"{file} is missing: bring it back from your backups; without it {use}.")
            return _look("Keys", f"there is no {file} yet: `paperround up` makes it.")
        try:
            keys, _ = self._settings.keys, self._settings.hashing_key
        except Problem as problem:
            return _wrong("Keys", str(problem))
        where = f"Keep {' and '.join(kept)} with your backups." if kept else "They stand in the settings."
        return _ok("Keys", f"{len(keys)} for the readers' links, one for suppressed addresses. {where}")

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

    async def prefect(self) -> Sequence[Finding]:
        """Whether the Prefect server that was started or joined last lets anybody in."""
        api = os.environ.get("PREFECT_API_URL") or api_of(self._settings)
        if not api:
            return []
        try:
            async with httpx.AsyncClient(timeout=PATIENCE / 2) as client:
                answer = await client.get(f"{api}/admin/version")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return [_look("Prefect", f"{api} does not answer ({_words(error)}): start `paperround up`.")]
        if answer.status_code in (401, 403):
            return [_ok("Prefect", f"{api} asks for a login.")]
        if answer.status_code == 429 or answer.status_code >= 500:
            words = f"{api} is busy ({answer.status_code}): look again in a minute, and at its log if it stays so."
            return [_look("Prefect", words)]
        if answer.status_code != 200:
            words = f"{api} answers {answer.status_code}, and not as Prefect does: check its address."
            return [_look("Prefect", words)]
        words = (
            f"{api} asks for no login: whoever reaches it runs code as you. Give it one "
            "(PREFECT_SERVER_API_AUTH_STRING there, PREFECT_API_AUTH_STRING here), or leave PREFECT_API_URL away: "
            "`paperround up` starts a server of its own that has one."
        )
        return [_wrong("Prefect", words)]

    async def proxies(self) -> Sequence[Finding]:
        """Who is believed when they say who a visitor is."""
        everybody = [one for one in self._settings.proxies if ip_network(one).prefixlen < WIDE]
        if everybody:
            words = (
                f"PAPERROUND_TRUSTED_PROXIES has {', '.join(everybody)}: anybody there may claim to be any visitor, so "
                "that no limit holds. Name the proxy's own address."
            )
            return [_wrong("Proxies", words)]
        believed = ", ".join(self._settings.proxies)
        return [_ok("Proxies", f"{believed} is believed." if believed else "none is believed.")]

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
            return [_wrong("Mail server", str(error))]
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
            put_off = outcome.verdict is Verdict.DEFERRED
            return [*found, Finding("Mail server", Grade.LOOK if put_off else Grade.WRONG, words)]
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
        return found or [_ok("Sender", f"{self._settings.sender}.")]

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
            heard = bool(self._settings.hook_secrets)
            words = "PAPERROUND_RETURNS_URL is not set: nobody can unsubscribe by mail. The link in the mail is enough."
            if not heard:
                words += " But bounces and complaints are not heard: set it, or PAPERROUND_HOOKS."
            return [_look("Returned mail", words)]
        async with OpenMailbox(url, PATIENCE / 2):
            return [_ok("Returned mail", f"the mailbox of {self._settings.bounces_to} can be read.")]

    async def verp(self) -> Sequence[Finding]:
        """Asks the mail server of the return path whether it takes an address with a token; nothing is sent."""
        if not _public(self._bounces):
            return []
        wanted, read = self._settings.verp, bool(self._settings.returns_url.get_secret_value())
        exchangers = await self._look_up(self._bounces, "MX") if wanted or read else []
        hosts = [record.split()[1].rstrip(".") for record in sorted(exchangers, key=lambda one: int(one.split()[0]))]
        if hosts and (finding := await try_return_address(hosts[0], self._mx_port, self._settings)):
            return [finding]
        return []

    async def hooks(self) -> Sequence[Finding]:
        return reporting(self._settings)

    async def spf(self) -> Sequence[Finding]:
        if not _public(self._bounces):
            return []
        records = await self._look_up(self._bounces, "TXT")
        relays = await self._relays()
        return [await dns_records.spf(self._bounces, records, self._settings.bounces_to, self._look_up, relays)]

    async def _relays(self) -> list[str]:
        """The addresses of the mail server that others see; none known where it is this machine."""
        where = urlsplit(self._settings.mail_url.get_secret_value()).hostname or ""
        if not _public(where) and not _is_address(where):
            return []
        found = (
            [where] if _is_address(where) else [*await self._look_up(where, "A"), *await self._look_up(where, "AAAA")]
        )
        return [address for address in found if ip_address(address).is_global]

    async def dkim(self) -> Sequence[Finding]:
        domain = self._settings.signing_domain
        keys = [read_key(pem, selector, domain) for pem, selector in self._settings.dkim_keys]
        if not keys:
            words = "mail is not signed here: your relay should do so, or `paperround dkim new` makes a key."
            return [_look("DKIM", words)]
        return await asyncio.gather(*(self._key(key) for key in keys))

    async def _key(self, key: Key) -> Finding:
        return dns_records.dkim(key, await self._look_up(key.record[0], "TXT"))

    async def dmarc(self) -> Sequence[Finding]:
        if not _public(self._from):
            return []
        place, records = await self._policy(self._from)
        found = dns_records.dmarc(self._from, place, records)
        told = dns_records.policy(records)
        if not told or await self._aligned(self._bounces, told.get("aspf")):
            return [found]
        signs = self._settings.signing_domain.lower()
        if self._settings.dkim_keys and await self._aligned(signs, told.get("adkim")):
            return [found]
        ours = f"mail is signed for {signs}" if self._settings.dkim_keys else "nothing signs"
        words = (
            f"it wants mail from {self._from} signed for that domain, or its bounces to go there. Here they go to "
            f"{self._bounces}, and {ours}: unless your relay signs for it, make a key with `paperround dkim new`."
        )
        return [found, _look("DMARC", words)]

    async def _policy(self, domain: str) -> tuple[str, list[str]]:
        """Where the policy of a domain stands, and the TXT records of that place; the last one where there is none."""
        place, records = "", list[str]()
        for place in dmarc_places(domain):
            if dns_records.has_policy(records := await self._look_up(place, "TXT")):
                break
        return place, records

    async def _aligned(self, domain: str, mode: str | None) -> bool:
        """Whether a domain is the From's, or where the `mode` is not strict, of one organisation with it: the highest
        domain above each that has a policy is the same (RFC 9989)."""
        if domain == self._from or mode == "s":
            return domain == self._from
        return await self._organisation(domain) == await self._organisation(self._from)

    async def _organisation(self, domain: str) -> str:
        for place in reversed(dmarc_places(domain)):
            if dns_records.has_policy(await self._look_up(place, "TXT")):
                return place.removeprefix("_dmarc.")
        return domain

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


def _is_there(file: str | None) -> bool:
    return bool(file) and Path(file or "").exists()


def _public(domain: str) -> bool:
    """Whether anybody else could know a domain."""
    return "." in domain and not _LOCAL.fullmatch(domain)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


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
