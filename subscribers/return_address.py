"""Return addresses that name one delivery (VERP): `bounces+TOKEN@example.org`. Pure.

Whatever a mail server writes in its report, it sends it to that address. A token is 25 bytes as base32, 40 letters and
digits: the edition (4 bytes; 0 for a letter), the subscription (5 bytes) and an HMAC-SHA256 over both, cut to 16 bytes
(RFC 2104 section 5). No address stands in it, and it means the same in capitals: some servers change them. The local
part has at most 64 characters (RFC 5321 section 4.5.3.1.1).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from functools import lru_cache

LONGEST = 64 - 41
"""Characters before the `+` that leave room for a token."""


def return_address(address: str, edition_id: int, subscription_id: int, key: bytes) -> str:
    """The return address of one delivery below `address`."""
    local, _, domain = address.rpartition("@")
    head = (edition_id << 40 | subscription_id).to_bytes(9, "big")
    return f"{local}+{base64.b32encode(head + _seal(head, key)).decode().lower()}@{domain}"


def delivery_of(token: str, keys: Sequence[bytes]) -> tuple[int, int] | None:
    """The edition and the subscription that a token was made for, under any of the keys; None for every other text."""
    if len(token) != 40 or not token.isascii():
        return None
    try:
        raw = base64.b32decode(token.upper())
    except binascii.Error:
        return None
    head, seal = raw[:9], raw[9:]
    # all keys are tried, so that the time taken says nothing
    fits = [hmac.compare_digest(seal, _seal(head, key)) for key in keys]
    if not any(fits):
        return None
    return int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")


def _seal(head: bytes, key: bytes) -> bytes:
    sealing = _begun(key).copy()
    sealing.update(head)
    return sealing.digest()[:16]


@lru_cache(maxsize=8)
def _begun(key: bytes) -> hmac.HMAC:
    return hmac.new(key, b"return address\0", hashlib.sha256)
