"""What mail is made of: values only."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


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
