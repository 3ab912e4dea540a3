"""What a domain publishes about its mail, and whether receivers can make sense of it: SPF (RFC 7208), DKIM (RFC 6376),
DMARC (RFC 9989). Pure: records come as they were looked up, and anybody may have written them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

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


_SPF = re.compile(r"v=spf1(?: |$)", re.IGNORECASE)
_DMARC = re.compile(r"v\s*=\s*DMARC1\s*(?:;|$)")
_EVERYBODY = re.compile(r"(?:^| )\+?all(?: |$)", re.IGNORECASE)
_SENDERS = re.compile(r"[+?]?(?:include:|a\b|mx\b|ptr\b|ip4:|ip6:|exists:|all$)|redirect=", re.IGNORECASE)
_SHOWN = 120


def spf(domain: str, records: Sequence[str]) -> Finding:
    """Of the domain of the envelope's sender (RFC 7208 sections 4.5 and 5.1), with all its TXT records."""
    found = [record for record in records if _SPF.match(record)]
    if not found:
        words = f'{domain} publishes none: add a TXT record, such as "v=spf1 include:YOUR-RELAY ~all".'
        return Finding("SPF", Grade.WRONG, words)
    if len(found) > 1:
        words = f"{domain} publishes {len(found)} records, which receivers take for none: make them one."
        return Finding("SPF", Grade.WRONG, words)
    (record,) = found
    if not any(_SENDERS.match(term) for term in record.split()[1:]):
        words = f"{domain} lets nobody send ({_quoted(record)}): name your relay in it, such as include:YOUR-RELAY."
        return Finding("SPF", Grade.WRONG, words)
    if _EVERYBODY.search(record):
        words = f"{domain} lets everybody send in its name ({_quoted(record)}): end it with ~all or -all."
        return Finding("SPF", Grade.WRONG, words)
    return Finding("SPF", Grade.OK, f"{domain} says {_quoted(record)}: your relay should be in it.")


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
    shown = "".join(c if c.isprintable() and c.isascii() else "?" for c in record)
    return f'"{shown[:_SHOWN]}{"…" if len(shown) > _SHOWN else ""}"'
