"""A reader's link as mail programs, word processors and hands leave it, read as the link that was sent."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

_KIND = re.compile(r"/+(unsubscribe|manage|confirm|private|address|act)/+(.*)", re.IGNORECASE | re.DOTALL)
_BEGUN = re.compile(r"/+(unsubscribe|manage|confirm|private|address|act)\b(?!-)", re.IGNORECASE | re.ASCII)
_TOKEN = re.compile(r"[^A-Za-z0-9_-]*([A-Za-z0-9_-]{32})(?![A-Za-z0-9])(.*)", re.DOTALL)
_WHOLE = re.compile(r"/[a-z]+/[A-Za-z0-9_-]{32}(/[A-Za-z0-9_.-]*[A-Za-z0-9_-])*")
_AROUND = "/.,;:!?*()[]{}<>\"'`«»“”‘’„|\\=&"
_LONGEST = 2000
"""Characters of a path that are looked at: a link has fewer than 200, each of which may be written as several."""


def mended(path: str) -> str:
    """The path of a reader's link without what has come to stand in or behind it; any other path as it is."""
    if _WHOLE.fullmatch(path) or len(path) > _LONGEST:
        return path
    # what was written in percent twice or three times; Starlette has read it once
    plain = unquote(unquote(path))
    seen = "".join(one for one in plain if unicodedata.category(one)[0] not in "CZ")
    kind = _KIND.fullmatch(seen)
    if kind is None:
        return path
    # "=3D" is a quoted-printable "=", and "=" a soft line break (RFC 2045 section 6.7): before "3D", either
    for rest in (kind[2].replace("=3D", ""), kind[2].replace("=", "")):
        if found := _TOKEN.fullmatch(rest.replace("=", "")):
            behind = found[2].lstrip(_AROUND.replace("/", "")).rstrip(_AROUND)
            behind = re.sub("/+", "/", behind) if behind.startswith("/") else ""
            return f"/{kind[1].lower()}/{found[1]}{behind}"
    return path


def kind_of(path: str) -> str:
    """What the link of a reader was for, of which this path is what came through; empty: no link of a reader."""
    found = _BEGUN.match(path)
    return found[1].lower() if found else ""


class DamagedLinks:
    """Has the app read a damaged link as the one that was sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (path := mended(scope["path"])) != scope["path"]:
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)
