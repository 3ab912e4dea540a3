"""Why a mail was refused: what a server's code and words mean, for a reply and for a report alike. Pure.

The enhanced code (RFC 3463) decides where it says something; `x.0.0` and its like say nothing, and half of the servers
send none: then the words do. They are those that servers are known to use, in the order in which they are looked for:
who speaks of reputation *and* of an unavailable mailbox means the reputation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum


class Cause(StrEnum):
    DEAD = "no such address"
    """There is no such mailbox or no such domain, now and later."""
    FULL = "mailbox full"
    SIZE = "too large"
    POLICY = "policy"
    """Our reputation, our authentication, or a mailbox that takes mail from few: not the address."""
    CONTENT = "content"
    SENDER = "our address"
    """It is the sender's address that is refused."""
    REACH = "not reached"
    """The other side did not answer, in days."""
    OTHER = "other"


OURS = frozenset({Cause.SIZE, Cause.POLICY, Cause.CONTENT, Cause.SENDER})
"""About our mail or our name: they say nothing about the reader's address."""

_BY_STATUS: Sequence[tuple[str, Cause]] = (
    (r"5\.1\.(?:1|2|3|6|10)", Cause.DEAD),
    (r"[45]\.1\.[78]", Cause.SENDER),
    (r"[45]\.2\.2", Cause.FULL),
    (r"[45]\.(?:2\.3|3\.4)", Cause.SIZE),
    (r"[45]\.7\.\d+", Cause.POLICY),
    (r"[45]\.6\.\d+", Cause.CONTENT),
)
_STATUS = tuple((re.compile(pattern), cause) for pattern, cause in _BY_STATUS)

DEAD_WORDS = (
    r"no such (?:(?:local )?user|recipient|mailbox|address|person|account|domain)|"
    r"(?:user|recipient|mailbox|address|account|host|domain)(?: name)?"
    r"\b.{0,60}\b(?:unknown|(?:do(?:es)?(?: not|n[’']t)) exist|not (?:be )?found|not known|"
    r"is (?:disabled|inactive|invalid)|no longer|has been (?:disabled|deactivated|closed|deleted))|"
    r"unknown (?:user|recipient|address|mailbox|local|domain|or illegal alias)|unroute?able (?:address|mail domain)|"
    r"mailbox unavailable|not a valid (?:user|mailbox|recipient|address)|"
    r"invalid (?:recipient|mailbox|user|address)|"
    r"doesn[’']t have (?:a|an) .{0,30}account|do(?:es)? not have (?:a|an) .{0,30}account|account (?:is |has been |"
    r"that )?"
    r"(?:disabled|inactive|suspended|closed|terminated|expired)|no mailbox (?:here|by that name)|"
    r"recipientnotfound|isn[’']t in my control|"
    r"not listed in .{0,40}(?:directory|address book)|does not exist|recipient rejected|user is unknown|"
    r"(?:recipient )?address rejected: access denied|5\.1\.1\b|unbekannter? (?:empf[aä]nger|benutzer)|"
    r"utilisateur inconnu|destinataire inconnu|n[’']existe pas|usuario desconocido|no existe|existiert nicht|"
    r"unknown host|invalid .{0,20}user ?id"
)
"""What servers say of an address that is no good, without regard to case."""

_SAID: Sequence[tuple[Cause, str]] = (
    (Cause.SENDER, r"sender (?:address )?(?:rejected|denied|verif)|bad sender|return path|envelope sender"),
    (
        Cause.CONTENT,
        r"virus|malware|phish|attachments? .{0,30}(?:not allowed|reject|block|remov|prohibit|forbid)|"
        r"(?:blocked|prohibited|forbidden|illegal) attachment|"
        r"(?:message|content|mail) (?:content )?(?:was |is |has been )?(?:classified|"
        r"identified|detected|rejected|blocked)\b.{0,40}\b(?:spam|content)|spam (?:message|content|detected)|"
        r"(?:looks|scored|appears) .{0,20}spam|spam score|rejected (?:because|due to|for) .{0,20}content",
    ),
    (
        Cause.POLICY,
        r"\b(?:spf|dkim|dmarc|dnsbl|rbl)\b|black ?list|block ?list|deny ?list|spamhaus|barracudacentral|reputation|"
        r"relay(?:ing)? (?:access )?(?:denied|not (?:permitted|allowed))|unable to relay|polic(?:y|ies)|prohibit|"
        r"not (?:permitted|authori[sz]ed|allowed) to (?:send|relay)|blocked|banned|authentication (?:is )?required|"
        r"unsolicited|bulk mail|too many (?:messages|connections|recipients)|rate (?:limit|control)|grey ?list|"
        r"gray ?list",
    ),
    (
        Cause.SIZE,
        r"(?:message|mail)(?: size)? (?:is )?(?:too (?:large|big|long)|exceeds)|size (?:limit|exceed)|"
        r"exceed\w* (?:the )?(?:maximum|fixed|allowed) .{0,30}size|larger than",
    ),
    (
        Cause.FULL,
        r"(?:mailbox|inbox|mail ?folder|account|postfach|bo[iî]te)\b.{0,30}\b(?:full|voll|pleine)|over ?-?(?:its |the |"
        r"disk )?quota|quota (?:is )?(?:exceeded|full|limit)|exceed\w* .{0,20}(?:quota|storage)|out of storage|"
        r"insufficient (?:disk|storage|mailbox)|disk (?:is )?full|storage (?:limit|allocation)",
    ),
    (Cause.DEAD, DEAD_WORDS),
    (
        Cause.REACH,
        r"timed? ?out|connection (?:refused|reset|lost|dropped)|(?:no route|unreachable)|"
        r"retry (?:time(?:out)? )?exceeded|"
        r"could not connect|unable to connect|not respond|queue too long|delivery expired|undeliverable for",
    ),
)
_WORDS = tuple((cause, re.compile(pattern, re.IGNORECASE)) for cause, pattern in _SAID)

_NOT_YET = re.compile(r"try (?:again|later)|temporar", re.IGNORECASE)

ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]|-?\d)")
"""An enhanced code somewhere in a text: no piece of an address of the network."""
REPLY = re.compile(r"(?<![\d.])([45]\d\d)(?=[ -]|$)")
LONGEST = 2000
"""Characters of words that are looked at."""


def cause_of(words: str, code: int | None = None, status: str | None = None) -> Cause:
    """What a refusal means. A temporary one (4yz, 4.x.x) never means that the address is dead: the server itself is not
    sure yet."""
    said = " ".join(words[:LONGEST].split())
    for pattern, cause in _STATUS:
        if status and pattern.fullmatch(status):
            return cause
    lasting = not (status or "").startswith("4") and (code is None or code >= 500) and not _NOT_YET.search(said)
    for cause, known in _WORDS:
        if (cause is not Cause.DEAD or lasting) and known.search(said):
            return cause
    if code == 552:  # RFC 5321 section 4.2.3
        return Cause.FULL
    return Cause.REACH if (status or "")[1:3] == ".4" else Cause.OTHER
