"""Fragments to one reader's message. Joining bytes is all that happens here, for it happens once per reader.

No template, no I/O, no clock.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import format_datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from flows.editions.model import Digest, Part
from flows.mail import encode
from flows.mail.model import (
    COUNT_ROOM,
    TOKEN_ROOM,
    Block,
    Card,
    Cards,
    Fragment,
    Line,
    Message,
    Opening,
    Pieces,
    Reader,
    Slot,
    Spliced,
)
from flows.mail.reasons import written
from flows.papers.model import PaperId

LIMIT = 100_000
"""Bytes of HTML, decoded: Gmail clips what is longer than 102 kB, the unsubscribe link with it."""

_SLOTS = 1_500
"""Room for what stands in the slots of head and foot: three short titles, counts."""
_NAMES = 3
_NOBODY = b"=00"
"""Stands for the token where there is no reader: no document holds this character."""
_BETWEEN = encode.SOFT + encode.quoted_printable(" · ", goes_on=True)
_RANK, _HTML, _TEXT, _SIZE = attrgetter("rank"), attrgetter("html"), attrgetter("text"), attrgetter("size")

# RFC 5322 section 3.4.1: a dot-atom or a quoted string, @, a domain or its literal.
_ADDRESS = re.compile(
    r"""(?:[\w.!#$%&'*+/=?^`{|}~-]+|"(?:[^"\\\x00-\x1f\x7f]|\\[ -~])+")@(?:[\w.-]+|\[[\w.:]+\])""", re.ASCII
)
_TOKEN = re.compile(rf"[\w-]{{1,{TOKEN_ROOM}}}", re.ASCII)
_MESSAGE_ID = re.compile(r"[!-;=?-~]{3,200}")


def assemble(cards: Cards, digest: Digest, reader: Reader, opening: Opening | None = None) -> Message:
    """The message of `digest` for `reader`: RFC 5322, multipart/alternative with the plain text first. An `opening`
    stands before the papers, and its subject in place of the edition's.

    CRLF throughout, no line that begins with a dot, none in a body above 76 characters. HTML that would exceed `LIMIT`
    bytes ends after the last card that fits and says how many papers more are on the web; the text lists the same.
    Raises ValueError for an empty digest and for an address, token or Message-ID that a header cannot hold.
    """
    to = recipient(reader.address)
    if not (_TOKEN.fullmatch(reader.unsubscribe) and _TOKEN.fullmatch(reader.manage)):
        raise ValueError(f"a token is base64url of at most {TOKEN_ROOM} characters")
    if not _MESSAGE_ID.fullmatch(reader.message_id):
        raise ValueError("a Message-ID is printable ASCII without <>")
    token = reader.unsubscribe.encode()
    body = _join(cards, digest, cards.foot, token, reader.manage.encode(), LIMIT, opening)
    first = body.best[0].subject
    more = b"and %d more" % (body.size - 1) if body.size > 1 else b""
    # Folded only where one line would be too long (RFC 5322 section 2.1.1).
    fold = b" " if len(cards.subject) + len(first) + len(more) <= 76 else b"\r\n "
    delimiter = b"\r\n--" + cards.boundary
    content = [
        cards.headers,
        b"To: ",
        to,
        b"\r\nDate: ",
        _date(reader.date.replace(microsecond=0)),
        b"\r\nMessage-ID: <",
        reader.message_id.encode(),
        b">\r\n",
        opening.subject if opening else b"".join((cards.subject, fold, first, fold + more if more else b"")),
        b"\r\nList-Unsubscribe: <",  # RFC 2369 section 3.2
        cards.unsubscribe,
        token,
        b">,\r\n <%s%s>" % (cards.mailbox, token) if cards.mailbox else b">",
        b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",  # RFC 8058 section 3.1
        delimiter,
        b"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
        *body.text,
        delimiter,
        b"\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
        *body.html,
        delimiter,
        b"--\r\n",
    ]
    return Message(sender=cards.sender, recipient=reader.address, content=b"".join(content))


def recipient(address: str) -> bytes:
    """The address as a To header holds it; raises ValueError for one that it can't."""
    if not (_ADDRESS.fullmatch(address) and len(address) <= 320):
        raise ValueError(f"{address[:80]!r} is not a plain ASCII address that a To header can hold")
    return address.encode()


def page(cards: Cards, digest: Digest) -> str:
    """The whole digest as an HTML page without the reader's own links, for previews and the archive."""
    return _public(_join(cards, digest, cards.page_foot).html)


def plain(cards: Cards, digest: Digest) -> str:
    """The whole digest as plain text without the reader's own links."""
    return _public(_join(cards, digest, cards.page_foot).text)


def _public(body: list[bytes]) -> str:
    """The body's text without the lines that hold the token of the reader's own pages."""
    lines = encode.decoded(b"".join(body)).split("\n")
    return "\n".join(line for line in lines if "\0" not in line)


@dataclass(slots=True)
class _Bodies:
    html: list[bytes]
    text: list[bytes]
    best: list[Card]
    """The best of the papers shown, at most four: those that the reader follows first."""
    size: int
    """How many papers the digest has, those that did not fit included."""


def _join(
    cards: Cards,
    digest: Digest,
    foot: Fragment,
    unsubscribe: bytes = b"",
    manage: bytes = _NOBODY,
    limit: int = 1 << 40,
    opening: Opening | None = None,
) -> _Bodies:
    """Both bodies, their HTML at most `limit` bytes once decoded."""
    size = digest.size
    if not size:
        raise ValueError(f"an empty digest makes no message: {digest.reason or 'no reason given'}")
    deck, topics, groups = cards.papers, cards.topics, cards.groups
    why = _why(cards.why, digest.parts[0])
    chosen = [deck[paper] for part in digest.parts for paper in part.papers]
    room = limit - _SLOTS - foot.size - (opening.size if opening else 0)
    parts, shown = _fitting(cards, digest, chosen, why, room)
    left = size - len(shown)
    best = [*shown[: len(why)], *sorted(shown[len(why) :], key=_RANK)][: 1 + _NAMES]
    values: dict[Slot, bytes] = {
        Slot.UNSUBSCRIBE: unsubscribe,
        Slot.MANAGE: manage,
        Slot.PAPERS: b"1 paper" if size == 1 else b"%d papers" % size,
        Slot.TOPICS: _topics(digest, chosen[: len(why)]),
        Slot.MORE: b"1 more paper" if left == 1 else b"%d more papers" % left,
        Slot.NAMES: _BETWEEN.join([card.name for card in best[1:] or best]),
        Slot.OPENING: opening.html if opening else b"",
    }
    html = _filled(cards.head.html, values)
    html_middle = _filled(cards.middle.html, values)
    values[Slot.OPENING] = opening.text if opening else b""
    text = _filled(cards.head.text, values)
    blocks: list[Block | _Why] = []
    group, start = "", 0
    for part in parts:
        heading = topics[part.topic]
        end = start + len(part.papers)
        count = b"%d" % (end - start)
        before, after = heading.line.html
        html += (before, count, after)
        before, after = heading.line.text
        text += (before, count, after)
        if heading.group != group:
            group = heading.group
            blocks.append(groups[group])
        blocks.append(heading.block)
        if part.reasons:
            for paper, card in zip(part.papers, shown[start:end], strict=True):
                blocks += (why[paper], card)
        else:
            blocks += shown[start:end]
        start = end
    html += html_middle
    text += _filled(cards.middle.text, values)
    html += _spliced(map(_HTML, blocks), manage)
    text += _spliced(map(_TEXT, blocks), manage)
    for fragment in (cards.more, foot) if left else (foot,):
        html += _filled(fragment.html, values)
        text += _filled(fragment.text, values)
    return _Bodies(html=html, text=text, best=best, size=size)


class _Why(NamedTuple):
    """What stands before a card: a block of this reader's own."""

    html: Spliced
    text: Spliced
    size: int


def _why(around: Line, part: Part) -> Mapping[PaperId, _Why]:
    """Of the papers that the reader follows, which come first, the reasons."""
    found = {}
    for paper, reasons in part.reasons.items():
        html, text, size = written(reasons)
        found[paper] = _Why((html.join(around.html),), (text.join(around.text),), size + around.size)
    return found


def _topics(digest: Digest, followed: Sequence[Card]) -> bytes:
    """In how many topics the papers are; those that the reader follows stand apart from theirs."""
    if followed:
        topics = {part.topic for part in digest.parts[1:]}
        topics.update([card.topic for card in followed])
        count = len(topics)
    else:
        count = len(digest.parts)
    return b"1 topic" if count == 1 else b"%d topics" % count


def _spliced(blocks: Iterable[Spliced], token: bytes) -> list[bytes]:
    """The blocks in one list, the token in its places."""
    pieces: list[bytes] = []
    for block in blocks:
        if len(block) == 2:  # nearly all: to join these apart would copy them once more
            pieces += (block[0], token, block[1])
        else:
            pieces.append(token.join(block))
    return pieces


def _filled(pieces: Pieces, values: Mapping[Slot, bytes]) -> list[bytes]:
    filled: list[Any] = list(pieces)
    filled[1::2] = map(values.__getitem__, filled[1::2])
    return filled


def _fitting(
    cards: Cards, digest: Digest, chosen: Sequence[Card], why: Mapping[PaperId, _Why], room: int
) -> tuple[Sequence[Part], Sequence[Card]]:
    """The digest's parts and cards up to the last card that fits into `room` bytes of HTML."""
    room -= cards.head.size + cards.middle.size + cards.more.size
    if sum(map(_SIZE, chosen)) + sum(map(_SIZE, why.values())) + cards.headings <= room:
        return digest.parts, chosen
    parts: list[Part] = []
    group, shown = "", 0
    for part in digest.parts:
        heading = cards.topics[part.topic]
        room -= heading.line.size + heading.block.size + COUNT_ROOM
        if heading.group != group:
            group = heading.group
            room -= cards.groups[group].size
        fit = 0
        for paper in part.papers:
            room -= cards.papers[paper].size
            if paper in why:
                room -= why[paper].size
            if room < 0:
                break
            fit += 1
        if fit:
            parts.append(replace(part, papers=part.papers[:fit]))
            shown += fit
        if room < 0:
            break
    return parts, chosen[:shown]


@lru_cache(maxsize=8)
def _date(date: dt.datetime) -> bytes:
    return format_datetime(date).encode()
