"""`paperround preview --watch`: a mail in the browser, made anew whenever its templates or its newsletter change.

For one person at one machine: it listens on loopback alone, and answers to no other name than that.
"""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Sequence
from contextlib import ExitStack, suppress

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from flows.commands.preview import WatchedMail
from flows.commands.without_prefect import onlooker
from flows.config.settings import load_settings
from flows.context import Say, open_context
from flows.editions.model import Kind
from flows.mail.assemble import LIMIT
from flows.process import stopping
from flows.processes.demo_mailbox import outward
from flows.processes.supervisor import claim_port
from subscribers.web.pages import Pages, SecurityHeaders

WIDTHS = ("whole", "mail", "narrow")
SCHEMES = ("light", "dark")

PAGE = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
MAIL = "default-src 'none'; style-src 'unsafe-inline'; img-src data:{pictures}; frame-ancestors 'self'"
"""A mail runs no script, and loads pictures only where its readers' programs would."""

_WANTS_SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)")
_BOTH_SCHEMES = re.compile(r"color-scheme\s*:\s*light dark")


def app(watched: WatchedMail, pages: Pages) -> Starlette:
    """The pages: the mail as it looks, as text, as it is sent."""

    def page(request: Request, view: str, words: str = "") -> Response:
        width = _one_of(WIDTHS, request.query_params.get("width"))
        scheme = _one_of(SCHEMES, request.query_params.get("scheme"))
        made = pages(
            "watch.html",
            shown=watched.shown,
            view=view,
            words=words,
            width=width,
            widths=WIDTHS,
            scheme=scheme,
            schemes=SCHEMES,
            limit=LIMIT,
        )
        made.headers["Content-Security-Policy"] = PAGE
        return made

    async def looks(request: Request) -> Response:
        return page(request, "/")

    async def text(request: Request) -> Response:
        message = watched.shown.message
        return page(request, "/text", message.text if message else "")

    async def source(request: Request) -> Response:
        return page(request, "/source", watched.shown.raw.decode("ascii", "replace").replace("\r\n", "\n"))

    async def mail(request: Request) -> Response:
        shown = watched.shown
        scheme = _one_of(SCHEMES, request.query_params.get("scheme"))
        html = in_scheme(shown.message.html if shown.message else "", scheme)
        policy = MAIL.format(pictures=" https:" if shown.pictures else "")
        return HTMLResponse(outward(html), headers={"Content-Security-Policy": policy})

    async def changed(request: Request) -> Response:
        return PlainTextResponse(await watched.after(request.query_params.get("since", "")))

    async def script(request: Request) -> Response:
        return Response(pages("watch.js").body, media_type="text/javascript")

    return Starlette(
        routes=[
            Route("/", looks),
            Route("/text", text),
            Route("/source", source),
            Route("/mail", mail),
            Route("/changed", changed),
            Route("/watch.js", script),
        ],
        middleware=[
            Middleware(SecurityHeaders),
            # a page elsewhere whose name leads to this machine reads nothing: the mail may hold a reader's links
            Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]),
        ],
    )


def in_scheme(html: str, scheme: str) -> str:
    """The mail as whoever prefers light or dark sees it, whatever this browser's owner prefers."""
    html = _WANTS_SCHEME.sub(lambda found: "(min-width: 0)" if found[1] == scheme else "(max-width: 0)", html)
    return _BOTH_SCHEMES.sub(f"color-scheme: {scheme}", html)


def _one_of(known: Sequence[str], value: str | None) -> str:
    return value if value is not None and value in known else known[0]


async def watch(newsletter: str, date: str, as_reader: str, port: int, say: Say, *, kind: Kind = Kind.DAILY) -> None:
    """Shows a mail in the browser until it is stopped. Raises Problem for what no template can mend."""
    async with open_context(load_settings()) as context:
        wanted = context.newsletter(newsletter, kind)
        day = context.day(wanted, date) if date else None
        watched = WatchedMail(context, newsletter, kind, day, await onlooker(context, newsletter, as_reader), say)
        await watched.look()
        with ExitStack() as held:
            port = claim_port(port, held)
            say(f"http://127.0.0.1:{port} shows {wanted.title} as it is edited. Ctrl-C stops it.")
            await _serve(app(watched, Pages(context.template_folders, context.phrases)), watched, port)


async def _serve(application: Starlette, watched: WatchedMail, port: int) -> None:
    config = uvicorn.Config(
        application,
        host="127.0.0.1",
        port=port,
        access_log=False,
        log_level="warning",
        server_header=False,
    )
    following = asyncio.create_task(watched.follow())
    try:
        # uvicorn raises the signal again when it has stopped: here that is how it ends, and no failure
        with stopping(signal.SIGINT, signal.SIGTERM):
            await uvicorn.Server(config).serve()
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
