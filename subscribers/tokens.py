"""Signed tokens for the readers' links: bound to their purpose and to one subscription. Pure.

A token is 24 bytes as base64url, 32 characters without a dot: the subscription's number (8 bytes) and an HMAC-SHA256
over purpose and number, cut to 16 bytes (RFC 2104 section 5 allows no less than half of the hash). The number alone
opens nothing, and the address stands in no URL.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from enum import StrEnum


class Purpose(StrEnum):
    UNSUBSCRIBE = "unsubscribe"
    PREVIEW = "preview"


_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")

PREVIEW_READER = 0
"""The subscription that a preview's links are made for: nobody's."""


def sign(purpose: Purpose, subscription: int, key: bytes) -> str:
    """The token for this purpose and subscription."""
    number = subscription.to_bytes(8, "big")
    return base64.urlsafe_b64encode(number + _seal(purpose.encode() + b"\0" + number, key)).decode()


def verify(purpose: Purpose, token: str, keys: Sequence[bytes]) -> int | None:
    """The subscription that the token was signed for, under any of the keys; None for every other string."""
    if not _TOKEN.fullmatch(token):
        return None
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    number, seal = raw[:8], raw[8:]
    fits = [hmac.compare_digest(seal, _seal(purpose.encode() + b"\0" + number, key)) for key in keys]
    return int.from_bytes(number, "big") if any(fits) else None


def sign_text(purpose: Purpose, text: str, key: bytes) -> str:
    """A seal for a text that stands beside it in a link, such as a newsletter and a date."""
    return base64.urlsafe_b64encode(_seal(purpose.encode() + b"\0" + text.encode(), key)).decode().rstrip("=")


def verify_text(purpose: Purpose, text: str, seal: str, keys: Sequence[bytes]) -> bool:
    """Whether the seal was made for this purpose and text, under any of the keys."""
    fits = [hmac.compare_digest(seal.encode(), sign_text(purpose, text, key).encode()) for key in keys]
    return any(fits)


def _seal(message: bytes, key: bytes) -> bytes:
    return hmac.digest(key, message, hashlib.sha256)[:16]
