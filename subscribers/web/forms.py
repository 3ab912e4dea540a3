"""What a page's form sends, read within limits. It is a stranger's."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request

from subscribers.web.services import services

Form = Mapping[str, Sequence[str]]
"""Values by field, in the order in which they were sent."""

LIMIT = 64
"""KB: the longest form there is, with all it may hold, has half of that."""
FIELDS = 500

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
