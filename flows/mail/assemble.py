"""Fragments to one reader's message. Joining bytes is all that happens here, for it happens once per reader.

No template, no I/O, no clock.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from functools import lru_cache
from operator import attrgetter

from flows.editions.model import Digest, Part
from flows.mail import encode
from flows.mail.model import COUNT_ROOM, Block, Card, Cards, Fragment, Message, Pieces, Reader, Slot

LIMIT = 100_000
"""Bytes of HTML, decoded: Gmail clips what is longer than 102 kB, the unsubscribe link with it."""

_SLOTS = 1_500
"""Room for what stands in the slots of head and foot: three short titles, a token, counts."""
_NAMES = 3
_BETWEEN = encode.SOFT + encode.quoted_printable(" · ", goes_on=True)
_RANK, _HTML, _TEXT = attrgetter("rank"), attrgetter("html"), attrgetter("text")

# RFC 5322 section 3.4.1: a dot-atom or a quoted string, @, a domain or its literal.
_ADDRESS = re.compile(
    r"""(?:[\w.!#$%&'*+/=?^`{|}~-]+|"(?:[^"\\\x00-\x1f\x7f]|\\[ -~])+")@(?:[\w.-]+|\[[\w.:]+\])""", re.ASCII
)
_TOKEN = re.compile(r"[\w-]{1,60}", re.ASCII)
_MESSAGE_ID = re.compile(r"[!-;=?-~]{3,200}")


def assemble(cards: Cards, digest: Digest, reader: Reader) -> Message:
    """The message of `digest` for `reader`: RFC 5322, multipart/alternative with the plain text first.

    CRLF throughout, no line that begins with a dot, none in a body above 76 characters. HTML that would exceed `LIMIT`
    bytes ends after the last card that fits and says how many papers more are on the web; the text lists the same.
    Raises ValueError for an empty digest and for an address, token or Message-ID that a header cannot hold.
    """
    if not (_ADDRESS.fullmatch(reader.address) and len(reader.address) <= 320):
        raise ValueError(f"{reader.address[:80]!r} is not a plain ASCII address that a To header can hold")
    if not (_TOKEN.fullmatch(reader.unsubscribe) and _MESSAGE_ID.fullmatch(reader.message_id)):
        raise ValueError("a token is base64url of at most 60 characters, a Message-ID printable ASCII without <>")
    token = reader.unsubscribe.encode()
    body = _join(cards, digest, cards.foot, token, LIMIT)
    first = body.best[0].subject
    more = b"and %d more" % (body.size - 1) if body.size > 1 else b""
    # Folded only where one line would be too long (RFC 5322 section 2.1.1).
    fold = b" " if len(cards.subject) + len(first) + len(more) <= 76 else b"\r\n "
    delimiter = b"\r\n--" + cards.boundary
    content = [
        cards.headers,
        b"To: ",
        reader.address.encode(),
        b"\r\nDate: ",
        _date(reader.date.replace(microsecond=0)),
        b"\r\nMessage-ID: <",
        reader.message_id.encode(),
        b">\r\n",
        cards.subject,
        fold,
        first,
        fold + more if more else b"",
        b"\r\nList-Unsubscribe: <",
        cards.unsubscribe,
        token,
        b">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",  # RFC 8058 section 3.1
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


def page(cards: Cards, digest: Digest) -> str:
    """The whole digest as an HTML page with nothing personal in it, for previews and the archive."""
    return encode.decoded(b"".join(_join(cards, digest, cards.page_foot).html))


def plain(cards: Cards, digest: Digest) -> str:
    """The whole digest as plain text with nothing personal in it."""
    return encode.decoded(b"".join(_join(cards, digest, cards.page_foot).text))


@dataclass(slots=True)
class _Bodies:
    html: list[bytes]
    text: list[bytes]
    best: list[Card]
    """The best of the papers shown, at most four."""
    size: int
    """How many papers the digest has, those that did not fit included."""


def _join(cards: Cards, digest: Digest, foot: Fragment, token: bytes = b"", limit: int = 1 << 40) -> _Bodies:
    """Both bodies, their HTML at most `limit` bytes once decoded."""
    size = digest.size
    if not size:
        raise ValueError(f"an empty digest makes no message: {digest.reason or 'no reason given'}")
    fitting = _fitting(cards, digest, limit - foot.size)
    deck, topics, groups = cards.papers, cards.topics, cards.groups
    shown = [deck[paper] for part in fitting.parts for paper in part.papers]
    left = size - len(shown)
    best = sorted(shown, key=_RANK)[: 1 + _NAMES]
    values: dict[Slot, bytes] = {
        Slot.UNSUBSCRIBE: token,
        Slot.PAPERS: b"1 paper" if size == 1 else b"%d papers" % size,
        Slot.TOPICS: b"1 topic" if len(digest.parts) == 1 else b"%d topics" % len(digest.parts),
        Slot.MORE: b"1 more paper" if left == 1 else b"%d more papers" % left,
        Slot.NAMES: _BETWEEN.join([card.name for card in best[1:] or best]),
    }
    html = _filled(cards.head.html, values)
    text = _filled(cards.head.text, values)
    blocks: list[Block] = []
    group, start = "", 0
    for part in fitting.parts:
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
        blocks += shown[start:end]
        start = end
    html += _filled(cards.middle.html, values)
    text += _filled(cards.middle.text, values)
    html += map(_HTML, blocks)
    text += map(_TEXT, blocks)
    for fragment in (cards.more, foot) if left else (foot,):
        html += _filled(fragment.html, values)
        text += _filled(fragment.text, values)
    return _Bodies(html=html, text=text, best=best, size=size)


def _filled(pieces: Pieces, values: Mapping[Slot, bytes]) -> list[bytes]:
    return [values[piece] if isinstance(piece, Slot) else piece for piece in pieces]


def _fitting(cards: Cards, digest: Digest, limit: int) -> Digest:
    """The digest up to the last card that fits into `limit` bytes of HTML, foot not counted."""
    deck = cards.papers
    room = limit - _SLOTS - cards.head.size - cards.middle.size - cards.more.size
    if sum([deck[paper].size for part in digest.parts for paper in part.papers]) + cards.headings <= room:
        return digest
    parts: list[Part] = []
    group = ""
    for part in digest.parts:
        heading = cards.topics[part.topic]
        room -= heading.line.size + heading.block.size + COUNT_ROOM
        if heading.group != group:
            group = heading.group
            room -= cards.groups[group].size
        fit = 0
        for paper in part.papers:
            room -= deck[paper].size
            if room < 0:
                break
            fit += 1
        if fit:
            parts.append(Part(topic=part.topic, papers=part.papers[:fit]))
        if room < 0:
            break
    return Digest(parts=tuple(parts))


@lru_cache(maxsize=8)
def _date(date: dt.datetime) -> bytes:
    return format_datetime(date).encode()
