"""How a page of the web app is made: templates, what the site adds to a mail, and the headers of every answer."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flows.editions import maths
from subscribers.web.page_meta import Card

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""No script at all, nothing from elsewhere. Styles stand inline: an edition's page is the mail itself."""

_HEAD_ENDS = re.compile(r"</head\s*>", re.IGNORECASE)
_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)


class Phrases(Protocol):
    """The words of pages, by their keys; `flows.config.phrases` reads them."""

    def __call__(self, key: str, /, **values: Any) -> Markup:
        """The phrase as HTML, its values escaped."""

    def __contains__(self, key: str) -> bool:
        """Whether there is one."""

    def text(self, key: str, /, **values: Any) -> str:
        """The phrase as plain text."""


class Pages:
    """Renders templates of `web/`; the operator's folder comes before ours. `links` are the menu: path and name."""

    def __init__(self, folders: Sequence[Path], phrases: Phrases, links: Mapping[str, str] | None = None) -> None:
        self.phrases = phrases
        self._environment = Environment(
            loader=FileSystemLoader([folder / "web" for folder in folders]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.globals.update(here="", links=dict(links or {}), say=phrases)
        self._environment.filters.update(
            long_date=self.long_date, short_date=self.short_date, maths=readable, isolated=isolated
        )

    def __call__(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        return HTMLResponse(self._environment.get_template(template).render(values), status)

    def edition(
        self,
        mail: str,
        *,
        draft: bool = False,
        card: Card | None = None,
        before: str | None = None,
        after: str | None = None,
        context_objects: Sequence[str] = (),
    ) -> HTMLResponse:
        """An edition's HTML as a page of the site: with its bar above, and as the page's main part. `before` and
        `after` are the paths of the editions beside it, `context_objects` its papers for reference managers."""
        template = self._environment.get_template("edition.html")
        context = template.new_context(
            {"draft": draft, "card": card, "before": before, "after": after, "context_objects": context_objects}
        )
        added, above, below = ("".join(template.blocks[name](context)) for name in ("head", "above", "below"))
        head, body = _HEAD_ENDS.search(mail), _BODY.search(mail)
        if head and body:
            shown, closing, end = mail[body.end() :].rpartition("</body>")
            if closing:
                mail = mail[: head.start()] + added + mail[head.start() : body.end()] + above + shown + below
                mail += closing + end
        return HTMLResponse(mail)

    def long_date(self, day: dt.date) -> Markup:
        weekday = self.phrases(f"date.weekday.{day.weekday()}")
        month = self.phrases(f"date.month.{day.month}")
        return self.phrases("date.long", weekday=weekday, day=day.day, month=month, year=day.year)

    def short_date(self, day: dt.date) -> Markup:
        return self.phrases("date.short", day=day.day, month=self.phrases(f"date.month.{day.month}"))


def readable(source: object) -> Markup:
    """A scraped text as HTML, its TeX made readable."""
    return Markup(maths.html(str(source)))  # noqa: S704 - `maths.html` escapes what it is given


def isolated(text: object) -> Markup:
    """A stranger's text within a sentence: its direction does not spread to the words around it."""
    return Markup("<bdi>{}</bdi>").format(text)


def public(request: Request, response: Response, seconds: int) -> Response:
    """A page that is anybody's: kept for so many seconds, and not sent again to whoever has it (RFC 9110 section 13).

    The tag is made of the content, so that a new version of the program or of a template is never taken for the old.
    """
    tag = f'"{hashlib.sha256(bytes(response.body)).hexdigest()[:32]}"'
    headers = {"Cache-Control": f"public, max-age={seconds}" if seconds else "no-cache", "ETag": tag}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response


class SecurityHeaders:
    """Adds to every answer what keeps a page from being framed, sniffed, kept, indexed or talked about."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", POLICY)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                # A reader's links are secrets: they go to no other site.
                headers.setdefault("Referrer-Policy", "no-referrer")
                headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
                if "Cache-Control" not in headers:
                    # What is not said to be anybody's may be one reader's own.
                    headers["Cache-Control"] = "no-store"
                    headers["X-Robots-Tag"] = "noindex"
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)
