"""What a domain publishes about its mail, and whether receivers can make sense of it: SPF (RFC 7208), DKIM (RFC 6376),
DMARC (RFC 9989). Records come as they were looked up, and anybody may have written them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from flows.commands.spf import Broken, Lookup, check, is_record, parse
from flows.sending.dkim import Key


class Grade(StrEnum):
    OK = "ok"
    LOOK = "look"
    """Mail may be delivered all the same: whoever reads it has to decide."""
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one thing, in a sentence with the remedy."""

    about: str
    grade: Grade
    words: str


_DMARC = re.compile(r"v\s*=\s*DMARC1\s*(?:;|$)")
_NOBODY = "192.0.2.1"
"""An address of nobody (RFC 5737)."""
_SHOWN = 120


async def spf(domain: str, records: Sequence[str], sender: str, lookup: Lookup, relays: Sequence[str]) -> Finding:
    """Of the domain of the envelope's sender (RFC 7208 sections 4.5 and 5.1), with all its TXT records, and all that
    they include. `relays` are the addresses that the mail server is known by."""
    grade, words = await _spf(domain, [record for record in records if is_record(record)], sender, lookup, relays)
    return Finding("SPF", grade, words)


async def _spf(
    domain: str, found: Sequence[str], sender: str, lookup: Lookup, relays: Sequence[str]
) -> tuple[Grade, str]:
    if len(found) != 1:
        none = 'publishes none: add a TXT record, such as "v=spf1 include:YOUR-RELAY ~all".'
        several = f"publishes {len(found)} records, which receivers take for none: make them one."
        return Grade.WRONG, f"{domain} {several if found else none}"
    says = f"{domain} says {_quoted(found[0])}"
    try:
        parsed = parse(found[0])
        everybody = await check(lookup, domain, sender, _NOBODY) == "+"
        said = {await check(lookup, domain, sender, relay) for relay in relays}
    except Broken as broken:
        return Grade.WRONG, f"{says}. It {_plain(str(broken))}: receivers can't use it. Correct it."
    grade, words = Grade.OK, f"{says}: your relay should be in it."
    if not parsed.names_senders:
        grade, words = Grade.WRONG, f"{says}, which lets nobody send: name your relay in it (include:YOUR-RELAY)."
    elif everybody:
        grade, words = Grade.WRONG, f"{says}, which lets everybody send in its name: end it with ~all or -all."
    elif said == {"+"}:
        words = f"{says}, which lets {' and '.join(relays)} send."
    elif said:
        words = f"{says}, which does not name {relays[0]}: add it, unless your relay sends from others."
        grade = Grade.LOOK
    return grade, words


def dmarc(domain: str, place: str, records: Sequence[str]) -> Finding:
    """Of the From's domain; `records` are the TXT records of `place`, the first of `dmarc_places` that has a policy,
    or of the last."""
    found = [record for record in records if _DMARC.match(record)]
    if not found:
        words = (
            f"{domain} publishes no policy, which Gmail and Yahoo ask of who sends much: add the TXT record "
            f'_dmarc.{domain} "v=DMARC1; p=none".'
        )
        return Finding("DMARC", Grade.WRONG, words)
    if len(found) > 1:
        words = f"{place} has {len(found)} policies, which receivers take for none: leave one."
        return Finding("DMARC", Grade.WRONG, words)
    told = tags(found[0])
    below = place != f"_dmarc.{domain}" and "sp" in told
    policy = told["sp" if below else "p"].lower() if below or "p" in told else ""
    if policy not in ("none", "quarantine", "reject"):
        words = f"{place} names no policy ({_quoted(found[0])}): write p=none, p=quarantine or p=reject."
        return Finding("DMARC", Grade.WRONG, words)
    return Finding("DMARC", Grade.OK, f"{place} says {'sp' if below else 'p'}={policy}.")


def policy(records: Sequence[str]) -> Mapping[str, str]:
    """The tags of the policy among TXT records; none where there is no single one."""
    found = [tags(record) for record in records if _DMARC.match(record)]
    return found[0] if len(found) == 1 else {}


def has_policy(records: Sequence[str]) -> bool:
    return any(_DMARC.match(record) for record in records)


def dmarc_places(domain: str) -> list[str]:
    """Where a policy may stand, nearest first: with the domain and each domain above it that is not the last label
    (the tree walk of RFC 9989, without its shortcut for names of more than eight labels)."""
    labels = domain.split(".")
    return [f"_dmarc.{'.'.join(labels[at:])}" for at in range(max(1, len(labels) - 1))][:8]


def dkim(key: Key, records: Sequence[str]) -> Finding:
    """Whether what is published under a key's selector verifies what it signs (RFC 6376 section 3.6.1)."""
    place, wanted = key.record
    found = [tags(record) for record in records if "p" in tags(record)]
    if not found:
        words = f'{place} is not published: add it as TXT record with "{wanted}".'
        return Finding("DKIM", Grade.WRONG, words)
    if len(found) > 1:
        return Finding("DKIM", Grade.WRONG, f"{place} has {len(found)} keys, and which counts is open: leave one.")
    given = re.sub(r"\s", "", found[0]["p"])
    if not given:
        return Finding("DKIM", Grade.WRONG, f"{place} revokes the key: make another with `paperround dkim new`.")
    if unfit := _unfit(found[0]):
        return Finding("DKIM", Grade.WRONG, f'{place} says {unfit}, and so verifies no mail: publish "{wanted}".')
    if given != tags(wanted)["p"] or found[0].get("k", "rsa") != key.algorithm:
        words = f'{place} has another key than the one that signs: publish "{wanted}".'
        return Finding("DKIM", Grade.WRONG, words)
    return Finding("DKIM", Grade.OK, f"{place} verifies what this key signs ({key.algorithm}).")


def _unfit(key: Mapping[str, str]) -> str:
    """What keeps receivers from using a published key for our mail; empty: nothing does."""
    if key.get("v", "DKIM1") != "DKIM1":
        return f"v={_quoted(key['v'])}"
    if "sha256" not in _listed(key.get("h", "sha256")):
        return f"h={_quoted(key['h'])}"
    return "" if {"*", "email"}.intersection(_listed(key.get("s", "*"))) else f"s={_quoted(key['s'])}"


def _listed(value: str) -> list[str]:
    return [one.strip() for one in value.split(":")]


def tags(record: str) -> dict[str, str]:
    """The tags of a record (RFC 6376 section 3.2), the first of each."""
    found: dict[str, str] = {}
    for part in record.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            found.setdefault(name.strip(), value.strip())
    return found


def _quoted(record: str) -> str:
    """A stranger's words, short and without what would move a terminal's cursor."""
    return f'"{_plain(record)}"'


def _plain(text: str) -> str:
    shown = "".join(c if c.isprintable() and c.isascii() else "?" for c in text)
    return f"{shown[:_SHOWN]}{'…' if len(shown) > _SHOWN else ''}"
