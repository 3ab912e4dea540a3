"""Signs that stand for themselves in a part of a URL only when they are percent-encoded (RFC 3986, sections 2 and 3).

A password with a `#` in it is cut off there by every parser, and what is left is another server: that must be told
before anything is asked of it.
"""

from __future__ import annotations

import re

_STRAY = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CREDENTIALS = re.compile(r"[\[\]/?#@\s<>\"\\^`{|}]")
_PATH = re.compile(r"[?#\s<>\"\\^`{|}\[\]]")
_HOST = re.compile(r"[^\w.:\[\]-]")


def fault(url: str, *, query: bool = False) -> str:
    """What is wrong with a URL's signs, as the rest of a sentence with the remedy and without any secret; empty:
    nothing is. `query`: one may follow its path."""
    scheme, slashes, rest = url.partition("://")
    if not slashes or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        return ""  # who takes it tells which there are
    # credentials reach to the last @: one of theirs that is not encoded is among them
    credentials, at, place = ("", "", rest) if rest.startswith("/") else rest.rpartition("@")
    if not at:
        place = rest
    user, _, password = credentials.partition(":")
    for part, text in (("user name", user), ("password", password)):
        if found := _CREDENTIALS.search(text) or _STRAY.search(text):
            return _told(part, found[0][:1])
    host, slash, path = place.partition("/")
    host, mark, asked = (host, "", "") if slash else _parted(host)
    if found := _HOST.search(host):
        return _told("host", found[0]) if not host.isascii() or found[0].isspace() else ""
    if query:
        path, mark, asked = _parted(path) if slash else (path, mark, asked)
    elif mark:
        return f"has {mark!r} in its host: take it away, with what follows it"
    if found := _PATH.search(path) or _STRAY.search(path) or _STRAY.search(asked):
        return _told("path", found[0][:1])
    return ""


def _parted(text: str) -> tuple[str, str, str]:
    found = re.search(r"[?#]", text)
    return (text[: found.start()], found[0], text[found.end() :]) if found else (text, "", "")


def _told(part: str, sign: str) -> str:
    code = "".join(f"%{byte:02X}" for byte in sign.encode())
    shown = "a space" if sign == " " else repr(sign) if sign.isprintable() else "a sign that can't be seen"
    return f"has {shown} in its {part}, which a URL can't hold as it is: write {code} for it"
