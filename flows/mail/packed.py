"""Cards as bytes for the store, and back. JSON, compressed: nothing that runs code when it is read."""

from __future__ import annotations

import dataclasses
import json
import zlib
from typing import Any

from flows.mail.model import Block, Card, Cards, Fragment, Heading, Line, Pieces, Slot
from flows.papers.model import PaperId

_FORMAT = 1
"""To be raised when `Cards` changes: frozen editions are kept for as long as the archive."""

_BYTES = ("headers", "boundary", "subject", "unsubscribe")
_FRAGMENTS = ("head", "middle", "more", "foot", "page_foot")


def pack(cards: Cards) -> bytes:
    """`cards` as bytes that the store keeps without looking into them."""
    held = {
        "format": _FORMAT,
        "sender": cards.sender,
        "headings": cards.headings,
        **{name: getattr(cards, name).decode() for name in _BYTES},
        **{name: _fragment(getattr(cards, name)) for name in _FRAGMENTS},
        "groups": {key: _plain(group) for key, group in cards.groups.items()},
        "topics": {key: [t.group, *_line(t.line), _plain(t.block)] for key, t in cards.topics.items()},
        "papers": {key: _plain(card) for key, card in cards.papers.items()},
    }
    return zlib.compress(json.dumps(held, separators=(",", ":")).encode())


def unpack(packed: bytes) -> Cards:
    """The cards that `pack` was given. Raises ValueError for anything else."""
    try:
        held = json.loads(zlib.decompress(packed))
    except zlib.error as error:
        raise ValueError("these are not packed cards") from error
    if held["format"] != _FORMAT:
        raise ValueError(f"cards of format {held['format']} were packed by another version of Paperround")
    return Cards(
        sender=held["sender"],
        headings=held["headings"],
        headers=held["headers"].encode(),
        boundary=held["boundary"].encode(),
        subject=held["subject"].encode(),
        unsubscribe=held["unsubscribe"].encode(),
        head=_read_fragment(held["head"]),
        middle=_read_fragment(held["middle"]),
        more=_read_fragment(held["more"]),
        foot=_read_fragment(held["foot"]),
        page_foot=_read_fragment(held["page_foot"]),
        groups={key: Block(**_read(group)) for key, group in held["groups"].items()},
        topics={
            key: Heading(group=group, line=_read_line(html, text, size), block=Block(**_read(block)))
            for key, (group, html, text, size, block) in held["topics"].items()
        },
        papers={PaperId(key): Card(**_read(card)) for key, card in held["papers"].items()},
    )


def _plain(block: Block) -> dict[str, Any]:
    held = dataclasses.asdict(block)
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in held.items()}


def _read(held: dict[str, Any]) -> dict[str, Any]:
    return {name: value.encode() if isinstance(value, str) else value for name, value in held.items()}


def _line(line: Line) -> list[Any]:
    return [[part.decode() for part in line.html], [part.decode() for part in line.text], line.size]


def _read_line(html: tuple[str, str], text: tuple[str, str], size: int) -> Line:
    return Line(html=(html[0].encode(), html[1].encode()), text=(text[0].encode(), text[1].encode()), size=size)


def _fragment(fragment: Fragment) -> list[Any]:
    return [_pieces(fragment.html), _pieces(fragment.text), fragment.size]


def _read_fragment(held: list[Any]) -> Fragment:
    html, text, size = held
    return Fragment(html=_read_pieces(html), text=_read_pieces(text), size=size)


def _pieces(pieces: Pieces) -> list[Any]:
    """A slot is told from a literal by a list around its name."""
    return [[piece.value] if isinstance(piece, Slot) else piece.decode() for piece in pieces]


def _read_pieces(held: list[Any]) -> Pieces:
    return tuple(piece.encode() if isinstance(piece, str) else Slot(piece[0]) for piece in held)
