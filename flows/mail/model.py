"""What mail is made of: values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

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
    PAPERS = "papers"
    """How many papers the digest has: "1 paper", "20 papers"."""
    TOPICS = "topics"
    """In how many topics: "1 topic", "9 topics"."""
    COUNT = "count"
    """How many papers of one topic: "4"."""
    MORE = "more"
    """How many papers did not fit: "1 more paper", "12 more papers"."""
    OPENING = "opening"
    """What one reader is told before the papers; empty for all others."""
    NAMES = "names"
    """The short titles of the reader's best papers after the first, for the line that inboxes show."""
    REASONS = "reasons"
    """Why a paper is for this reader: "Matches tensor · by Ada Brook"."""


TOKEN_ROOM = 32
"""How many bytes of a message a token may take."""
COUNT_ROOM = 6
"""How many bytes of a message a topic's count may take."""

Pieces = tuple[bytes | Slot, ...]
"""Quoted-printable bytes and the places between them: bytes and places in turn, bytes first and last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """A part of a message in both its forms, which begins and ends at a line's beginning.

    `size` is the HTML's length in bytes once decoded, tokens counted at their longest, other slots not.
    """

    html: Pieces
    text: Pieces
    size: int


Spliced = tuple[bytes, ...]
"""Quoted-printable bytes, and between every two of them the token of the reader's own pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What one reader is told before the papers. Both forms end within a line."""

    html: bytes
    text: bytes
    size: int
    subject: bytes
    """The whole Subject field, without its line end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fragment that is the same for every reader who gets it, but for the token of their own pages."""

    html: Spliced
    text: Spliced
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Card(Block):
    """A paper."""

    rank: int
    """Its place among all papers of the edition, 0 for the best."""
    topic: str
    subject: bytes
    """Its short title as it stands in a Subject, on lines of its own."""
    name: bytes
    """Its short title as it stands in the HTML, to be followed by a soft line break."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands around other blocks."""

    before: Block
    after: Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Story(Frame):
    """What stands around the cards of a topic's papers that are on one thing."""

    papers: frozenset[PaperId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A fragment with one place: what stands before it, and what after it."""

    html: tuple[bytes, bytes]
    text: tuple[bytes, bytes]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A topic, or what the reader follows: its line in the contents, with a place for its count, and its heading.
    `group` is a key of `Cards.groups`; empty: it stands in none."""

    group: str
    line: Line
    block: Block
    stories: tuple[Story, ...]
    """In the edition's order, the papers of each one after another."""
    size: int
    """The HTML's length in bytes once decoded, of all that a topic may have besides its cards, its count included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cards:
    """An edition, rendered and encoded once: what every reader's message is joined from."""

    sender: str
    """The envelope's sender."""
    headers: bytes
    """The header fields that all messages share, each with its CRLF."""
    boundary: bytes
    subject: bytes
    """The Subject's beginning: "Subject: Paperround, 9 June:"."""
    unsubscribe: bytes
    """The address of the unsubscribe page up to the token."""
    mailbox: bytes
    """The mailto address that unsubscribes, up to the token; empty: there is none."""
    head: Fragment
    around_best: Frame
    best: Mapping[PaperId, Block]
    """The lines of the edition's best papers, best first."""
    contents: Block
    """What stands before the first line of the contents."""
    middle: Fragment
    """What stands between the contents and the first heading."""
    more: Fragment
    """The words that end a digest which is too long for a mail."""
    foot: Fragment
    page_foot: Fragment
    """The foot without anything personal, for the web."""
    why: Line
    """What stands before a paper that the reader follows, with a place for the reasons."""
    headings: int
    """The size of all groups and topics together, without cards: no digest needs more for them."""
    groups: Mapping[str, Block]
    topics: Mapping[str, Heading]
    """`FOR_YOU` among them."""
    papers: Mapping[PaperId, Card]
    relaxed: bool = True
    """All bytes are in DKIM's relaxed form (RFC 6376 section 3.4.4); those of an earlier format are not."""
