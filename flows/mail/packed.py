"""Cards as bytes for the store, and back. JSON, compressed: nothing that runs code when it is read."""

from __future__ import annotations

import dataclasses
import json
import zlib
from typing import Any

from flows.editions.model import FOR_YOU
from flows.mail.model import COUNT_ROOM, Block, Card, Cards, Fragment, Frame, Heading, Line, Pieces, Slot, Story
from flows.papers.model import PaperId

_FORMAT = 4
"""To be raised when `Cards` changes: frozen editions are kept for as long as the archive."""

_BYTES = ("headers", "boundary", "subject", "unsubscribe", "mailbox")
_FRAGMENTS = ("head", "middle", "more", "foot", "page_foot")


def pack(cards: Cards) -> bytes:
    """`cards` as bytes that the store keeps without looking into them."""
    held = {
        "format": _FORMAT,
        "sender": cards.sender,
        "headings": cards.headings,
        **{name: getattr(cards, name).decode() for name in _BYTES},
        **{name: _fragment(getattr(cards, name)) for name in _FRAGMENTS},
        "why": _line(cards.why),
        "around_best": _frame(cards.around_best),
        "best": {key: _plain(block) for key, block in cards.best.items()},
        "contents": _plain(cards.contents),
        "groups": {key: _plain(group) for key, group in cards.groups.items()},
        "topics": {key: _heading(heading) for key, heading in cards.topics.items()},
        "papers": {key: _plain(card) for key, card in cards.papers.items()},
    }
    return zlib.compress(json.dumps(held, separators=(",", ":")).encode())


def unpack(packed: bytes) -> Cards:
    """The cards that `pack` was given. Raises ValueError for anything else."""
    try:
        held = json.loads(zlib.decompress(packed))
    except zlib.error as error:
        raise ValueError("these are not packed cards") from error
    if held["format"] == 1:
        held = _second(held)
    if held["format"] == 2:
        held = _third(held)
    relaxed = held["format"] == _FORMAT
    if held["format"] not in (3, _FORMAT):
        raise ValueError(f"cards of format {held['format']} were packed by another version of Paperround")
    return Cards(
        sender=held["sender"],
        headings=held["headings"],
        headers=held["headers"].encode(),
        boundary=held["boundary"].encode(),
        subject=held["subject"].encode(),
        unsubscribe=held["unsubscribe"].encode(),
        mailbox=held["mailbox"].encode(),
        head=_read_fragment(held["head"]),
        middle=_read_fragment(held["middle"]),
        more=_read_fragment(held["more"]),
        foot=_read_fragment(held["foot"]),
        page_foot=_read_fragment(held["page_foot"]),
        why=_read_line(*held["why"]),
        around_best=_read_frame(held["around_best"]),
        best={PaperId(key): Block(**_read(block)) for key, block in held["best"].items()},
        contents=Block(**_read(held["contents"])),
        groups={key: Block(**_read(group)) for key, group in held["groups"].items()},
        topics={key: _read_heading(*heading) for key, heading in held["topics"].items()},
        papers={PaperId(key): Card(**_read(card)) for key, card in held["papers"].items()},
        relaxed=relaxed,
    )


def _second(first: dict[str, Any]) -> dict[str, Any]:
    """Cards of format 1 in format 2: as they were, without the links that it did not know; what a reader follows gets
    the plainest of headings."""
    blocks = [*first["groups"].values(), *(held[-1] for held in first["topics"].values()), *first["papers"].values()]
    for block in blocks:
        block.update(html=[block["html"]], text=[block["text"]])
    for card in first["papers"].values():
        card["topic"] = ""
    heading = {"html": ["<h2>For you</h2>\r\n"], "text": ["\r\nFor you\r\n-------\r\n"], "size": 20}
    line = [["<li>For you=20=\r\n", "=\r\n</li>\r\n"], ["  =\r\n", "=\r\n  For you\r\n"], 20]
    return {
        **first,
        "format": 2,
        "mailbox": "",
        "why": [["<p>=\r\n", "=\r\n</p>\r\n"], ["\r\n", "\r\n"], 10],
        "headings": first["headings"] + heading["size"] + line[-1] + COUNT_ROOM,
        "topics": {**first["topics"], FOR_YOU: ["", *line, heading]},
    }


def _third(second: dict[str, Any]) -> dict[str, Any]:
    """Cards of format 2 in format 3: they know no best papers and no stories."""
    nothing = {"html": [""], "text": [""], "size": 0}
    return {
        **second,
        "format": 3,
        "around_best": [nothing, nothing],
        "best": {},
        "contents": nothing,
        "topics": {
            key: [group, *line, block, [], line[-1] + block["size"] + COUNT_ROOM]
            for key, (group, *line, block) in second["topics"].items()
        },
    }


def _heading(heading: Heading) -> list[Any]:
    stories = [[*_frame(story), sorted(story.papers)] for story in heading.stories]
    return [heading.group, *_line(heading.line), _plain(heading.block), stories, heading.size]


def _read_heading(
    group: str, html: tuple[str, str], text: tuple[str, str], line: int, block: dict[str, Any], stories: Any, size: int
) -> Heading:
    told = (
        Story(before=Block(**_read(before)), after=Block(**_read(after)), papers=frozenset(map(PaperId, papers)))
        for before, after, papers in stories
    )
    return Heading(
        group=group,
        line=_read_line(html, text, line),
        block=Block(**_read(block)),
        stories=tuple(told),
        size=size,
    )


def _frame(frame: Frame) -> list[Any]:
    return [_plain(frame.before), _plain(frame.after)]


def _read_frame(held: list[Any]) -> Frame:
    before, after = held
    return Frame(before=Block(**_read(before)), after=Block(**_read(after)))


def _plain(block: Block) -> dict[str, Any]:
    return {name: _written(value) for name, value in dataclasses.asdict(block).items()}


def _written(value: Any) -> Any:
    match value:
        case bytes():
            return value.decode()
        case tuple():
            return [part.decode() for part in value]
        case _:
            return value


def _read(held: dict[str, Any]) -> dict[str, Any]:
    """What `_plain` wrote."""
    read = dict(held)
    for name, value in held.items():
        if isinstance(value, list):
            read[name] = tuple(part.encode() for part in value)
        elif name in ("subject", "name"):
            read[name] = value.encode()
    return read


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
