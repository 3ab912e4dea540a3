"""Letters: the mails to one reader alone, such as a confirmation. Each is rendered once for a newsletter; after that,
only what is the reader's own is put in.

The words of a letter are the table `letter.KIND` of words.toml, for each of `KINDS`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.header import Header
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from flows.editions.model import Newsletter
from flows.mail import encode, look
from flows.mail.assemble import recipient
from flows.mail.cards import feedback_id, originator
from flows.mail.colour import AA
from flows.mail.document import DARK, LIGHT, VIVID, accent_of, canonical, cut
from flows.mail.language import MailPhrases, short_date
from flows.mail.model import Message, Opening, Site

KINDS = ("confirm", "known", "welcome", "link", "private", "address", "moved")
DECLINABLE = frozenset({"confirm", "address"})
"""What goes to addresses that strangers typed: it has a link by which its reader never gets such a mail again."""

_MARK = "place" + hashlib.sha256(b"letters").hexdigest()[:20]
"""What a place for the reader's own begins with: no word or title holds it."""
_PLACE = re.compile(rf"{_MARK}_(\w+?)_")
_OWN = re.compile(r"[\w/-]*", re.ASCII)
_MESSAGE_ID = re.compile(r"[!-;=?-~]{3,200}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """What is one reader's own in a letter."""

    address: str
    path: str
    """Where the button leads, within the site: "confirm/TOKEN"; empty: to the first page."""
    message_id: str
    """Without angle brackets; the same for every attempt."""
    date: dt.datetime
    """When the letter is made, aware."""
    unsubscribe: str = ""
    """The token of the one-click unsubscribe link, for who is subscribed; empty: the letter offers none."""
    return_path: str = ""
    """Where this letter's bounce goes; empty: where all go."""


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A letter with places for what is the reader's own."""

    headers: bytes
    boundary: bytes
    html: str
    text: str


class Letters:
    """The letters of one site, in the look of `folders`: the first that has a template wins.

    `values` are what the words may name besides `newsletter`, `host` and `sender`, such as the days that a link works.
    """

    def __init__(self, site: Site, phrases: MailPhrases, folders: Sequence[Path], values: Mapping[str, Any]) -> None:
        self._site = site
        self._phrases = phrases
        self._environment = look.environment(folders)
        self._values = {"host": urlsplit(site.public_url).netloc, "sender": parseaddr(site.sender)[1], **values}
        self._rendered = lru_cache(maxsize=256)(self._render)
        self._opening = lru_cache(maxsize=64)(self._render_opening)

    def write(self, kind: str, newsletter: Newsletter, to: Addressee) -> Message:
        """The letter of a kind for a reader of `newsletter`: RFC 5322, multipart/alternative with the plain text first.

        CRLF throughout, no line that begins with a dot, none in a body above 76 characters. Raises ValueError for an
        address, path or Message-ID that can't stand in it; Problem, jinja2.TemplateError or KeyError for a sender, a
        template or words that are wrong.
        """
        if not (_OWN.fullmatch(to.path + to.unsubscribe) and _MESSAGE_ID.fullmatch(to.message_id)):
            raise ValueError("a path and a token are base64url and slashes, a Message-ID printable ASCII without <>")
        rendered = self._rendered(kind, newsletter, bool(to.unsubscribe))
        own = {"path": to.path, "unsubscribe": to.unsubscribe}
        delimiter = b"\r\n--" + rendered.boundary
        content = [
            rendered.headers,
            b"To: ",
            recipient(to.address),
            b"\r\nDate: ",
            format_datetime(to.date.replace(microsecond=0)).encode(),
            b"\r\nMessage-ID: <",
            to.message_id.encode(),
            b">\r\n",
        ]
        if to.unsubscribe:
            address = f"{self._site.public_url}/unsubscribe/{to.unsubscribe}".encode()
            content += [b"List-Unsubscribe: <", address, b">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"]
        for form, body in ((b"plain", rendered.text), (b"html", rendered.html)):
            content += [
                delimiter,
                b"\r\nContent-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
                % form,
                encode.quoted_printable(_filled(body, own)),
            ]
        content += [delimiter, b"--\r\n"]
        sender = to.return_path or self._site.return_path
        return Message(sender=sender, recipient=to.address, content=b"".join(content))

    def opening(self, newsletter: Newsletter, day: dt.date, token: str) -> Opening:
        """What a new reader is told above the papers of the edition of `day`; `token` is for their own pages."""
        if not _OWN.fullmatch(token):
            raise ValueError("a token is base64url")
        html, text = (_filled(form, {"path": f"manage/{token}"}) for form in self._opening(newsletter))
        said = short_date(day, self._phrases)
        subject = self._phrases.text("letter.welcome.edition", **self._told(newsletter), day=said)
        wire = encode.references(html)
        return Opening(
            subject=_subject(subject),
            html=wire,
            text=b"\r\n" + encode.quoted_printable(text) + b"\r\n",
            size=len(wire),
        )

    def _render(self, kind: str, newsletter: Newsletter, subscribed: bool) -> _Rendered:
        boundary = b"=_" + hashlib.sha256(f"{kind} {newsletter.slug}".encode()).hexdigest()[:24].encode()
        unsubscribe = f"{self._site.public_url}/unsubscribe/{_place('unsubscribe')}" if subscribed else ""
        html, text = self._documents(
            "letter", newsletter, words=f"letter.{kind}", unsubscribe=unsubscribe, never=kind in DECLINABLE
        )
        subject = self._phrases.text(f"letter.{kind}.subject", **self._told(newsletter))
        lines = (
            b"From: " + originator(self._site.sender),
            b"MIME-Version: 1.0",
            b'Content-Type: multipart/alternative;\r\n boundary="%s"' % boundary,
            b"Auto-Submitted: auto-generated",  # RFC 3834 section 5
            feedback_id(newsletter.slug, "letter", self._site.sender),
            _subject(subject),
        )
        return _Rendered(b"".join(line + b"\r\n" for line in lines), boundary, canonical(html), text)

    def _render_opening(self, newsletter: Newsletter) -> tuple[str, str]:
        html, text = (
            dict(cut(made, _MARK))["opening", ""] for made in self._documents("opening", newsletter, cut=_cut)
        )
        return canonical(html).strip(), text.strip()

    def _documents(self, name: str, newsletter: Newsletter, **more: Any) -> tuple[str, str]:
        """A template's two forms, the HTML inlined."""
        html, text = (self._environment.get_template(f"email/letter/{name}.{form}") for form in ("html", "txt"))
        shared = {
            "newsletter": newsletter,
            "site": self._site,
            "language": self._phrases.text("site.lang"),
            "values": self._told(newsletter),
            "link": f"{self._site.public_url}/{_place('path')}",
            "accent": accent_of(newsletter, LIGHT, AA),
            "accent_dark": accent_of(newsletter, DARK, VIVID),
            **more,
        }
        said = self._phrases
        return look.inline(html.render(shared, say=said)), text.render(shared, say=said.text)

    def _told(self, newsletter: Newsletter) -> dict[str, Any]:
        return {"newsletter": look.tidy(newsletter.title), **self._values}


def _place(name: str) -> str:
    return f"{_MARK}_{name}_"


def _cut(kind: str) -> Markup:
    return Markup(f"<!--{_MARK} {kind} -->")  # noqa: S704 - a template's own word


def _filled(source: str, own: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda place: own[place[1]], source)


def _subject(text: str) -> bytes:
    """A Subject field, folded where it is too long for a line."""
    plain = text.isascii() and text.isprintable() and "=?" not in text
    header = Header(text, "us-ascii" if plain else "utf-8", maxlinelen=76, header_name="Subject")
    return b"Subject: " + header.encode(linesep="\r\n").encode("ascii")
