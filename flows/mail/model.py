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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What is one reader's own in a message, all of it plain ASCII but for the address."""

    address: str
    unsubscribe: str
    """The token of the one-click unsubscribe link: base64url, at most 60 characters."""
    message_id: str
    """Without angle brackets; the same for every attempt at the same delivery."""
    date: dt.datetime
    """When the message is made, aware."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A finished message and its envelope. `content` has CRLF line ends and no line that begins with a dot."""

    sender: str
    recipient: str
    content: bytes


class Slot(StrEnum):
    """A place in a fragment for what is the reader's own."""

    UNSUBSCRIBE = "unsubscribe"
    """The token of the reader's unsubscribe link."""
    PAPERS = "papers"
    """How many papers the digest has: "1 paper", "20 papers"."""
    TOPICS = "topics"
    """In how many topics: "1 topic", "9 topics"."""
    COUNT = "count"
    """How many papers of one topic: "4"."""
    MORE = "more"
    """How many papers did not fit: "1 more paper", "12 more papers"."""
    NAMES = "names"
    """The short titles of the reader's best papers after the first, for the line that inboxes show."""


COUNT_ROOM = 6
"""How many bytes of a message a topic's count may take."""

Pieces = tuple[bytes | Slot, ...]
"""Quoted-printable bytes and the places between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """A part of a message in both its forms, which begins and ends at a line's beginning.

    `size` is the HTML's length in bytes once decoded, without its slots.
    """

    html: Pieces
    text: Pieces
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fragment that is the same for every reader who gets it."""

    html: bytes
    text: bytes
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Card(Block):
    """A paper."""

    rank: int
    """Its place among all papers of the edition, 0 for the best."""
    subject: bytes
    """Its short title as it stands in a Subject, on lines of its own."""
    name: bytes
    """Its short title as it stands in the HTML, to be followed by a soft line break."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A topic's line in the contents: what stands before its count, and what after it."""

    html: tuple[bytes, bytes]
    text: tuple[bytes, bytes]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A topic: its line in the contents and its heading. `group` is a key of `Cards.groups`."""

    group: str
    line: Line
    block: Block


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
    head: Fragment
    middle: Fragment
    """What stands between the contents and the first heading."""
    more: Fragment
    """The words that end a digest which is too long for a mail."""
    foot: Fragment
    page_foot: Fragment
    """The foot without anything personal, for the web."""
    headings: int
    """The size of all groups, headings and lines together: no digest needs more for them."""
    groups: Mapping[str, Block]
    topics: Mapping[str, Heading]
    papers: Mapping[PaperId, Card]
