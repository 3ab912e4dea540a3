"""Fragments to one reader's message. Joining bytes is all that happens here, for it happens once per reader.

What many readers have in common is joined once: a topic with its papers. The token of the reader's own pages, which
stands in every card, is put into its places at the end, in one pass over the whole message.

No template, no I/O, no clock.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from flows.editions.model import Digest, Part
from flows.editions.same import Same
from flows.mail import encode
from flows.mail.model import (
    COUNT_ROOM,
    TOKEN_ROOM,
    Block,
    Card,
    Cards,
    Fragment,
    Message,
    Opening,
    Pieces,
    Reader,
    Slot,
)
from flows.mail.reasons import written
from flows.papers.model import PaperId

LIMIT = 100_000
"""Bytes of HTML, decoded: Gmail clips what is longer than 102 kB, the unsubscribe link with it."""

_SLOTS = 1_500
"""Room for what stands in the slots of head and foot: three short titles, counts."""
_NAMES = 3
_FEWEST = 3
"""Best papers that are worth a list of their own."""
_PICTURE = '<img class="thumb"'
_TOKEN_HERE = b"\0"
"""Stands in the places of the token of the reader's own pages: no quoted-printable text and no header holds it."""
_NOBODY = b"=00"
"""Stands for the token where there is no reader: no document holds this character."""
_BETWEEN = encode.SOFT + encode.quoted_printable(" · ", goes_on=True)
_RANK = attrgetter("rank")
_JOINED = 2_000
"""Topics with their papers that are kept joined, some kilobytes each."""
_LISTS = 100
"""Lists of the best papers that are kept joined."""

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
    deck = _deck(Same(cards))
    body = _join(deck, digest, deck.foot, token, LIMIT, opening)
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
    whole = b"".join(content).replace(_TOKEN_HERE, reader.manage.encode())
    sender = reader.return_path or cards.sender
    return Message(sender=sender, recipient=reader.address, content=whole, relaxed=cards.relaxed)


def recipient(address: str) -> bytes:
    """The address as a To header holds it; raises ValueError for one that it can't."""
    if not (_ADDRESS.fullmatch(address) and len(address) <= 320):
        raise ValueError(f"{address[:80]!r} is not a plain ASCII address that a To header can hold")
    return address.encode()


def page(cards: Cards, digest: Digest) -> str:
    """The whole digest as an HTML page without the reader's own links and the papers' pictures, for previews and the
    archive."""
    deck = _deck(Same(cards))
    shown = _public(_join(deck, digest, deck.page_foot).html)
    return "\n".join(line for line in shown.split("\n") if not line.startswith(_PICTURE))


def plain(cards: Cards, digest: Digest) -> str:
    """The whole digest as plain text without the reader's own links."""
    deck = _deck(Same(cards))
    return _public(_join(deck, digest, deck.page_foot).text)


def _public(body: list[bytes]) -> str:
    """The body's text without the lines that hold the token of the reader's own pages."""
    lines = encode.decoded(b"".join(body).replace(_TOKEN_HERE, _NOBODY)).split("\n")
    return "\n".join(line for line in lines if "\0" not in line)


@dataclass(slots=True)
class _Bodies:
    html: list[bytes]
    text: list[bytes]
    best: Sequence[Card]
    """The best of the papers shown, at most four: those that the reader follows first."""
    size: int
    """How many papers the digest has, those that did not fit included."""


class _Piece(NamedTuple):
    """Something in both its forms, with the HTML's length once decoded."""

    html: bytes
    text: bytes
    size: int


class _Joined(NamedTuple):
    """A part of a digest."""

    line: _Piece
    """Its line in the contents."""
    body: _Piece
    """Its heading and its cards."""
    best: Sequence[Card]
    """The best of its cards, at most four, best first; of what the reader follows the first ones."""


class _Deck:
    """The cards of an edition as bytes to be joined, and what has been joined of them."""

    def __init__(self, cards: Cards) -> None:
        self.cards = cards
        self.head, self.middle, self.more = map(_ready, (cards.head, cards.middle, cards.more))
        self.foot, self.page_foot = map(_ready, (cards.foot, cards.page_foot))
        self.groups = {key: _piece(block) for key, block in cards.groups.items()}
        self.of_groups = sum([group.size for group in self.groups.values()])
        self._headings = {topic: _piece(heading.block) for topic, heading in cards.topics.items()}
        self._papers = {paper: _piece(card) for paper, card in cards.papers.items()}
        self.topic = lru_cache(maxsize=_JOINED)(self._topic)
        """A topic with some of its papers."""
        self._known: dict[int, tuple[Part, _Joined]] = {}
        """The same by the very part: readers who choose alike are given the same one."""
        self._best = {paper: _piece(block) for paper, block in cards.best.items()}
        self._above = lru_cache(maxsize=_LISTS)(self._listed)

    def above(self, digest: Digest, size: int) -> _Piece:
        """What stands before the contents: the edition's best papers as far as the digest holds them, at most a third
        of it, and nothing rather than fewer than `_FEWEST`."""
        if size < 3 * _FEWEST:
            return self._above(())
        held: set[PaperId] = set().union(*[part.papers for part in digest.parts])
        best = [paper for paper in self._best if paper in held]
        return self._above(tuple(best[: size // 3]))

    def _listed(self, best: tuple[PaperId, ...]) -> _Piece:
        pieces, around = [_piece(self.cards.contents)], self.cards.around_best
        if len(best) >= _FEWEST:
            pieces = [_piece(around.before), *map(self._best.__getitem__, best), _piece(around.after), *pieces]
        return _together(pieces)

    def joined(self, part: Part) -> _Joined:
        if not part.reasons:
            known = self._known.get(id(part))
            if known is None or known[0] is not part:
                if len(self._known) >= _JOINED:
                    self._known.clear()
                known = self._known[id(part)] = (part, self.topic(part.topic, part.papers))
            return known[1]
        around = self.cards.why
        pieces = [self._headings[part.topic]]
        for paper in part.papers:
            if reasons := part.reasons.get(paper):
                why = written(reasons)
                html, text = why.html.join(around.html), why.text.join(around.text)
                pieces.append(_Piece(html, text, why.size + around.size))
            pieces.append(self._papers[paper])
        best = [self.cards.papers[paper] for paper in part.papers[: 1 + _NAMES]]
        return _Joined(self._line(part.topic, len(part.papers)), _together(pieces), best)

    def _topic(self, topic: str, papers: tuple[PaperId, ...]) -> _Joined:
        ranked = sorted([self.cards.papers[paper] for paper in papers], key=_RANK)
        body = _together([self._headings[topic], *self._told(topic, papers)])
        return _Joined(self._line(topic, len(papers)), body, ranked[: 1 + _NAMES])

    def _told(self, topic: str, papers: tuple[PaperId, ...]) -> list[_Piece]:
        """The cards, those of a story between what stands before and after it; one alone is no story."""
        pieces = [self._papers[paper] for paper in papers]
        for story in reversed(self.cards.topics[topic].stories):  # what is put in moves nothing before it
            places = [at for at, paper in enumerate(papers) if paper in story.papers]
            if len(places) > 1:
                pieces.insert(places[-1] + 1, _piece(story.after))
                pieces.insert(places[0], _piece(story.before))
        return pieces

    def _line(self, topic: str, papers: int) -> _Piece:
        line, count = self.cards.topics[topic].line, b"%d" % papers
        return _Piece(count.join(line.html), count.join(line.text), line.size + COUNT_ROOM)

    def fitting(self, parts: Sequence[Part], room: int) -> Iterator[Part]:
        """The parts up to the last card that fits into `room` bytes of HTML."""
        group = ""
        for part in parts:
            heading = self.cards.topics[part.topic]
            room -= heading.size
            if heading.group != group:
                group = heading.group
                room -= self.groups[group].size
            fit = 0
            for paper in part.papers:
                room -= self._papers[paper].size
                if reasons := part.reasons.get(paper):
                    room -= written(reasons).size + self.cards.why.size
                if room < 0:
                    break
                fit += 1
            if fit:
                yield Part(topic=part.topic, papers=part.papers[:fit], reasons=part.reasons)
            if room < 0:
                return


@lru_cache(maxsize=8)
def _deck(same: Same[Cards]) -> _Deck:
    return _Deck(same.value)


def _piece(block: Block) -> _Piece:
    return _Piece(_TOKEN_HERE.join(block.html), _TOKEN_HERE.join(block.text), block.size)


def _together(pieces: Sequence[_Piece]) -> _Piece:
    htmls, texts, sizes = zip(*pieces, strict=True)
    return _Piece(b"".join(htmls), b"".join(texts), sum(sizes))


def _join(
    deck: _Deck,
    digest: Digest,
    foot: _Ready,
    unsubscribe: bytes = b"",
    limit: int = 1 << 40,
    opening: Opening | None = None,
) -> _Bodies:
    """Both bodies, their HTML at most `limit` bytes once decoded, with `_TOKEN_HERE` in the token's places."""
    size, cards = digest.size, deck.cards
    if not size:
        raise ValueError(f"an empty digest makes no message: {digest.reason or 'no reason given'}")
    parts, left = digest.parts, 0
    joined = [deck.joined(part) for part in parts]
    room = limit - _SLOTS - foot.size - (opening.size if opening else 0)
    above = deck.above(digest, size)
    room -= deck.head.size + above.size + deck.middle.size + deck.more.size
    if sum([line.size + body.size for line, body, _ in joined]) + deck.of_groups > room:
        parts = tuple(deck.fitting(parts, room))
        joined = [deck.joined(part) for part in parts]
        left = size - sum([len(part.papers) for part in parts])
    followed = bool(parts) and bool(parts[0].reasons)
    best = sorted([card for _, _, its in joined[followed:] for card in its], key=_RANK)[: 1 + _NAMES]
    if followed:
        best = [*joined[0].best, *best][: 1 + _NAMES]
    values: dict[Slot, bytes] = {
        Slot.UNSUBSCRIBE: unsubscribe,
        Slot.PAPERS: b"1 paper" if size == 1 else b"%d papers" % size,
        Slot.TOPICS: _topics(cards, digest),
        Slot.MORE: b"1 more paper" if left == 1 else b"%d more papers" % left,
        Slot.NAMES: _BETWEEN.join([card.name for card in best[1:] or best]),
        Slot.OPENING: opening.html if opening else b"",
    }
    html, html_after = [*_filled(deck.head.html, values), above.html], _filled(deck.middle.html, values)
    values[Slot.OPENING] = opening.text if opening else b""
    text, text_after = [*_filled(deck.head.text, values), above.text], _filled(deck.middle.text, values)
    group = ""
    for part, (line, body, _) in zip(parts, joined, strict=True):
        html.append(line.html)
        text.append(line.text)
        if (its := cards.topics[part.topic].group) != group:
            group = its
            html_after.append(deck.groups[group].html)
            text_after.append(deck.groups[group].text)
        html_after.append(body.html)
        text_after.append(body.text)
    for fragment in (deck.more, foot) if left else (foot,):
        html_after += _filled(fragment.html, values)
        text_after += _filled(fragment.text, values)
    return _Bodies(html=html + html_after, text=text + text_after, best=best, size=size)


def _topics(cards: Cards, digest: Digest) -> bytes:
    """In how many topics the papers are; those that the reader follows stand apart from theirs."""
    first, *others = digest.parts
    if first.reasons:
        topics = {part.topic for part in others}
        topics.update([cards.papers[paper].topic for paper in first.papers])
        count = len(topics)
    else:
        count = len(digest.parts)
    return b"1 topic" if count == 1 else b"%d topics" % count


class _Ready(NamedTuple):
    """A fragment with the places of the reader's token filled: bytes and places in turn, bytes first and last."""

    html: Pieces
    text: Pieces
    size: int


def _ready(fragment: Fragment) -> _Ready:
    return _Ready(_sealed(fragment.html), _sealed(fragment.text), fragment.size)


def _sealed(pieces: Pieces) -> Pieces:
    sealed: list[bytes | Slot] = [b""]
    for piece in pieces:
        part = _TOKEN_HERE if piece is Slot.MANAGE else piece
        last = sealed[-1]
        if isinstance(part, Slot):
            sealed += (part, b"")
        elif isinstance(last, bytes):
            sealed[-1] = last + part
    return tuple(sealed)


def _filled(pieces: Pieces, values: Mapping[Slot, bytes]) -> list[bytes]:
    filled: list[Any] = list(pieces)
    filled[1::2] = map(values.__getitem__, filled[1::2])
    return filled


@lru_cache(maxsize=8)
def _date(date: dt.datetime) -> bytes:
    return format_datetime(date).encode()
