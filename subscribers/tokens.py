"""Signed tokens for the readers' links: bound to their purpose and to one subscription. Pure.

A token is 24 bytes as base64url, 32 characters without a dot: a stamp (3 bytes: the hours since 2020 when it was made;
0 for a link that never expires), a number (5 bytes) and an HMAC-SHA256 over the purpose and both, cut to 16 bytes
(RFC 2104 section 5 allows no less than half of the hash). The number alone opens nothing, and no address stands in a
URL. Which number it is follows from the purpose: a subscription's or, for ADDRESS, a change of address's; a
subscription belongs to one subscriber and one newsletter, and its number is never given again.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache


class Purpose(StrEnum):
    UNSUBSCRIBE = "unsubscribe"
    """In every mail, for ever: ends the subscription, and may bring it back for a day."""
    MANAGE = "manage"
    """In every mail, for a year: everything that can be undone."""
    CONFIRM = "confirm"
    PRIVATE = "private"
    """Mailed on request: what must not fall to whoever a mail is forwarded to (export, erase, change of address)."""
    ADDRESS = "address"
    """Mailed to a new address, to confirm it."""


LIFE: dict[Purpose, dt.timedelta | None] = {
    Purpose.UNSUBSCRIBE: None,
    Purpose.MANAGE: dt.timedelta(days=365),
    Purpose.CONFIRM: dt.timedelta(days=7),
    Purpose.PRIVATE: dt.timedelta(hours=2),
    Purpose.ADDRESS: dt.timedelta(days=7),
}
"""How long a link works; None: for ever (a mail that can't be unsubscribed from is one that is reported as spam)."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")
_START = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
_HOUR = dt.timedelta(hours=1)
_AHEAD = dt.timedelta(days=1)
"""By how much the clock of a machine that signs may be ahead of one that verifies."""

PREVIEW_READER = 0
"""The subscription that a preview's links are made for: nobody's."""


def sign(purpose: Purpose, number: int, key: bytes, now: dt.datetime | None = None) -> str:
    """The token for this purpose and number; a purpose whose links expire needs to know the time."""
    if LIFE[purpose] is None:
        stamp = 0
    elif now is None:
        raise ValueError(f"a link to {purpose} expires: it can't be made without the time")
    else:
        stamp = (now - _START) // _HOUR
    head = (stamp << 40 | number).to_bytes(8, "big")
    return base64.urlsafe_b64encode(head + _seal(purpose, head, key)).decode()


class Expired(Exception):  # noqa: N818
    """The token was good once. `number` is what it was signed for."""

    def __init__(self, number: int) -> None:
        super().__init__("the link has expired")
        self.number = number


def verify(purpose: Purpose, token: str, keys: Sequence[bytes], now: dt.datetime | None = None) -> int | None:
    """The number that the token was signed for, under any of the keys; None for every string that was not.

    Raises Expired where it was, but too long ago.
    """
    if not _TOKEN.fullmatch(token):
        return None
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    head, seal = raw[:8], raw[8:]
    # all keys are tried, so that the time taken says nothing
    fits = [hmac.compare_digest(seal, _seal(purpose, head, key)) for key in keys]
    if not any(fits):
        return None
    stamp, number = int.from_bytes(head[:3], "big"), int.from_bytes(head[3:], "big")
    life = LIFE[purpose]
    if life is not None:
        if now is None:
            raise ValueError(f"a link to {purpose} expires: it can't be verified without the time")
        if _START + stamp * _HOUR > now + _AHEAD:
            return None  # no clock of ours has made it
        # the stamp is cut to the hour before
        if now > _START + (stamp + 1) * _HOUR + life:
            raise Expired(number)
    return number


def keyed(purpose: str, text: str, key: bytes) -> str:
    """What a text is known by without being kept: an address that is suppressed, a network. 43 characters."""
    digest = hmac.digest(key, purpose.encode() + b"\0" + text.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _seal(purpose: Purpose, message: bytes, key: bytes) -> bytes:
    sealing = _begun(purpose, key).copy()
    sealing.update(message)
    return sealing.digest()[:16]


@lru_cache(maxsize=64)
def _begun(purpose: Purpose, key: bytes) -> hmac.HMAC:
    """What is the same in the seals of a purpose: two stand in every mail."""
    return hmac.new(key, b"%b\0" % purpose.encode(), hashlib.sha256)
