"""Fragments to one reader's message. Joining bytes is all that happens here, for it happens once per reader.

`arrange` says which paper stands where; what many readers have in common is joined once: a group with its papers. The
token of the reader's own pages is put into its places at the end, in one pass over the whole message.

No template, no I/O, no clock.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from flows.editions.model import FOR_YOU, Digest, Part, Reason
from flows.editions.same import Same
from flows.mail import encode, offer
from flows.mail.arrangement import Arrangement, Places, cut_to
from flows.mail.model import (
    TOKEN_ROOM,
    Block,
    Card,
    Cards,
    Counted,
    Fragment,
    Frame,
    Message,
    Opening,
    Pieces,
    Reader,
    Slot,
)
from flows.mail.reasons import written
from flows.papers.model import PaperId

LIMIT = 100_000
"""Bytes of HTML: Gmail clips what is longer than 102 kB, the unsubscribe link with it."""

_SLOTS = 2_000
"""Room for what stands in the slots of head and foot: short titles, counts, what was left out."""
_PICTURE = '<img class="thumb"'
_TOKEN_HERE = b"\0"
"""Stands in the places of the token of the reader's own pages: no encoded text and no header holds it."""
_NOBODY = b"=00"
"""Stands for the token in text where there is no reader: no document holds this character."""
_GROUPS = 2_000
"""Groups with their papers that are kept joined, some kilobytes each."""
_DIGESTS = 500
"""Whole digests of those who choose alike that are kept joined, some ten kilobytes each."""

# RFC 5322 section 3.4.1: a dot-atom or a quoted string, @, a domain or its literal.
_ADDRESS = re.compile(
    r"""(?:[\w.!#$%&'*+/=?^`{|}~-]+|"(?:[^"\\\x00-\x1f\x7f]|\\[ -~])+")@(?:[\w.-]+|\[[\w.:]+\])""", re.ASCII
)
_TOKEN = re.compile(rf"[\w-]{{1,{TOKEN_ROOM}}}", re.ASCII)
_MESSAGE_ID = re.compile(r"[!-;=?-~]{3,200}")


def assemble(cards: Cards, digest: Digest, reader: Reader, opening: Opening | None = None) -> Message:
    """The message of `digest` for `reader`: RFC 5322, multipart/alternative with the plain text first. An `opening`
    stands before the papers, and its subject in place of the edition's.

    CRLF throughout, no line that begins with a dot; the text's lines have at most 76 characters, the HTML's fewer than
    998. Of papers whose HTML would exceed `LIMIT` bytes together the best-ranked stay, after those that the reader
    follows; the mail says at its top what was left out, and links it. Both forms hold the same papers.
    Raises ValueError for an empty digest and for an address, token or Message-ID that a header cannot hold.
    """
    token = _checked(reader)
    deck = _deck(Same(cards))
    body = _join(deck, digest, deck.foot, token, LIMIT, opening)
    return _message(cards, reader, _subject(body.subject, opening), body.text, body.html, relaxed=cards.relaxed)


def letter(cards: Cards, reader: Reader, subject: bytes, text: str, html: str) -> Message:
    """A message without papers for a reader of the edition, such as a correction in words: with its sender, its
    list and its way to unsubscribe. `subject` is the whole field. Raises ValueError as `assemble`."""
    _checked(reader)
    forms = [encode.quoted_printable(text), b"\r\n"], [encode.references(html), b"\r\n"]
    return _message(cards, reader, subject, *forms, relaxed=False)


def _checked(reader: Reader) -> bytes:
    """The token by which a reader unsubscribes. Raises ValueError for what a header can't hold."""
    recipient(reader.address)
    if not (_TOKEN.fullmatch(reader.unsubscribe) and _TOKEN.fullmatch(reader.manage)):
        raise ValueError(f"a token is base64url of at most {TOKEN_ROOM} characters")
    if not _MESSAGE_ID.fullmatch(reader.message_id):
        raise ValueError("a Message-ID is printable ASCII without <>")
    return reader.unsubscribe.encode()


def _message(
    cards: Cards, reader: Reader, subject: bytes, text: Sequence[bytes], html: Sequence[bytes], *, relaxed: bool
) -> Message:
    token = reader.unsubscribe.encode()
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
        subject,
        b"\r\nList-Unsubscribe: <",  # RFC 2369 section 3.2
        cards.unsubscribe,
        token,
        b">,\r\n <%s%s>" % (cards.mailbox, token) if cards.mailbox else b">",
        b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",  # RFC 8058 section 3.1
        delimiter,
        b"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
        *text,
        delimiter,
        b"\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n",
        *html,
        delimiter,
        b"--\r\n",
    ]
    whole = b"".join(content).replace(_TOKEN_HERE, reader.manage.encode())
    sender = reader.return_path or cards.sender
    return Message(sender=sender, recipient=reader.address, content=whole, relaxed=relaxed)


def _subject(own: bytes, opening: Opening | None) -> bytes:
    """The Subject field; a mark stands on a line of its own, since one with encoded words is full (RFC 2047 section
    2)."""
    if opening is None:
        return own
    field = opening.subject or own
    return b"Subject: " + opening.mark + b"\r\n " + field.removeprefix(b"Subject: ") if opening.mark else field


def recipient(address: str) -> bytes:
    """The address as a To header holds it; raises ValueError for one that it can't."""
    if not (_ADDRESS.fullmatch(address) and len(address) <= 320):
        raise ValueError(f"{address[:80]!r} is not a plain ASCII address that a To header can hold")
    return address.encode()


def page(cards: Cards, digest: Digest) -> str:
    """The whole digest as an HTML page without the reader's own links and the papers' pictures, for previews and the
    archive."""
    deck = _deck(Same(cards))
    lines = b"".join(_join(deck, digest, deck.page_foot).html).decode("ascii").replace("\r\n", "\n").split("\n")
    return "\n".join(line for line in lines if "\0" not in line and not line.startswith(_PICTURE))


def plain(cards: Cards, digest: Digest) -> str:
    """The whole digest as plain text without the reader's own links."""
    deck = _deck(Same(cards))
    text = b"".join(_join(deck, digest, deck.page_foot).text).replace(_TOKEN_HERE, _NOBODY)
    return "\n".join(line for line in encode.decoded(text).split("\n") if "\0" not in line)


@dataclass(slots=True)
class _Bodies:
    html: list[bytes]
    text: list[bytes]
    subject: bytes
    """The Subject field, without its line end."""


class _Piece(NamedTuple):
    """Something in both its forms, with the HTML's length."""

    html: bytes
    text: bytes
    size: int


_NONE = _Piece(b"", b"", 0)


class _Forms(NamedTuple):
    """A card's forms, ready to be joined."""

    lead: _Piece
    alone: _Piece
    listed: _Piece
    line: _Piece
    links: _Piece


class _Around(NamedTuple):
    before: _Piece
    after: _Piece


_Papers = tuple[tuple[str, tuple[PaperId, ...]], ...]
"""The papers of each topic."""
_TOPICAL, _PAPERS = attrgetter("topic", "papers"), itemgetter(1)
"""A part as one of `_Papers`, and the papers of such a one: asked for every part of every reader's digest."""


class _Joined(NamedTuple):
    """What a digest has besides that which its reader follows."""

    body: _Piece
    first: Sequence[Card]
    """The leads, best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    """What stands between head and foot, and what of the digest was cut, by topic."""

    parts: Sequence[Part]
    papers: int
    followed: _Piece
    joined: _Joined
    cut: Mapping[str, int] = field(default_factory=dict)


class _Deck:
    """The cards of an edition as bytes to be joined, and what has been joined of them."""

    def __init__(self, cards: Cards) -> None:
        self.cards = cards
        self.head, self.left, self.opening = map(_ready, (cards.head, cards.left, cards.opening))
        self.more, self.foot, self.page_foot = map(_ready, (cards.more, cards.foot, cards.page_foot))
        self.told = _piece(cards.told.block) if cards.told else _NONE
        self.for_you_end, self._leads_end = _piece(cards.for_you_end), _piece(cards.leads_end)
        self._leads = {kind: _piece(block) for kind, block in cards.leads.items()}
        self._first, self._other, self._lines, self._contents, self._rest, self._titles = map(
            _around, (cards.first, cards.other, cards.lines, cards.contents, cards.rest, cards.titles)
        )
        self._ends = {key: _piece(group.end) for key, group in cards.groups.items()}
        self._labels = {slug: _piece(topic.label) for slug, topic in cards.topics.items()}
        groups = {slug: topic.group for slug, topic in cards.topics.items()}
        self._places = Places(cards.papers, groups, cards.layout)
        self.papers = {paper: _forms(card) for paper, card in cards.papers.items()}
        self._group = lru_cache(maxsize=_GROUPS)(self._one_group)
        self._listed = lru_cache(maxsize=_GROUPS)(self._contents_of)
        self._why = lru_cache(maxsize=_GROUPS)(self._one_followed)
        self._joined = lru_cache(maxsize=_DIGESTS)(self._join)
        """All that stands below what the reader follows, by the papers of each topic."""
        self._of_topics = lru_cache(maxsize=_DIGESTS)(self._of_some_topics)

    def _join(self, parts: _Papers) -> _Joined:
        plan = self._places.arrange(parts)
        pieces = [*self._at_the_top(plan), *self._below(plan)]
        if plan.titles:
            pieces += [self._titles.before, *[self.papers[paper].line for paper in plan.titles]]
            pieces += [self._titles.after, *[self.papers[paper].links for paper in plan.titles]]
        body = _together(pieces) if pieces else _NONE
        return _Joined(body, [self.cards.papers[one] for one in plan.best])

    def body(self, parts: Sequence[Part], room: int) -> _Body:
        """What stands between head and foot, of as many papers as have `room` bytes of HTML."""
        if parts[0].topic != FOR_YOU:
            # many readers choose alike
            return self._of_topics(tuple(map(_TOPICAL, parts)), room)
        whole = self._whole(parts)
        return whole if whole.followed.size + whole.joined.body.size <= room else self._cut(parts, room)

    def _of_some_topics(self, parts: _Papers, room: int) -> _Body:
        plain = [Part(topic=topic, papers=papers) for topic, papers in parts]
        whole = self._whole(plain)
        return whole if whole.joined.body.size <= room else self._cut(plain, room)

    def _cut(self, parts: Sequence[Part], room: int) -> _Body:
        kept = cut_to(room, parts, self.cards)
        return replace(self._whole(kept), cut=_missing(parts, kept, self.cards))

    def _whole(self, parts: Sequence[Part]) -> _Body:
        first, others = (parts[0], parts[1:]) if parts[0].topic == FOR_YOU else (None, parts)
        return _Body(
            parts=parts,
            papers=sum([len(part.papers) for part in parts]),
            followed=self.followed(first) if first else _NONE,
            joined=self._joined(tuple(map(_TOPICAL, others))),
        )

    def _at_the_top(self, plan: Arrangement) -> list[_Piece]:
        """The leads, who was voted up as well, and what follows below."""
        pieces = []
        if plan.leads:
            pieces.append(self._leads[plan.leading])
            for place, paper in enumerate(plan.leads):
                around = self._other if place else self._first
                pieces += [around.before, self.papers[paper].lead, around.after]
            pieces += [self._leads_end, *[self.papers[paper].links for paper in plan.leads]]
        if plan.lines:
            pieces += [self._lines.before, *[self.papers[paper].line for paper in plan.lines], self._lines.after]
        if len(plan.groups) > 1 and self._contents.before.html:
            counts = [(key, sum(map(len, map(_PAPERS, parts)))) for key, parts in plan.groups.items()]
            pieces.append(self._listed(tuple(counts)))
        return pieces

    def _contents_of(self, counts: tuple[tuple[str, int], ...]) -> _Piece:
        lines = [_counted(self.cards.groups[key].line, count) for key, count in counts]
        between = [*(line.html.rstrip() + b",\r\n" for line in lines[:-1]), lines[-1].html.rstrip() + b".\r\n"]
        return _Piece(
            b"".join((self._contents.before.html, *between, self._contents.after.html)),
            b"".join((self._contents.before.text, *(line.text for line in lines), self._contents.after.text)),
            self._contents.before.size + self._contents.after.size + sum(line.size + 1 for line in lines),
        )

    def _below(self, plan: Arrangement) -> list[_Piece]:
        """The papers besides the leads."""
        if plan.rest:
            cards = [piece for paper in plan.rest for piece in self._alone(paper)]
            links = [self.papers[paper].links for paper in plan.rest]
            return [self._rest.before, *cards, self._rest.after, *links]
        return [self._group(key, parts) for key, parts in plan.groups.items()]

    def _one_group(self, key: str, parts: _Papers) -> _Piece:
        alone, topics = self._places.placed(parts)
        listed = [paper for _, papers in topics for paper in papers]
        pieces = [_counted(self.cards.groups[key].heading, len(alone) + len(listed))]
        for paper in alone:
            pieces += self._alone(paper)
        for topic, papers in topics:
            pieces.append(_counted(self.cards.topics[topic].heading, len(papers)))
            pieces += [self.papers[paper].listed for paper in papers]
        pieces.append(self._ends[key])
        return _together([*pieces, *[self.papers[paper].links for paper in (*alone, *listed)]])

    def _alone(self, paper: PaperId) -> tuple[_Piece, _Piece]:
        return self._labels.get(self.cards.papers[paper].topic, _NONE), self.papers[paper].alone

    def followed(self, part: Part) -> _Piece:
        """What the reader follows, each paper after the reasons."""
        pieces = [_counted(self.cards.for_you, len(part.papers))]
        pieces += [self._why(paper, part.reasons[paper]) for paper in part.papers]
        pieces.append(self.for_you_end)
        return _together([*pieces, *[self.papers[paper].links for paper in part.papers]])

    def _one_followed(self, paper: PaperId, reasons: tuple[Reason, ...]) -> _Piece:
        around, why = self.cards.why, written(reasons, self.cards.words)
        reason = _Piece(why.html.join(around.html), why.text.join(around.text), why.size + around.size)
        return _together([reason, self.papers[paper].alone])


@lru_cache(maxsize=8)
def _deck(same: Same[Cards]) -> _Deck:
    return _Deck(same.value)


def _piece(block: Block) -> _Piece:
    return _Piece(_TOKEN_HERE.join(block.html), _TOKEN_HERE.join(block.text), block.size)


def _around(frame: Frame) -> _Around:
    return _Around(_piece(frame.before), _piece(frame.after))


def _counted(around: Counted, count: int) -> _Piece:
    said = b"%d" % count
    return _Piece(said.join(around.html), said.join(around.text), around.size)


def _forms(card: Card) -> _Forms:
    lead, alone, listed, line = map(_piece, (card.lead, card.alone, card.listed, card.line))
    return _Forms(lead, alone, listed, line, _Piece(b"", card.links, 0))


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
    """Both bodies, their HTML at most `limit` bytes, with `_TOKEN_HERE` in the token's places."""
    if not digest.size:
        raise ValueError(f"an empty digest makes no message: {digest.reason or 'no reason given'}")
    cards, left = deck.cards, digest.left
    room = limit - _SLOTS - deck.head.size - deck.left.size - deck.told.size - deck.more.size - foot.size
    body = deck.body(digest.parts, room - (opening.size if opening else 0))
    parts, followed, joined = body.parts, body.followed, body.joined
    if body.cut:
        left = {topic: left.get(topic, 0) + body.cut.get(topic, 0) for topic in (*left, *body.cut)}
    shown, missing = body.papers, sum(left.values())
    for_you = parts[0].papers if parts[0].topic == FOR_YOU else ()
    first = [*(cards.papers[paper] for paper in for_you[:3]), *joined.first][:3]
    subject, title = _offered(cards, first, shown)
    words = cards.words
    papers = offer.counted(words.paper, words.papers, shown)
    htmls = {
        Slot.UNSUBSCRIBE: unsubscribe,
        Slot.PAPERS: papers.html,
        Slot.TITLE: title,
        Slot.TEASER: first[0].teaser,
    }
    texts = {**htmls, Slot.PAPERS: papers.text}
    fragments = [deck.head]
    if left:
        names = tuple((cards.topics[topic].name, count) for topic, count in left.items())
        said = offer.left_out(names, shown, chosen=digest.chosen and not body.cut, words=words)
        more = offer.counted(words.more_paper, words.more_papers, missing)
        htmls |= {Slot.LEFT: said.html, Slot.MORE: more.html}
        texts |= {Slot.LEFT: said.text, Slot.MORE: more.text}
        fragments.append(deck.left)
    if opening:
        htmls[Slot.OPENING], texts[Slot.OPENING] = opening.html, opening.text
        fragments.append(deck.opening)
    html, text = list[bytes](), list[bytes]()
    for fragment in fragments:
        html += _filled(fragment.html, htmls)
        text += _filled(fragment.text, texts)
    if cards.told and cards.told.papers.issubset(set().union(*[part.papers for part in parts])):
        html.append(deck.told.html)
        text.append(deck.told.text)
    html += (followed.html, joined.body.html)
    text += (followed.text, joined.body.text)
    for fragment in (deck.more, foot) if left else (foot,):
        html += _filled(fragment.html, htmls)
        text += _filled(fragment.text, texts)
    return _Bodies(html=html, text=text, subject=subject)


def _offered(cards: Cards, first: Sequence[Card], shown: int) -> tuple[bytes, bytes]:
    """The Subject field, and its words as they stand in the HTML."""
    if cards.subject:
        return cards.subject, cards.title
    return offer.subject(tuple([card.name for card in first]), shown, cards.date, cards.words)


def _missing(before: Sequence[Part], after: Sequence[Part], cards: Cards) -> Counter[str]:
    """How many papers of each topic are gone."""
    kept = {paper for part in after for paper in part.papers}
    return Counter(cards.papers[paper].topic for part in before for paper in part.papers if paper not in kept)


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
