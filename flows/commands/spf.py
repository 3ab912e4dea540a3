"""SPF as receivers read it (RFC 7208): the grammar of a record, the look-ups that it costs, all that it includes, and
whether an address may send. Names are looked up through what is handed in."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Lookup: TypeAlias = Callable[[str, str], Awaitable[Sequence[str]]]
"""The records of a name and a type as text; none where there is no such name. It raises where it can't be known."""

MOST_LOOKUPS = 10
MOST_VOID = 2
"""Section 4.6.4: look-ups that find nothing, and MX records of one name."""
_DEEPEST = 10

_MACRO = r"%(?:\{[slodiphcrtv]\d*r?[.\-+,/_=]*\}|[%_-])"
_CHARACTER = rf"(?:[\x21-\x24\x26-\x7e]|{_MACRO})"
_DOMAIN_END = re.compile(r"\.[a-z0-9-]*[a-z-][a-z0-9-]*\.?$|%\{[^}]*\}$", re.IGNORECASE)
_LENGTHS = r"(?P<four>/(?:0|[1-9]\d?))?(?P<six>//(?:0|[1-9]\d{0,2}))?"
_MECHANISM = re.compile(
    rf"(?P<sign>[+\-~?]?)(?P<name>[a-z0-9]+)(?:(?P<colon>:)(?P<value>{_CHARACTER}*?))?{_LENGTHS}", re.I
)
_MODIFIER = re.compile(rf"(?P<name>[a-z][a-z0-9_.-]*)=(?P<value>{_CHARACTER}*)", re.I)
_NEEDS = {"include": True, "exists": True, "a": False, "mx": False, "ptr": False}
"""The mechanisms that look up a name, and whether one must be given."""


class Broken(Exception):  # noqa: N818
    """A record that receivers can't use (permerror): one sentence without its end."""


@dataclass(frozen=True, slots=True)
class Term:
    sign: str
    name: str
    value: str = ""
    four: int = 32
    six: int = 128


@dataclass(frozen=True, slots=True)
class Record:
    mechanisms: tuple[Term, ...]
    redirect: str = ""

    @property
    def names_senders(self) -> bool:
        return bool(self.redirect) or any(term.sign in "+?" for term in self.mechanisms)


def parse(record: str) -> Record:
    """A record (section 12), with what stands behind `all` left out, as section 5.1 wants it. Raises Broken."""
    mechanisms: list[Term] = []
    modifiers: dict[str, str] = {}
    for text in record.split(" ")[1:]:
        if not text:
            continue
        if found := _MODIFIER.fullmatch(text):
            name = found["name"].lower()
            if name in ("redirect", "exp"):
                if name in modifiers:
                    raise Broken(f"has {name}= twice")
                _domain(text, found["value"])
            modifiers[name] = found["value"]
        else:
            mechanisms.append(_mechanism(text))
    for at, term in enumerate(mechanisms):
        if term.name == "all":
            return Record(tuple(mechanisms[: at + 1]))
    return Record(tuple(mechanisms), modifiers.get("redirect", ""))


def _mechanism(text: str) -> Term:
    found = _MECHANISM.fullmatch(text)
    name = found["name"].lower() if found else ""
    if found is None or name not in (*_NEEDS, "all", "ip4", "ip6"):
        raise Broken(f"has {text!r}, which is no mechanism")
    sign, value, lengths = found["sign"] or "+", found["value"] or "", bool(found["four"] or found["six"])
    if name == "all":
        if found["colon"] or lengths:
            raise Broken(f"has {text!r}: all stands alone")
        return Term(sign, name)
    if name in ("ip4", "ip6"):
        return Term(sign, name, _network(text, name))
    if (found["colon"] and not value) or (_NEEDS[name] and not value):
        raise Broken(f"has {text!r} without the name of a domain")
    if value:
        _domain(text, value)
    if lengths and name not in ("a", "mx"):
        raise Broken(f"has {text!r}: a length belongs to a, mx, ip4 and ip6 alone")
    four, six = int((found["four"] or "/32")[1:]), int((found["six"] or "//128")[2:])
    if four > 32 or six > 128:
        raise Broken(f"has {text!r}, whose length is more than an address has")
    return Term(sign, name, value, four, six)


def _network(text: str, name: str) -> str:
    value = text.partition(":")[2]
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        network = None
    plain = re.fullmatch(r"[0-9a-fA-F:.]+(/(0|[1-9]\d{0,2}))?", value)
    if network is None or not plain or network.version != int(name[2]):
        raise Broken(f"has {text!r}, which is no network of {name.replace('ip', 'IPv')}")
    return value


def _domain(text: str, value: str) -> None:
    if not re.fullmatch(f"{_CHARACTER}+", value, re.IGNORECASE) or not _DOMAIN_END.search(value):
        raise Broken(f"has {text!r} without the name of a domain")


@dataclass(slots=True)
class _Walk:
    """One evaluation (check_host, section 4) that goes on to the end, so that all that it may cost is counted."""

    lookup: Lookup
    address: Address
    sender: str
    lookups: int = 0
    void: int = 0
    within: list[str] = field(default_factory=list)

    async def check(self, domain: str) -> str:
        """`+`, `-`, `~` or `?`; `?` too where nothing matches."""
        if domain in self.within:
            raise Broken(f"{domain} includes itself")
        if len(self.within) == _DEEPEST:
            raise Broken(f"needs more than the {MOST_LOOKUPS} look-ups that receivers make")
        self.within.append(domain)
        record = parse(await self._record(domain))
        result = ""
        for term in record.mechanisms:
            matches = await self._matches(domain, term)
            result = result or (term.sign if matches else "")
        if record.redirect:
            target = self._expand(record.redirect, domain)
            self.lookups += 1
            redirected = await self.check(target)
            result = result or redirected
        self.within.pop()
        return result or "?"

    async def _record(self, domain: str) -> str:
        found = [text for text in await self.lookup(domain, "TXT") if is_record(text)]
        if len(found) != 1:
            raise Broken(f"includes {domain}, which publishes {'no record' if not found else 'more than one record'}")
        return found[0]

    async def _found(self, name: str, kind: str) -> Sequence[str]:
        found = await self.lookup(name, kind)
        self.void += not found
        return found

    async def _matches(self, domain: str, term: Term) -> bool:
        if term.name in ("all", "ip4", "ip6"):
            return term.name == "all" or self.address in ip_network(term.value, strict=False)
        self.lookups += 1
        target = self._expand(term.value or domain, domain)
        if term.name == "include":
            return await self.check(target) == "+"
        if term.name == "exists":
            # what is not there is the answer no, and says nothing against the record
            return bool(await self.lookup(target, "A"))
        # section 5.5: ptr is not to be used, and known only to the receiver
        return term.name != "ptr" and await self._is_of(target, term)

    async def _is_of(self, target: str, term: Term) -> bool:
        """Whether the address is one of a host's, or of a domain's mail servers."""
        hosts = [target]
        if term.name == "mx":
            hosts = [text.split()[-1].rstrip(".") for text in await self._found(target, "MX")]
            if len(hosts) > MOST_LOOKUPS:
                raise Broken(f"asks for the mail servers of {target}, which has more than {MOST_LOOKUPS}")
        kind, length = ("A", term.four) if self.address.version == 4 else ("AAAA", term.six)
        for host in hosts:
            found = await (self._found if term.name == "a" else self.lookup)(host, kind)
            if any(self.address in ip_network(f"{one}/{length}", strict=False) for one in found):
                return True
        return False

    def _expand(self, spec: str, domain: str) -> str:
        """Section 7."""
        local, _, host = self.sender.rpartition("@")
        four = self.address.version == 4
        parts = self.address.exploded if four else ".".join(self.address.exploded.replace(":", ""))
        values = {"s": self.sender, "l": local, "o": host, "d": domain, "i": parts, "h": host, "p": "unknown"}
        values["v"] = "in-addr" if four else "ip6"

        def one(found: re.Match[str]) -> str:
            if not found["letter"]:
                return {"%": "%", "_": " ", "-": "%20"}[found["plain"]]
            pieces = re.split(f"[{re.escape(found['marks'] or '.')}]", values.get(found["letter"].lower(), "unknown"))
            pieces = pieces[::-1] if found["turned"] else pieces
            return ".".join(pieces[-int(found["count"]) :] if found["count"] else pieces)

        macro = r"%(?:\{(?P<letter>[a-z])(?P<count>\d*)(?P<turned>r?)(?P<marks>[.\-+,/_=]*)\}|(?P<plain>[%_-]))"
        return re.sub(macro, one, spec, flags=re.IGNORECASE).rstrip(".").lower()


def is_record(text: str) -> bool:
    return re.match(r"v=spf1(?: |$)", text, re.IGNORECASE) is not None


async def check(lookup: Lookup, domain: str, sender: str, address: str) -> str:
    """What the record of `domain` says of mail from an address: `+`, `-`, `~` or `?`.

    Raises Broken where receivers can't use the record, all that it includes looked at, whatever comes first in it.
    """
    walk = _Walk(lookup, ip_address(address), sender)
    result = await walk.check(domain)
    if walk.lookups > MOST_LOOKUPS:
        raise Broken(f"needs {walk.lookups} look-ups, and receivers make {MOST_LOOKUPS}")
    if walk.void > MOST_VOID:
        raise Broken(f"asks for {walk.void} names that are not there, and receivers give up after {MOST_VOID}")
    return result
