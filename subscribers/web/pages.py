"""How a page of the web app is made: templates, what the site adds to a mail, and the headers of every answer."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flows.editions import maths
from subscribers.web.page_meta import PageCard

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""No script at all, nothing from elsewhere. Styles stand inline: an edition's page is the mail itself."""

_HEAD_ENDS = re.compile(r"</head\s*>", re.IGNORECASE)
_WRITTEN = re.compile(r'(<html\b[^<>]*\slang=")([A-Za-z0-9-]+)(?=")')
_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)


class PagePhrases(Protocol):
    """The words of pages, by their keys; `flows.config.phrases` reads them."""

    def __call__(self, key: str, /, **values: Any) -> Markup:
        """The phrase as HTML, its values escaped."""

    def __contains__(self, key: str) -> bool:
        """Whether there is one."""

    def text(self, key: str, /, **values: Any) -> str:
        """The phrase as plain text."""


_language: ContextVar[str] = ContextVar("language", default="")
"""Of whoever is answered."""
_WEIGHED = re.compile(r"\s*([A-Za-z0-9-]{1,35}|\*)\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?", re.ASCII)


class Speaker:
    """Says phrases in the language of whoever is answered: a reader's own, or for a visitor what the browser asks for.

    `languages` are those that there are, by their tags, the site's own first.
    """

    def __init__(self, languages: Mapping[str, PagePhrases]) -> None:
        self._languages = languages
        self._own = next(iter(languages))

    def __call__(self, key: str, /, **values: Any) -> Markup:
        return self._languages[self.language](key, **values)

    def __contains__(self, key: str) -> bool:
        return key in self._languages[self.language]

    def text(self, key: str, /, **values: Any) -> str:
        return self._languages[self.language].text(key, **values)

    @property
    def language(self) -> str:
        """Which is spoken at present."""
        chosen = _language.get()
        return chosen if chosen in self._languages else self._own

    def names(self) -> Mapping[str, str]:
        """The languages by their tags, each as it calls itself."""
        return {tag: said.text("site.language") for tag, said in self._languages.items()}

    def speak(self, language: str) -> None:
        """From now on to whoever is answered; the site's own if there is none of that name."""
        _language.set(language or self._own)

    def asked_for(self, header: str) -> str:
        """What a browser's Accept-Language likes best of what there is (RFC 9110 section 12.5.4)."""
        weights: dict[str, float] = {}
        for one in header[:500].split(","):
            if found := _WEIGHED.fullmatch(one):
                weights.setdefault(found[1].lower(), float(found[2] or 1))
        liked = [(weight, -at, tag) for at, (tag, weight) in enumerate(weights.items()) if weight]
        for _, _, tag in sorted(liked, reverse=True):
            if tag == "*":
                break
            for known in self._languages:
                if known.lower() == tag:
                    return known
            for known in self._languages:
                if known.lower().partition("-")[0] == tag.partition("-")[0]:
                    return known
        return self._own


class InTheirLanguage:
    """Has the app speak what a browser asks for, until it is known which reader it is."""

    def __init__(self, app: ASGIApp, speaker: Speaker) -> None:
        self._app, self._speaker = app, speaker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._speaker.speak(self._speaker.asked_for(Headers(scope=scope).get("accept-language", "")))
        await self._app(scope, receive, send)


class Pages:
    """Renders templates of `web/`; the operator's folder comes before ours. `links` are the menu: path and the key of
    its name."""

    def __init__(self, folders: Sequence[Path], phrases: PagePhrases, links: Mapping[str, str] | None = None) -> None:
        self.phrases = phrases
        self._environment = Environment(
            loader=FileSystemLoader([folder / "web" for folder in folders]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.globals.update(here="", links=dict(links or {}), say=phrases, en=self._in_english)
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
        card: PageCard | None = None,
        before: str | None = None,
        after: str | None = None,
        context_objects: Sequence[str] = (),
    ) -> HTMLResponse:
        """An edition's HTML as a page of the site: with its bar above, and as the page's main part. `before` and
        `after` are the paths of the editions beside it, `context_objects` its papers for reference managers."""
        template = self._environment.get_template("edition.html")
        spoken, written = self.phrases.text("site.lang"), _WRITTEN.search(mail)
        marks = dict.fromkeys(("spoken", "original"), Markup())
        if written and written[2] != spoken:
            # the page speaks one language, and the edition in it another
            mail = f"{mail[: written.start(2)]}{spoken}{mail[written.end(2) :]}"
            marks = {"spoken": Markup(' lang="{}"').format(spoken), "original": Markup(' lang="{}"').format(written[2])}
        context = template.new_context(
            {
                "draft": draft,
                "card": card,
                "before": before,
                "after": after,
                "context_objects": context_objects,
                **marks,
            }
        )
        added, above, below = ("".join(template.blocks[name](context)) for name in ("head", "above", "below"))
        head, body = _HEAD_ENDS.search(mail), _BODY.search(mail)
        if head and body:
            shown, closing, end = mail[body.end() :].rpartition("</body>")
            if closing:
                mail = mail[: head.start()] + added + mail[head.start() : body.end()] + above + shown + below
                mail += closing + end
        return HTMLResponse(mail)

    def _in_english(self) -> Markup:
        """What marks an element as English on a page in another language: what papers and their topics say is."""
        return Markup() if self.phrases.text("site.lang") == "en" else Markup(' lang="en"')

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
    headers["Vary"] = "Accept-Language"
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
