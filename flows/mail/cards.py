"""An edition's cards: its document rendered and inlined once, cut into fragments, and each encoded for the wire."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from email.utils import formataddr, parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from markupsafe import escape

from flows.editions.model import Edition, Entry, Kind, Newsletter, Topic
from flows.mail import encode, look, offer
from flows.mail.document import GroupTopics as DocumentGroup
from flows.mail.document import Key, canonical, cut, documents, layout_of, mark, outline, ranking
from flows.mail.language import MailPhrases, short_date, words_of
from flows.mail.model import (
    COUNT_ROOM,
    TOKEN_ROOM,
    Block,
    Card,
    Cards,
    Counted,
    Fragment,
    Frame,
    Group,
    Heading,
    Layout,
    Pieces,
    Ranked,
    Remark,
    Site,
    Slot,
)
from flows.mail.packed import pack, unpack
from flows.outcomes import Problem

__all__ = ["pack", "render", "unpack"]

_TOKENS = (Slot.UNSUBSCRIBE, Slot.MANAGE)
_FORMS = {"lead": "lead", "alone": "alone", "listed": "listed", "line": "short"}
"""The forms of a card, and the fragments that hold them."""
LEADING = ("voted", "likely", "best")

_TAG = re.compile(r"<(/?)(?!br\b|img\b|hr\b)[a-z]")


def render(
    edition: Edition,
    newsletter: Newsletter,
    topics: Sequence[Topic],
    site: Site,
    folders: Sequence[Path],
    say: MailPhrases,
) -> Cards:
    """The cards of `edition` in the newsletter's look and in the language of `say`. Templates are searched in
    `folders`, the first wins.

    Every topic that a paper has, second choices included, gets its heading. Raises Problem for a look, an accent or a
    sender that cannot be used, jinja2.TemplateError or ValueError for a template that is wrong.
    """
    secret = mark(edition)
    groups = outline(edition, topics)
    html, text = (dict(cut(made, secret)) for made in documents(edition, newsletter, groups, site, folders, say))

    def fragment(*kinds: str, key: str = "") -> Fragment:
        try:
            sources = ["".join(made[kind, key] for kind in kinds) for made in (html, text)]
        except KeyError as error:
            raise ValueError(f"a template marks no fragment {error}") from error
        return _fragment(*sources, secret=secret)

    def block(kind: str, key: str = "") -> Block:
        return _block(fragment(kind, key=key))

    def frame(kind: str) -> Frame:
        return Frame(before=block(kind), after=block(f"{kind}_end"))

    def group(key: str) -> Group:
        line = _counted(fragment("line", key=key), Slot.COUNT)
        return Group(line=line, heading=_counted(fragment("group", key=key), Slot.COUNT), end=block("group_end", key))

    def topic(slug: str, name: str, its: str) -> Heading:
        heading = _counted(fragment("topic", key=slug), Slot.COUNT)
        return Heading(group=its, name=look.tidy(name), label=block("label", slug), heading=heading)

    def card(entry: Entry, its: Ranked) -> Card:
        paper = entry.paper.id
        forms: dict[str, Any] = {form: block(kind, paper) for form, kind in _FORMS.items()}
        return Card(
            **forms,
            **asdict(its),
            links=encode.quoted_printable(text.get(("links", paper), "")),
            name=look.short_name(entry.paper),
            teaser=encode.references(str(escape(look.teaser(entry.paper)))),
        )

    ranked = ranking(edition)
    boundary = _boundary(edition)
    subject, title = offer.given(edition.subject) if edition.subject else (b"", b"")
    return Cards(
        subject=subject,
        title=title,
        sender=_plain(site.return_path),
        headers=_headers(newsletter, site, boundary),
        boundary=boundary,
        date=_date(edition, say),
        unsubscribe=f"{_plain(site.public_url)}/unsubscribe/".encode("ascii"),
        mailbox=_mailbox(site),
        head=fragment("head"),
        left=fragment("left"),
        opening=fragment("opening"),
        told=Remark(block=block("told"), papers=frozenset(edition.told_of)) if edition.told else None,
        for_you=_counted(fragment("for_you"), Slot.COUNT),
        why=_counted(fragment("why"), Slot.REASONS),
        for_you_end=block("for_you_end"),
        leads={kind: block(kind) for kind in LEADING},
        first=frame("first"),
        other=frame("other"),
        leads_end=block("leads_end"),
        lines=frame("lines"),
        contents=frame("contents"),
        rest=frame("rest"),
        titles=frame("titles"),
        more=fragment("more"),
        foot=fragment("close", "foot", "end"),
        page_foot=fragment("close", "page_foot", "end"),
        groups={one.key: group(one.key) for one in groups},
        topics={its.slug: topic(its.slug, its.name, one.key) for one in groups for its in one.topics},
        papers={entry.paper.id: card(entry, ranked[entry.paper.id]) for entry in edition.entries},
        words=words_of(say),
        layout=_layout(edition, lines=bool(html["lines", ""].strip()), headings=_names_topics(html, groups)),
    )


def _layout(edition: Edition, *, lines: bool, headings: bool) -> Layout:
    layout = layout_of(edition)
    return replace(layout, lines=layout.lines if lines else 0, heading=layout.heading if headings else 0)


def _names_topics(html: Mapping[Key, str], groups: Sequence[DocumentGroup]) -> bool:
    return any(html["topic", topic.slug].strip() for group in groups for topic in group.topics)


def _date(edition: Edition, say: MailPhrases) -> str:
    day = short_date(edition.day, say)
    return say.text("mail.week_short", day=day) if edition.kind is Kind.WEEKLY else day


def addressed(cards: Cards, newsletter: Newsletter, site: Site) -> Cards:
    """The cards of a frozen edition with the sender and the list's addresses as they are set now: a mistake in them
    can be mended. Raises Problem for a sender that can't be used."""
    return replace(
        cards,
        sender=_plain(site.return_path),
        headers=_headers(newsletter, site, cards.boundary),
        unsubscribe=f"{_plain(site.public_url)}/unsubscribe/".encode("ascii"),
        mailbox=_mailbox(site),
    )


def originator(sender: str) -> bytes:
    """The sender as a From header holds it; raises Problem for one that it can't."""
    name, address = parseaddr(_line(sender))
    if "@" not in address or not address.isascii():
        raise Problem(f"The sender {sender[:80]!r} is no address such as Paperround <digest@example.org>.")
    return formataddr((name, address)).encode("ascii")


def _boundary(edition: Edition) -> bytes:
    """The same for the same edition, and never in a body: no "=_" is in quoted-printable (RFC 2045 section 6.7)."""
    key = f"{edition.newsletter} {edition.kind} {edition.day}"
    return b"=_" + hashlib.sha256(key.encode()).hexdigest()[:24].encode()


def _fragment(html: str, text: str, *, secret: str) -> Fragment:
    html = canonical(html)
    for line in html.splitlines():
        if f"{secret}_{Slot.MANAGE}_" in line and not _whole(line):
            shown = line.replace(secret, "…")[:60]
            raise ValueError(f"a line with slot.manage is left out on the web, but begins or ends an element: {shown}")
    pieces = _pieces(html, secret, text=False)
    size = sum(len(piece) if isinstance(piece, bytes) else TOKEN_ROOM * (piece in _TOKENS) for piece in pieces)
    return Fragment(html=pieces, text=_pieces(text, secret, text=True), size=size)


def _whole(line: str) -> bool:
    """Whether as many elements end on the line as begin."""
    tags = _TAG.findall(line)
    return tags.count("") == tags.count("/")


def _pieces(source: str, secret: str, *, text: bool) -> Pieces:
    literals = re.split(rf"{secret}_(\w+?)_", source)
    pieces: list[bytes | Slot] = []
    for i, literal in enumerate(literals):
        if i % 2:
            pieces.append(Slot(literal))
        elif text:
            # A slot's value ends without a line break: what follows it begins on a line of its own.
            start = b"" if i == 0 or literal.startswith("\n") else encode.SOFT
            pieces.append(start + encode.quoted_printable(literal, goes_on=i < len(literals) - 1))
        else:
            pieces.append(encode.references(literal))
    if isinstance(last := pieces[-1], bytes) and not last.endswith(b"\n"):
        pieces[-1] = last + b"\r\n" if last else last
    return tuple(pieces)


def _block(fragment: Fragment) -> Block:
    return Block(html=_spliced(fragment.html), text=_spliced(fragment.text), size=fragment.size)


def _spliced(pieces: Pieces) -> tuple[bytes, ...]:
    if set(pieces[1::2]) <= {Slot.MANAGE}:
        return tuple(piece for piece in pieces if isinstance(piece, bytes))
    raise ValueError("groups, headings and cards have no place for what is the reader's own but slot.manage")


def _counted(fragment: Fragment, place: Slot) -> Counted:
    places = {piece for piece in (*fragment.html, *fragment.text) if isinstance(piece, Slot)}
    html = tuple(piece for piece in fragment.html if isinstance(piece, bytes))
    text = tuple(piece for piece in fragment.text if isinstance(piece, bytes))
    if places <= {place} and len(html) <= 2 and len(text) <= 2:
        return Counted(html=html, text=text, size=fragment.size + COUNT_ROOM)
    raise ValueError(f"a heading, a line of the contents or why has one place at most, slot.{place}")


def _mailbox(site: Site) -> bytes:
    """RFC 6068, to be followed by a token."""
    if not site.unsubscribe_mailbox:
        return b""
    address = quote(_plain(site.unsubscribe_mailbox), safe="@!$'*+-._~")
    return f"mailto:{address}?subject=unsubscribe%20".encode("ascii")


def _headers(newsletter: Newsletter, site: Site, boundary: bytes) -> bytes:
    url = _plain(site.public_url).encode("ascii")
    title = encode.phrase(look.tidy(newsletter.title))
    identifier = f"{newsletter.slug}.{_host(site.public_url)}".encode("ascii")
    return b"".join(
        line + b"\r\n"
        for line in (
            b"From: " + originator(site.sender),
            b"Auto-Submitted: auto-generated",  # RFC 3834 section 5
            b"MIME-Version: 1.0",
            b'Content-Type: multipart/alternative;\r\n boundary="%s"' % boundary,
            b"List-ID: %s\r\n <%s>" % (title, identifier),  # RFC 2919 section 2
            b"List-Archive: <%s/archive>" % url,  # RFC 2369 section 3.6
            b"List-Post: NO",  # RFC 2369 section 3.4
            feedback_id(newsletter.slug, "edition", site.sender),
            b"Precedence: bulk",  # what answering machines look at (RFC 3834 section 2)
        )
    )


def feedback_id(newsletter: str, what: str, sender: str) -> bytes:
    """What Gmail's Postmaster Tools group complaints by: newsletter and kind of mail, then the sender, 5 to 15
    characters that are always the same (https://support.google.com/a/answer/6254652)."""
    domain = parseaddr(sender)[1].rpartition("@")[2].lower()
    letters = "".join(c for c in domain if c.isascii() and c.isalnum())
    name = letters[:15] if len(letters) >= 5 else f"{letters}mail"[:15].ljust(5, "x")
    return f"Feedback-ID: {newsletter}:{what}:{name}".encode("ascii")


def _host(url: str) -> str:
    """What a list's identifier ends in: `localhost` is for lists that have no domain (RFC 2919 section 3)."""
    host = urlsplit(url).hostname or "localhost"
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host
    return "localhost"


def _line(value: str) -> str:
    if not value.isprintable() or not value:
        raise Problem(f"{value[:80]!r} cannot stand in a mail's header: it is empty or holds what cannot be printed.")
    return value


def _plain(value: str) -> str:
    if not _line(value).isascii():
        raise Problem(f"{value[:80]!r} cannot stand in a mail's header: write the domain in its ASCII form (xn--…).")
    return value
