"""What a page's form sends, read within limits (it is a stranger's), and where a browser is led after its button: to a
page that only shows (303), so that neither Back nor reload presses the button again.

What that page says stands in its address, since there is no cookie: `done`, a word of ours and the number of the change
that it tells of; `form`, what was typed and is to be shown again, sealed so that this site alone can read it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import parse_qs, quote, urlencode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from subscribers.web.services import services

Form = Mapping[str, Sequence[str]]
"""Values by field, in the order in which they were sent."""

LIMIT = 64
"""KB: the longest form there is, with all it may hold, has half of that."""
FIELDS = 500

SECONDS = 3600
"""For which a form can be shown again."""
LONGEST = 3000
"""Characters of a sealed form that an address takes: proxies cut off beyond 8 KB."""

_DONE = re.compile(r"([a-z]+)(?:\.([0-9]{1,9}))?", re.ASCII)
_NONCE = 12
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


async def read(request: Request) -> Form:
    """The fields of a form (application/x-www-form-urlencoded in UTF-8: no page of ours sends another).

    A body that is too large or no such form is answered with a page that says so; of the rest nothing is believed.
    """
    say = services(request).phrases.text
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LIMIT * 1024:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, say("problem.too_large", limit=LIMIT))
    try:
        form = parse_qs(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=FIELDS,
        )
    except ValueError:
        raise HTTPException(HTTPStatus.BAD_REQUEST, say("problem.bad_form")) from None
    if any(_CONTROLS.search(text) for name, values in form.items() for text in (name, *values)):
        raise HTTPException(HTTPStatus.BAD_REQUEST, say("problem.bad_form"))
    return form


def first(form: Form, field: str) -> str:
    """The first value of a field without the white space around it; empty where there is none."""
    return next(iter(form.get(field, ())), "").strip()


def lead_on(
    request: Request, done: str = "", revision: int | None = None, *, path: str = "", anchor: str = ""
) -> Response:
    """To the page itself, or to another `path` of ours. What is `done` is told there while `revision` is the last."""
    told = done if revision is None else f"{done}.{revision}"
    return _to(request, {"done": told} if done else {}, path, anchor)


def done(request: Request, revision: int | None = None) -> str:
    """The word for what has just been done; empty where nothing has, or something else since."""
    found = _DONE.fullmatch(request.query_params.get("done", ""))
    if found is None or found[2] != (None if revision is None else str(revision)):
        return ""
    return found[1]


def lead_back(request: Request, sent: Form, *, path: str = "", anchor: str = "") -> Response | None:
    """To the page itself, or to another `path`, which shows what was sent; None where it is too long for an address."""
    sealed = _seal(request, sent, path or _path(request))
    return _to(request, {"form": sealed}, path, anchor) if len(sealed) <= LONGEST else None


def as_sent(request: Request) -> Form | None:
    """What was sent before, to this page; None where there is nothing, or it was too long ago. It is a stranger's."""
    sealed = request.query_params.get("form", "")
    if not sealed or len(sealed) > LONGEST:
        return None
    try:
        raw = urlsafe_b64decode(sealed.encode("ascii"))
    except ValueError:
        return None
    s = services(request)
    for key in s.keys:
        try:
            content = AESGCM(_key(key)).decrypt(raw[:_NONCE], raw[_NONCE:], _path(request).encode())
        except (InvalidTag, ValueError):
            continue
        until, form = json.loads(zlib.decompress(content))
        return dict(form) if s.now().timestamp() < until else None
    return None


def _seal(request: Request, sent: Form, path: str) -> str:
    s = services(request)
    content = json.dumps([int(s.now().timestamp()) + SECONDS, {name: list(values) for name, values in sent.items()}])
    nonce = os.urandom(_NONCE)
    sealed = AESGCM(_key(s.keys[0])).encrypt(nonce, zlib.compress(content.encode()), path.encode())
    return urlsafe_b64encode(nonce + sealed).decode()


def _key(key: bytes) -> bytes:
    """A key for forms alone."""
    return hmac.digest(key, b"a form in an address", hashlib.sha256)


def _path(request: Request) -> str:
    return quote(str(request.scope["path"]), errors="replace")


def _to(request: Request, query: Mapping[str, str], path: str, anchor: str) -> Response:
    # without a host: that of the request is whatever the request claims
    address = path or _path(request)
    if query:
        address += f"?{urlencode(query)}"
    return RedirectResponse(f"{address}#{anchor}" if anchor else address, HTTPStatus.SEE_OTHER)
