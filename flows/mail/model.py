"""What mail is made of: values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from flows.mail.language import ENGLISH, Words
from flows.papers.model import PaperId


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Who sends, and where the reader's links lead."""

    public_url: str
    """Without a slash at the end."""
    sender: str
    """The From header's value, as in RFC 5322: `Paperround <digest@example.org>`."""
    return_path: str
    """Where bounces go (the envelope's sender): an address alone."""
    postal_address: str = ""
    unsubscribe_mailbox: str = ""
    """An address that is read for unsubscriptions; empty: none is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What is one reader's own in a message, all of it plain ASCII but for the address."""

    address: str
    unsubscribe: str
    """The token of the one-click unsubscribe link: base64url, at most `TOKEN_ROOM` characters."""
    manage: str
    """The token of all other links to the reader's own pages, alike."""
    message_id: str
    """Without angle brackets; the same for every attempt at the same delivery."""
    date: dt.datetime
    """When the message is made, aware."""
    return_path: str = ""
    """Where this message's bounce goes; empty: where the edition's go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A finished message and its envelope. `content` has CRLF line ends and no line that begins with a dot."""

    sender: str
    recipient: str
    content: bytes
    relaxed: bool = False
    """The body is known to be in DKIM's relaxed form (RFC 6376 section 3.4.4): nothing need be changed to sign it."""


class Slot(StrEnum):
    """A place in a fragment for what is the reader's own."""

    UNSUBSCRIBE = "unsubscribe"
    """The token of the reader's unsubscribe link."""
    MANAGE = "manage"
    """The token of the links to the reader's own pages. On the web the lines of HTML or text that hold it are left out:
    each holds whole elements."""
    TITLE = "title"
    """What the mail offers, as its subject does."""
    TEASER = "teaser"
    """What the first paper did, for the line that inboxes show."""
    PAPERS = "papers"
    """How many papers the mail holds: "1 paper", "20 papers"."""
    COUNT = "count"
    """How many papers of one group or topic: "4"."""
    LEFT = "left"
    """What was left out: "24 of 38 here, as you chose; on the web: 4 more on Agents and 10 on other topics"."""
    MORE = "more"
    """How many papers were left out: "1 more paper", "12 more papers"."""
    OPENING = "opening"
    """What one reader is told before the papers; empty for all others."""
    REASONS = "reasons"
    """Why a paper is for this reader: "Matches tensor · by Ada Brook"."""


TOKEN_ROOM = 32
"""How many bytes of a message a token may take."""
COUNT_ROOM = 6
"""How many bytes of a message a count may take."""

Pieces = tuple[bytes | Slot, ...]
"""Encoded bytes and the places between them: bytes and places in turn, bytes first and last. HTML is plain ASCII, text
quoted-printable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """A part of a message in both its forms, which begins and ends at a line's beginning.

    `size` is the HTML's length in bytes, tokens counted at their longest, other slots not.
    """

    html: Pieces
    text: Pieces
    size: int


Spliced = tuple[bytes, ...]
"""Encoded bytes, and between every two of them the token of the reader's own pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What one reader is told before the papers. Both forms end within a line."""

    html: bytes
    text: bytes
    size: int
    subject: bytes = b""
    """The whole Subject field, without its line end; empty: the edition's own."""
    mark: bytes = b""
    """What stands before the words of the subject: "[Test]"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fragment that is the same for every reader who gets it, but for the token of their own pages."""

    html: Spliced
    text: Spliced
    size: int


NOTHING = Block(html=(b"",), text=(b"",), size=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands around other blocks."""

    before: Block
    after: Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A fragment with one place, such as a heading with its count: what stands before it, and what after it; a single
    piece where it has none."""

    html: tuple[bytes, ...]
    text: tuple[bytes, ...]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """What of a paper decides where it stands in a mail."""

    rank: int
    """Its place among all papers of the edition, 0 for the best."""
    topic: str
    votes: int
    likely: bool = False
    """It stands where it does because it is likely to be picked, for it has few votes or none."""
    fresh: bool = True
    """No edition has shown it before: only such a paper leads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card(Ranked):
    """A paper, in each of the forms that it can have in a mail. `links` is text alone: its addresses, for the end of
    its group."""

    lead: Block
    """As one of the first, with the full line of its authors."""
    alone: Block
    """Among papers of other topics."""
    listed: Block
    """Below a heading of its topic."""
    line: Block
    """Its title and votes alone."""
    links: bytes
    name: str
    """What it is called where there is little room, plain text."""
    teaser: bytes
    """What it did, in a sentence, as it stands in the HTML."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Some topics together: their line in the contents, their heading, and what ends them."""

    line: Counted
    heading: Counted
    end: Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A topic. `group` is a key of `Cards.groups`."""

    group: str
    name: str
    """Plain text."""
    label: Block
    """What stands before a paper of it among others."""
    heading: Counted
    """What stands before several papers of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """The one thing worth saying of an edition, shown to whoever gets all the papers that it is about."""

    block: Block
    papers: frozenset[PaperId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How many papers stand where."""

    leads: int = 3
    """At the top of every mail: the best."""
    lines: int = 6
    """After them by title and votes alone: who was voted up as well."""
    ungrouped: int = 5
    """So many papers besides the leads need no groups."""
    heading: int = 3
    """So many papers of a topic have a heading of their own; 0: none has."""
    cards: int = 0
    """Only the best so many have a card, the others a line at the end; 0: all have one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cards:
    """An edition, rendered and encoded once: what every reader's message is joined from."""

    sender: str
    """The envelope's sender."""
    headers: bytes
    """The header fields that all messages share, each with its CRLF."""
    boundary: bytes
    date: str
    """What a subject ends in: "9 June", "week to 13 June"."""
    unsubscribe: bytes
    """The address of the unsubscribe page up to the token."""
    mailbox: bytes
    """The mailto address that unsubscribes, up to the token; empty: there is none."""
    head: Fragment
    left: Fragment
    """What stands above all where papers were left out."""
    opening: Fragment
    told: Remark | None
    for_you: Counted
    """The heading of what the reader follows."""
    why: Counted
    """What stands before a paper that the reader follows, with a place for the reasons."""
    for_you_end: Block
    leads: Mapping[str, Block]
    """The heading of the first papers: "voted" where they stand in order of votes and no other has more, "likely" where
    forecasts put them there, else "best"."""
    first: Frame
    other: Frame
    """What stands around the first paper, and around the other leads."""
    leads_end: Block
    lines: Frame
    """What stands around the lines of those who were voted up as well."""
    contents: Frame
    rest: Frame
    """What stands around the papers besides the leads, where they are too few for groups."""
    titles: Frame
    """What stands around the lines of those who have no card."""
    more: Fragment
    """The words at the end of a digest where papers were left out."""
    foot: Fragment
    page_foot: Fragment
    """The foot without anything personal, for the web."""
    groups: Mapping[str, Group]
    topics: Mapping[str, Heading]
    papers: Mapping[PaperId, Card]
    subject: bytes = b""
    """The Subject field of all messages, without its line end; empty: it names each reader's first papers."""
    title: bytes = b""
    """The same words as they stand in the HTML."""
    layout: Layout = Layout()
    words: Words = ENGLISH
    relaxed: bool = True
    """All bytes are in DKIM's relaxed form (RFC 6376 section 3.4.4); those of an earlier format are not."""
