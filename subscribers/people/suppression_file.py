"""The list of who is never mailed, for other senders and from them: a line of CSV each. Pure.

Addresses go out as they are or as hashes alone: SHA-256 of the address in lower case, which others can compare with
their own lists, and our own keyed hash, which only an installation with the same PAPERROUND_SUPPRESSION_KEY can read.
From others come addresses, or their SHA-256 or MD5.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
from collections.abc import Mapping

from subscribers.model import Suppressed
from subscribers.people.rows import address_key
from subscribers.text import cell, uncell

COLUMNS = ("email", "sha256", "key", "reason", "at")
READ = ("email", "sha256", "md5", "key", "reason", "at")

_HEX = re.compile(r"[0-9a-f]+")
_KEY = re.compile(r"[A-Za-z0-9_-]{43}")


def read_line(line: Mapping[str, str], key: bytes) -> tuple[str, Suppressed]:
    """What a line suppresses, as it is kept, and why. Raises ValueError with the reason for one that can't be read."""
    given = {name: (line.get(name) or "").strip() for name in READ}
    given["email"] = uncell(given["email"])
    return _kept(given, key), _reason(given["reason"])


def _kept(given: Mapping[str, str], key: bytes) -> str:
    if email := given["email"]:
        local, _, domain = email.rpartition("@")
        if not (local and "." in domain) or any(c.isspace() for c in email) or len(email) > 320:
            raise ValueError(f"{email[:60]!r} is no address")
        return address_key(email, key)
    if sha256 := given["sha256"]:
        if _HEX.fullmatch(sha256.lower()) and len(sha256) == 64:
            return base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode().rstrip("=")
        raise ValueError("sha256 should be 64 hexadecimal digits")
    if md5 := given["md5"].lower():
        if _HEX.fullmatch(md5) and len(md5) == 32:
            return md5
        raise ValueError("md5 should be 32 hexadecimal digits")
    key_or_md5 = given["key"]  # ours: the keyed hash, or what another sender once gave
    if _KEY.fullmatch(key_or_md5) or (_HEX.fullmatch(key_or_md5) and len(key_or_md5) == 32):
        return key_or_md5
    raise ValueError("it has none of email, sha256, md5 or key")


def _reason(written: str) -> Suppressed:
    try:
        found = Suppressed(written.lower().replace("-", " ").replace("_", " ") or "operator")
    except ValueError:
        # a word of another sender's: what counts is that they mail it no more
        return Suppressed.OPERATOR
    # a domain is blocked as such; and nobody but its owner has an address erased
    return Suppressed.OPERATOR if found in (Suppressed.BLOCKED, Suppressed.ERASED) else found


def written(email: str, key: str, reason: Suppressed, at: dt.datetime, *, hashed: bool) -> tuple[str, ...]:
    """A line of ours, in the order of `COLUMNS`."""
    sha256 = hashlib.sha256(email.lower().encode()).hexdigest() if email else ""
    return ("" if hashed else cell(email), sha256, key, reason, at.isoformat(timespec="seconds"))
