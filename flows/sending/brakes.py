"""Whose refusal is it? What one reply says, what came before it, and what follows: a table, and a memory of a few
counts. No clock and no network.

One reply does not tell. A relay that is set wrongly answers every reader as one that does not exist would be answered;
a server that has lost its table of users says that nobody exists. A run of replies over different domains tells: so a
refusal is *held* until the server has taken a message, which shows that it is well. What only one domain refuses is
about that domain, and its readers are put off. What everybody is refused stops the run, and costs nobody anything.

What a reply is by itself, `flows.outcomes` has read before: a 5yz is a rejection there, whatever is made of it here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from flows.causes import DEAD_WORDS
from flows.outcomes import Outcome, Stage, Verdict, anonymous

IN_A_ROW = 30
"""So many readers refused one after another, of several domains, are not about the readers."""
SEVERAL = 3
"""So many domains do not say the same by chance."""
IN_A_DOMAIN = 10
"""So many readers of one domain refused one after another, none of whom was taken before, are about the domain."""
IN_A_GOOD_DOMAIN = 20
"""The same where some of its readers were taken, in this run or before."""
BUSY_IN_A_ROW = 20
"""So many times in a row told that it is too much, a domain is left in peace for a while."""
FEW = 5
"""So few refusals at the end of a run are taken for what they say, though nobody came after them. An address is
suppressed for one where the server has taken a message of the same edition before."""
PATIENCE = 3
"""How many messages in a row, for each connection, may come to nothing before all stops."""
IN_VAIN = 3
"""After so many fresh connections in a row that changed nothing, refusals are not about the connection."""


class Says(StrEnum):
    """What one reply says, taken alone."""

    TAKEN = "taken"
    DEAD = "there is no such reader"
    REFUSED = "this reader is refused"
    POLICY = "we are refused, or what we send"
    SENDER = "the sender's address is refused"
    LOGIN = "a login is wanted, or refused"
    BUSY = "too much at a time"
    SESSION = "enough for one connection"
    LATER = "not now"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the table; what is not named fits everything."""

    says: Says
    classes: str
    """The first digits of the reply codes that it is about."""
    codes: Collection[int] = ()
    status: str = ""
    """A pattern for the enhanced code, RFC 3463."""
    words: str = ""
    """A pattern for the words."""


_POLICY_WORDS = (
    r"relay|not (permitted|allowed|authori[sz]ed)|unauthori[sz]ed|not verified|rcpthosts|authenticat|spf|dkim|dmarc|"
    r"policy|spam|reputation|block(ed|list)|blacklist|listed|banned|abuse|permission|quota exceeded for your|"
    r"(sending|messag\w*|daily) (quota|limit)"
)
_BUSY_WORDS = (
    r"throttl|rate|too (many|much|fast)|limit|busy|try(ing)? (again )?later.*volume|unusual|complaints|"
    r"insufficient system resources|deferred due|exceeded"
)
_SESSION_WORDS = (
    r"(per|in (one|this|a)|for (one|this)) (smtp )?(connection|session)|too many (messages|mails|recipients|"
    r"transactions|errors)|messages (sent )?(in|over) this"
)
_GREY_WORDS = r"gr[ae]y.?list"
_TABLE = (
    # RFC 4954 section 6. Dovecot's submission and Gmail say 530 or 535 with 5.7.0, 5.7.8 or 5.7.9.
    _Row(Says.LOGIN, "5", codes=(530, 534, 535, 538)),
    # RFC 3463 section 3.2, whatever command the reply answers
    _Row(Says.SENDER, "5", status=r"5\.1\.[78]"),
    _Row(Says.SENDER, "5", words=r"sender (address|verify|domain|identity)|send as this|from address"),
    # Exchange and qmail write "access denied" and "not in my list" about whom they know, and whom not: the code decides
    _Row(Says.DEAD, "5", status=r"5\.(1\.([1236]|10)|4\.1|2\.1)"),
    _Row(Says.REFUSED, "5", status=r"5\.2\.\d+"),
    # of 5.7.x the words are about us, also where they say "unknown"
    _Row(Says.POLICY, "5", status=r"5\.7\.\d+"),
    _Row(Says.POLICY, "5", status=r"5\.4\.5"),
    _Row(Says.DEAD, "5", words=DEAD_WORDS),
    _Row(Says.POLICY, "5", words=_POLICY_WORDS),
    # RFC 5321 section 4.2.1 has 503 for commands out of order: about the conversation, and read as "not now"
    _Row(Says.LATER, "5", codes=(503,)),
    _Row(Says.SESSION, "4", status=r"4\.5\.3"),
    _Row(Says.SESSION, "4", words=_SESSION_WORDS),
    # greylisting and what is about a mailbox (RFC 3463 section 3.3; full, or itself getting too much of everybody's
    # mail) come before what sounds like them: one reader slows nobody
    _Row(Says.LATER, "4", words=_GREY_WORDS),
    _Row(Says.LATER, "4", codes=(450, 451, 452), status=r"4\.2\.\d+"),
    _Row(Says.BUSY, "4", status=r"4\.7\.\d+"),
    _Row(Says.BUSY, "4", words=_BUSY_WORDS),
    _Row(Says.LATER, "4"),
)
_PATTERNS = tuple((row, re.compile(row.status or "", re.I), re.compile(row.words or "", re.I)) for row in _TABLE)
_GREY = re.compile(_GREY_WORDS, re.I)
_INNER = re.compile(r"\(#([245]\.\d{1,3}\.\d{1,3})\)")
"""qmail writes the enhanced code at the end, in parentheses."""
_SPENT = frozenset({Stage.RCPT, Stage.DATA})
"""Where a server says that a connection is spent, when it does not do so at MAIL."""


def read(outcome: Outcome) -> Says:
    """What a reply says, taken alone, by its code, its enhanced code and words that are known."""
    if outcome.verdict is Verdict.SENT:
        return Says.TAKEN
    if outcome.code is None or not 400 <= outcome.code < 600:
        return Says.NOTHING
    inner = _INNER.search(outcome.text)
    status = outcome.status or (inner[1] if inner else "")
    kind = str(outcome.code)[0]
    for row, coded, worded in _PATTERNS:
        if kind != row.classes or (row.codes and outcome.code not in row.codes):
            continue
        if (row.status and not coded.fullmatch(status)) or (row.words and not worded.search(outcome.text)):
            continue
        return row.says
    # after the content it is the message that is refused, and that is ours
    return Says.REFUSED if outcome.stage is Stage.RCPT else Says.POLICY


class Do(StrEnum):
    """What follows for the message."""

    RECORD = "record"
    """The outcome is what it says."""
    HOLD = "hold"
    """It is kept until it is known whose refusal it is."""
    PUT_OFF = "put off"
    """It says nothing for good: tried again later, as after a 4xx."""
    GIVE_BACK = "give back"
    """It says nothing about the reader: as if nothing had been asked."""
    FRESH = "fresh connection"
    """It may be about the connection: the same message goes over a fresh one."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from one outcome."""

    do: Do
    slow: bool = False
    """The domain wants less."""
    slow_all: bool = False
    """The server does."""
    close: bool = False
    """The domain is left in peace for a while."""
    unless_served: bool = False
    """But not if one of its readers was served before the run, of which `was_served` tells."""
    stop: str = ""
    """Why nothing more is sent to anybody, in one sentence with the remedy."""


_RECORD = Decision(Do.RECORD)
_HOLD = Decision(Do.HOLD)
_FRESH = Decision(Do.FRESH)


@dataclass(frozen=True, slots=True)
class Tried:
    """By what an outcome came about."""

    domain: str
    sender: str = ""
    served: int = 0
    """How many messages the connection had brought."""
    spent: int = 0
    """How many times in a row it was refused since, in a way that may be about the connection."""
    fresh: bool = False
    """The message was refused over another connection before, and goes over a fresh one for that."""
    again: bool = False
    """The reader was asked for in an earlier attempt."""


class Brakes:
    """The memory of one run."""

    def __init__(self, connections: int) -> None:
        self._patience = PATIENCE * connections
        self._fruitless = 0
        self._served: set[str] = set()
        """Domains one of whose readers was served."""
        self._refused: dict[str, int] = {}
        """Readers refused since the last message was taken, by domain."""
        self._row: dict[str, int] = {}
        """Readers refused in a row, by domain."""
        self._before: set[str] = set()
        """Domains one of whose readers was served before the run."""
        self._busy: dict[str, int] = {}
        """How often in a row a domain has said that it is too much."""
        self._ours: set[str] = set()
        """Domains that refuse our sender or login, since the last message was taken."""
        self._closed: set[str] = set()
        self._in_vain = 0
        self.was_well = False
        """Whether the server has taken a message of this before the run."""

    def heard(self, outcome: Outcome, tried: Tried) -> Decision:
        """What follows from an outcome."""
        if outcome.verdict is Verdict.SENT:
            return self.taken(tried.domain, fresh=tried.fresh)
        says = read(outcome)
        if tried.fresh:
            self._in_vain += 1
        if outcome.code is None or outcome.stage in (Stage.CONNECT, Stage.MAIL):
            return self._nothing(outcome, says, tried)
        self._fruitless = 0
        if says in (Says.BUSY, Says.SESSION, Says.LATER, Says.NOTHING):
            return self._later(outcome, says, tried)
        return self._no(outcome, says, tried)

    def taken(self, domain: str, *, fresh: bool = False) -> Decision:
        """The server has taken a message."""
        self._fruitless = 0
        self._served.add(domain)
        if self._refused:
            self._refused.clear()
        if self._ours:
            self._ours.clear()
        if self._row:
            self._row.pop(domain, None)
        if self._busy:
            self._busy.pop(domain, None)
        if fresh:
            self._in_vain = 0
        return _RECORD

    def may_be_spent(self, outcome: Outcome) -> bool:
        """Whether a refusal may be about the connection, and not about the reader."""
        if outcome.stage not in _SPENT or outcome.code is None or not 400 <= outcome.code < 500:
            return False
        # what is said of a mailbox (4.2.x), and greylisting, is about the reader
        about_reader = (outcome.status or "").startswith("4.2.") or _GREY.search(outcome.text) is not None
        return read(outcome) is Says.SESSION or not about_reader

    def whose(self, domain: str, says: Says) -> Do:
        """What becomes of a held refusal, now that the server has taken a message."""
        if domain in self._closed or says in (Says.SENDER, Says.LOGIN):
            return Do.PUT_OFF
        if says is Says.POLICY and domain not in self._served:
            return Do.PUT_OFF
        return Do.RECORD

    def at_the_end(self, held: Sequence[tuple[Says, Outcome]]) -> str:
        """Why the run is to be taken for stopped, where nothing is left to do and these are held; empty: it is not."""
        if self._served or len(held) < IN_A_DOMAIN:
            return ""
        says, outcome = held[-1]
        return _refused(outcome, f"all {len(held)} readers that it was asked for", says)

    def was_served(self, domain: str) -> None:
        """One of its readers was served before the run: as many refusals as of any good domain may come in a row."""
        self._before.add(domain)
        self._closed.discard(domain)

    def left(self, domain: str, says: Says, held: int) -> Do:
        """What becomes of a refusal that is still held at the end of a run, one of so many: few that say that there is
        no such reader are recorded."""
        served = domain in self._served | self._before and domain not in self._closed
        if held < FEW and (says is Says.DEAD or (served and says in (Says.REFUSED, Says.POLICY))):
            return Do.RECORD
        return Do.PUT_OFF

    def opened(self, domain: str) -> None:
        """A domain that was left in peace is asked again."""
        self._closed.discard(domain)
        self._row.pop(domain, None)
        self._busy.pop(domain, None)

    @property
    def well(self) -> bool:
        """Whether the server has taken a message in this run."""
        return bool(self._served)

    @property
    def fresh_is_worth_it(self) -> bool:
        return self._in_vain < IN_VAIN

    def _nothing(self, outcome: Outcome, says: Says, tried: Tried) -> Decision:
        """No reply, or one to the sender's address: never about a reader."""
        if outcome.code is not None and tried.served and not tried.fresh:
            return _FRESH
        ours = outcome.code is not None and outcome.code >= 500
        if ours and (outcome.stage is Stage.MAIL or says in (Says.LOGIN, Says.SENDER)):
            return Decision(Do.RECORD, stop=_at_fault(outcome, says, tried.sender))
        self._fruitless += 1
        stop = ""
        if self._fruitless >= self._patience:
            stop = f"The mail server takes no message any more ({_said(outcome)}): check PAPERROUND_MAIL_URL."
        return Decision(Do.RECORD, slow_all=says is Says.BUSY, stop=stop)

    def _later(self, outcome: Outcome, says: Says, tried: Tried) -> Decision:
        spent = tried.served and not tried.fresh and self.may_be_spent(outcome) and self.fresh_is_worth_it
        if spent and (says is Says.SESSION or tried.spent):
            return _FRESH
        slow_all = outcome.code == 421 and outcome.stage is Stage.CONTENT
        if says is not Says.BUSY:
            return Decision(Do.RECORD, slow_all=slow_all)
        self._busy[tried.domain] = in_a_row = self._busy.get(tried.domain, 0) + 1
        close = in_a_row >= BUSY_IN_A_ROW
        return Decision(Do.RECORD, slow=True, slow_all=slow_all, close=close)

    def _no(self, outcome: Outcome, says: Says, tried: Tried) -> Decision:
        domain = tried.domain
        # those whom a good server refuses are tried again together, when nobody else is left to be served in between
        tells = not (tried.again and (self._served or self.was_well))
        if tells and says in (Says.LOGIN, Says.SENDER):
            self._ours.add(domain)
            if len(self._ours) >= SEVERAL:
                return Decision(Do.HOLD, stop=_at_fault(outcome, says, tried.sender))
        if tells:
            self._refused[domain] = self._refused.get(domain, 0) + 1
        self._row[domain] = in_a_row = self._row.get(domain, 0) + 1
        if len(self._refused) >= SEVERAL and sum(self._refused.values()) >= IN_A_ROW:
            return Decision(Do.HOLD, stop=_refused(outcome, f"{sum(self._refused.values())} readers in a row", says))
        good = domain in self._served or domain in self._before
        if in_a_row >= (IN_A_GOOD_DOMAIN if good else IN_A_DOMAIN):
            self._closed.add(domain)
            return Decision(Do.HOLD, close=True, unless_served=not good)
        return _HOLD


def _said(outcome: Outcome) -> str:
    return f"{outcome.code or 'no reply'}: {anonymous(outcome.text)[:120]}"


def _at_fault(outcome: Outcome, says: Says, sender: str) -> str:
    refused, remedy = f"the sender {sender}", "PAPERROUND_SENDER and PAPERROUND_RETURN_PATH"
    if says is Says.LOGIN:
        refused, remedy = "to work without a login", "the user and password in PAPERROUND_MAIL_URL"
    return f"The mail server refuses {refused} ({_said(outcome)}): check {remedy}."


def _refused(outcome: Outcome, whom: str, says: Says) -> str:
    why = " for reasons of policy" if says is Says.POLICY else ""
    return (
        f"The mail server refused {whom}{why} ({_said(outcome)}), and took no message meanwhile: check whether it may "
        "send for PAPERROUND_SENDER, and your domain's SPF and DKIM. Nobody is rejected for it; run it again then."
    )
