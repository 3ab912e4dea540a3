"""An edition's cards: its document rendered and inlined once, cut into fragments, and each encoded for the wire."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import replace
from email.utils import formataddr, parseaddr
from pathlib import Path
from urllib.parse import quote, urlsplit

from markupsafe import escape

from flows.editions.model import FOR_YOU, Edition, Entry, Kind, Newsletter, Topic
from flows.mail import encode, look
from flows.mail.document import Tale, canonical, cut, documents, mark, outline
from flows.mail.model import (
    COUNT_ROOM,
    TOKEN_ROOM,
    Block,
    Card,
    Cards,
    Fragment,
    Frame,
    Heading,
    Line,
    Pieces,
    Site,
    Slot,
    Story,
)
from flows.mail.packed import pack, unpack
from flows.outcomes import Problem

__all__ = ["pack", "render", "unpack"]

_TAG = re.compile(r"<(/?)(?!br\b|img\b|hr\b)[a-z]")


def render(
    edition: Edition, newsletter: Newsletter, topics: Sequence[Topic], site: Site, folders: Sequence[Path]
) -> Cards:
    """The cards of `edition` in the newsletter's look. Templates are searched in `folders`, the first wins.

    Every topic that a paper has, second choices included, gets its heading. Raises Problem for a look, an accent or a
    sender that cannot be used, jinja2.TemplateError or ValueError for a template that is wrong.
    """
    secret = mark(edition)
    groups = outline(edition, topics)
    html, text = (dict(cut(made, secret)) for made in documents(edition, newsletter, groups, site, folders))

    def fragment(*kinds: str, key: str = "") -> Fragment:
        try:
            sources = ["".join(made[kind, key] for kind in kinds) for made in (html, text)]
        except KeyError as error:
            raise ValueError(f"a template marks no fragment {error}") from error
        return _fragment(*sources, secret=secret)

    def frame(kind: str, key: str = "") -> Frame:
        return Frame(before=_block(fragment(kind, key=key)), after=_block(fragment(f"{kind}_end", key=key)))

    def story(tale: Tale) -> Story:
        around = frame("story", tale.key)
        return Story(before=around.before, after=around.after, papers=frozenset(tale.papers))

    def heading(slug: str, group: str, tales: Sequence[Tale] = ()) -> Heading:
        line, block = _line_of(fragment("line", key=slug), Slot.COUNT), _block(fragment("topic", key=slug))
        told = tuple(story(tale) for tale in tales)
        size = line.size + block.size + COUNT_ROOM + sum(one.before.size + one.after.size for one in told)
        return Heading(group=group, line=line, block=block, stories=told, size=size)

    headings = {topic.slug: heading(topic.slug, group.key, topic.stories) for group in groups for topic in group.topics}
    headings[FOR_YOU] = heading(FOR_YOU, "")
    named = {group.key: _block(fragment("group", key=group.key)) for group in groups}
    ranked = sorted(edition.entries, key=lambda entry: (-entry.score, entry.paper.id))
    boundary = _boundary(edition)
    return Cards(
        sender=_plain(site.return_path),
        headers=_headers(newsletter, site, boundary),
        boundary=boundary,
        subject=_subject(edition, newsletter),
        unsubscribe=f"{_plain(site.public_url)}/unsubscribe/".encode("ascii"),
        mailbox=_mailbox(site),
        head=fragment("head"),
        around_best=frame("best"),
        best={paper: _block(fragment("best", key=paper)) for paper in edition.best if ("best", paper) in html},
        contents=_block(fragment("contents")),
        middle=fragment("middle"),
        more=fragment("more"),
        foot=fragment("close", "foot", "end"),
        page_foot=fragment("close", "page_foot", "end"),
        why=_line_of(fragment("why"), Slot.REASONS),
        headings=sum(block.size for block in named.values()) + sum(topic.size for topic in headings.values()),
        groups=named,
        topics=headings,
        papers={
            entry.paper.id: _card(entry, rank, _block(fragment("card", key=entry.paper.id)))
            for rank, entry in enumerate(ranked)
        },
    )


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
    return Fragment(html=_pieces(html, secret), text=_pieces(text, secret), size=_size(html, secret))


def _whole(line: str) -> bool:
    """Whether as many elements end on the line as begin."""
    tags = _TAG.findall(line)
    return tags.count("") == tags.count("/")


def _pieces(source: str, secret: str) -> Pieces:
    literals = re.split(rf"{secret}_(\w+?)_", source)
    pieces: list[bytes | Slot] = []
    for i, literal in enumerate(literals):
        if i % 2:
            pieces.append(Slot(literal))
            continue
        # A slot's value ends without a line break: what follows it begins on a line of its own.
        start = b"" if i == 0 or literal.startswith("\n") else encode.SOFT
        pieces.append(start + encode.quoted_printable(literal, goes_on=i < len(literals) - 1))
    if isinstance(last := pieces[-1], bytes) and not last.endswith(b"\n"):
        pieces[-1] = last + b"\r\n" if last else last
    return tuple(pieces)


def _size(source: str, secret: str) -> int:
    tokens = sum(source.count(f"{secret}_{slot}_") for slot in (Slot.UNSUBSCRIBE, Slot.MANAGE))
    shown = re.sub(rf"{secret}_\w+?_", "", source)
    return len(shown.encode()) + shown.count("\n") + tokens * TOKEN_ROOM


def _block(fragment: Fragment) -> Block:
    return Block(html=_spliced(fragment.html), text=_spliced(fragment.text), size=fragment.size)


def _spliced(pieces: Pieces) -> tuple[bytes, ...]:
    if set(pieces[1::2]) <= {Slot.MANAGE}:
        return tuple(piece for piece in pieces if isinstance(piece, bytes))
    raise ValueError("groups, headings and cards have no place for what is the reader's own but slot.manage")


def _line_of(fragment: Fragment, place: Slot) -> Line:
    match fragment.html, fragment.text:
        case (bytes(a), one, bytes(b)), (bytes(c), other, bytes(d)) if one == other == place:
            return Line(html=(a, b), text=(c, d), size=fragment.size)
    raise ValueError(f"a line of the contents has one place, slot.count, and why another: slot.{place} is missed")


def _card(entry: Entry, rank: int, block: Block) -> Card:
    short = look.short_name(entry.paper)
    return Card(
        html=block.html,
        text=block.text,
        size=block.size,
        rank=rank,
        topic=entry.topic,
        subject=encode.words(short),
        name=encode.quoted_printable(str(escape(short))),
    )


def _mailbox(site: Site) -> bytes:
    """RFC 6068, to be followed by a token."""
    if not site.unsubscribe_mailbox:
        return b""
    address = quote(_plain(site.unsubscribe_mailbox), safe="@!$'*+-._~")
    return f"mailto:{address}?subject=unsubscribe%20".encode("ascii")


def _subject(edition: Edition, newsletter: Newsletter) -> bytes:
    # The last words are plain ASCII: between two encoded words a reader sees no space (RFC 2047 section 6.2).
    day = look.short_date(edition.day)
    title = encode.words(f"{look.tidy(newsletter.title)},")
    return b"Subject: %s %s:" % (title, (f"week to {day}" if edition.kind is Kind.WEEKLY else day).encode())


def _headers(newsletter: Newsletter, site: Site, boundary: bytes) -> bytes:
    url = _plain(site.public_url).encode("ascii")
    title = encode.phrase(look.tidy(newsletter.title))
    identifier = f"{newsletter.slug}.{_host(site.public_url)}".encode("ascii")
    return b"".join(
        line + b"\r\n"
        for line in (
            b"From: " + originator(site.sender),
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
