"""The demonstration's mailbox: a mail server that keeps what it takes, and pages that show it."""

from __future__ import annotations

import asyncio
import email.policy
import mailbox
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from subscribers.pages import Pages

SHOWN = 200
"""The newest messages are listed, so many at most."""


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
        rows = await asyncio.to_thread(_newest, folder)
        return pages("inbox.html", rows=rows)

    async def message(request: Request) -> Response:
        found = await asyncio.to_thread(_read, folder, request.path_params["key"])
        return pages("message.html", key=request.path_params["key"], message=found)

    async def html(request: Request) -> Response:
        found = await asyncio.to_thread(_read, folder, request.path_params["key"])
        part = found.get_body(("html", "plain"))
        # whatever a mail holds, it runs no script, sends no form and opens links in a window of their own
        policy = (
            "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
            "img-src data:; frame-ancestors 'self'"
        )
        return HTMLResponse(part.get_content() if part else "", headers={"Content-Security-Policy": policy})

    async def source(request: Request) -> Response:
        found = await asyncio.to_thread(_read, folder, request.path_params["key"])
        part = found.get_body(("plain",)) if request.path_params["form"] == "text" else None
        return PlainTextResponse(part.get_content() if part else found.as_string())

    return [
        Route("/inbox", listing),
        Route("/inbox/{key}", message),
        Route("/inbox/{key}/html", html),
        Route("/inbox/{key}/{form:str}", source),
    ]


def _newest(folder: Path) -> list[dict[str, str]]:
    box = mailbox.Maildir(folder)
    keys = sorted(box.keys(), key=lambda key: key.split(".")[0], reverse=True)[:SHOWN]
    rows = []
    for key in keys:
        found = _read(folder, key)
        date = parsedate_to_datetime(str(found["Date"])) if found["Date"] else None
        rows.append(
            {
                "key": key,
                "subject": str(found["Subject"]),
                "to": str(found["To"]),
                "sender": str(found["From"]),
                "date": f"{date:%d %b %Y, %H:%M}" if date else "",
            }
        )
    return rows


def _read(folder: Path, key: str) -> EmailMessage:
    box = mailbox.Maildir(folder)
    try:
        raw = box.get_bytes(key)
    except KeyError:
        raise HTTPException(404, "There is no such message in the inbox any more.") from None
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)  # noqa: S101 - what the default policy makes
    return found
