"""A form with a file in it (multipart/form-data, RFC 7578), read within limits: it is a stranger's."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator
from http import HTTPStatus

from python_multipart.exceptions import FormParserError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from subscribers.web import forms
from subscribers.web.forms import Form
from subscribers.web.services import services

LIMIT = 1024
"""KB of a form with its file: a library of five hundred papers with their abstracts fits, of thousands without."""
FIELDS = 200

# it would log a line for each damaged byte: a stranger's to send
logging.getLogger("python_multipart").setLevel(logging.ERROR)

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class _InMemory(MultiPartParser):
    spool_max_size = LIMIT * 1024
    """What is within the limit is never written to a file."""

    def close(self) -> None:
        """Closes all files, also one whose end never came."""
        for file in self._files_to_close_on_error:
            file.close()


async def read(request: Request) -> Form:
    """The fields of a form, a file among them as its text. A form without files may come as any other does.

    A body that is too large or no such form is answered with a page that says so; of the rest nothing is believed.
    """
    if not request.headers.get("Content-Type", "").lower().startswith("multipart/form-data"):
        return await forms.read(request)
    say = services(request).phrases.text
    length = request.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and int(length[:12]) > LIMIT * 1024:
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, say("teach.too_large", limit=LIMIT))

    async def pieces() -> AsyncGenerator[bytes, None]:
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if size > LIMIT * 1024:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, say("teach.too_large", limit=LIMIT))
            yield piece

    parser = _InMemory(request.headers, pieces(), max_files=1, max_fields=FIELDS, max_part_size=LIMIT * 1024)
    form: dict[str, list[str]] = {}
    try:
        for name, value in (await parser.parse()).multi_items():
            text = decoded(await value.read()) if isinstance(value, UploadFile) else value
            form.setdefault(_CONTROLS.sub("", name), []).append(_CONTROLS.sub(" ", text))
    except (MultiPartException, FormParserError, KeyError, ValueError, AssertionError):
        raise HTTPException(HTTPStatus.BAD_REQUEST, say("problem.bad_form")) from None
    finally:
        parser.close()
    return form


def decoded(content: bytes) -> str:
    """A file's text: UTF-8 or, by its mark, UTF-16; else what older programs on Windows write."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")
