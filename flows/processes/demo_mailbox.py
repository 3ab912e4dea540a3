"""The demonstration's mailbox: a mail server that keeps what it takes, and pages that show it.

A mail is a stranger's: whatever it holds, it runs nothing, loads nothing, and can't break the page that shows it.
"""

from __future__ import annotations

import asyncio
import email.policy
import html as markup
import mailbox
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import TypeVar

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from subscribers.web.pages import Pages

T = TypeVar("T")

SHOWN = 200
"""The newest messages are listed, so many at most."""

HEADERS = ("From", "To", "Date", "List-ID", "List-Unsubscribe")

POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; frame-ancestors 'self'"
)
"""A mail's HTML runs no script, sends no form, and is framed by this site alone."""

HERE = (Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]),)
"""A page elsewhere whose name leads to this machine reads nothing: the mails hold readers' links."""

_OUTWARD = re.compile(r"<a\s(?=[^>]*\bhref\s*=\s*[\"']?https?:)", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A kept message, as far as it can be read."""

    key: str
    subject: str
    headers: Mapping[str, str]
    html: str
    text: str


class _Keep:
    """Keeps every message in a maildir before it says that it took it."""

    def __init__(self, folder: Path) -> None:
        self._box = mailbox.Maildir(folder)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        await asyncio.to_thread(self._box.add, content if isinstance(content, bytes) else str(content).encode())
        return "250 2.0.0 kept"


def mail_server(folder: Path, port: int) -> Controller:
    """A mail server on this machine alone, started and stopped by its caller; it takes mail for everybody."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return Controller(_Keep(folder), hostname="127.0.0.1", port=port)


def routes(folder: Path, pages: Pages) -> Sequence[BaseRoute]:
    """Pages that list the mailbox and show a message: as it looks, as text, as it came."""

    async def listing(request: Request) -> Response:
        keys = await asyncio.to_thread(_keys, folder)
        rows = await asyncio.to_thread(lambda: [_row(folder, key) for key in keys[:SHOWN]])
        return pages("inbox.html", rows=[row for row in rows if row], more=max(len(keys) - SHOWN, 0))

    async def looks(request: Request) -> Response:
        return pages("message.html", message=read(*await _wanted(request)), view="")

    async def text(request: Request) -> Response:
        message = read(*await _wanted(request))
        words = message.text or pages.phrases("message.no_text")
        return pages("message.html", message=message, view="/text", words=words)

    async def source(request: Request) -> Response:
        key, raw = await _wanted(request)
        words = raw.decode("utf-8", "replace")
        return pages("message.html", message=read(key, raw), view="/source", words=words)

    async def html(request: Request) -> Response:
        message = read(*await _wanted(request))
        return HTMLResponse(outward(message.html), headers={"Content-Security-Policy": POLICY})

    async def eml(request: Request) -> Response:
        _, raw = await _wanted(request)
        return Response(raw, media_type="message/rfc822", headers={"Content-Disposition": "attachment"})

    async def _wanted(request: Request) -> tuple[str, bytes]:
        key = request.path_params["key"]
        try:
            return key, await asyncio.to_thread(_raw, folder, key)
        except KeyError:
            raise HTTPException(404, pages.phrases.text("message.gone")) from None

    shown = {"": looks, "/text": text, "/source": source, "/html": html, "/eml": eml}
    return [
        Route("/inbox", listing, middleware=HERE),
        *(Route(f"/inbox/{{key}}{end}", page, middleware=HERE) for end, page in shown.items()),
    ]


def outward(html: str) -> str:
    """A mail's HTML for a frame, within which there is no going elsewhere: a link leads to a window of its own."""
    return _OUTWARD.sub('<a target="_blank" ', html)


def newest(folder: Path) -> str:
    """The path of the newest message's page; of the list where there is none."""
    return "/".join(("/inbox", *_keys(folder)[:1]))


def _keys(folder: Path) -> list[str]:
    """The keys of all messages, the newest first: a key begins with seconds and microseconds."""
    try:
        keys = mailbox.Maildir(folder, create=False).keys()
    except mailbox.NoSuchMailboxError:
        return []
    return sorted(keys, key=lambda key: [int(number) for number in _NUMBER.findall(key)[:2]], reverse=True)


def _row(folder: Path, key: str) -> Mapping[str, str] | None:
    """A line of the list; none for a message that was deleted meanwhile."""
    try:
        found = _parsed(_raw(folder, key))
    except KeyError:
        return None
    return {
        "key": key,
        "subject": _subject(found),
        "sender": _header(found, "From"),
        "to": _header(found, "To"),
        "date": _date(found),
    }


def _raw(folder: Path, key: str) -> bytes:
    try:
        return mailbox.Maildir(folder, create=False).get_bytes(key)
    except (FileNotFoundError, mailbox.NoSuchMailboxError):
        raise KeyError(key) from None


def read(key: str, raw: bytes) -> Mail:
    """A message of any bytes whatever."""
    found = _parsed(raw)
    subject, plain = _subject(found), _body(found, "plain")
    page = f"<!DOCTYPE html><title>{markup.escape(subject)}</title><pre>{markup.escape(plain)}</pre>"
    return Mail(
        key=key,
        subject=subject,
        headers={name: value for name in HEADERS if (value := _header(found, name))},
        html=_body(found, "html") or page,
        text=plain,
    )


def _parsed(raw: bytes) -> EmailMessage:
    return BytesParser(EmailMessage, policy=email.policy.default).parsebytes(raw)


def _attempt(work: Callable[[], T], otherwise: T) -> T:
    """What the standard library makes of a message, or what stands for it: over mail that breaks the rules it raises
    errors of a dozen kinds."""
    try:
        return work()
    except Exception:
        return otherwise


def _header(found: EmailMessage, name: str) -> str:
    return _clean(_attempt(lambda: str(found[name] or ""), "(unreadable)"))


def _subject(found: EmailMessage) -> str:
    return _header(found, "Subject").strip() or "(no subject)"


def _date(found: EmailMessage) -> str:
    """As the list shows it; nothing for a date that is none."""
    return _attempt(lambda: f"{found['Date'].datetime:%d %b %Y, %H:%M %Z}", "")


def _body(found: EmailMessage, form: str) -> str:
    part = _attempt(lambda: found.get_body((form,)), None)
    if part is None:
        return ""

    def as_bytes() -> str:
        content = part.get_payload(decode=True)
        return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""

    return _clean(_attempt(part.get_content, None) or _attempt(as_bytes, ""))


def _clean(text: str) -> str:
    """Without halves of characters, which no answer can hold."""
    return text.encode("utf-8", "replace").decode()
