"""Where the providers of mail report what came of it.

CSRF: a call is believed for its signature or secret alone, which no browser has; nothing is changed for any other.
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from subscribers.web.services import services

LIMIT = 2 * 1024 * 1024
"""Bytes of a call: some providers report a thousand events in one."""


async def hook(request: Request) -> Response:
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > LIMIT:
                return PlainTextResponse("Too much.\n", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    except ClientDisconnect:
        return PlainTextResponse("Not all of it came.\n", HTTPStatus.BAD_REQUEST)
    headers = {name.lower(): value for name, value in request.headers.items()}
    status, words = await services(request).hear(request.path_params["provider"], headers, bytes(body))
    return PlainTextResponse(f"{words}\n", status)


ROUTES = (Route("/hooks/{provider}", hook, methods=["POST"]),)
