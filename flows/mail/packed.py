"""Cards as bytes for the store, and back. JSON, compressed: nothing that runs code when it is read."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from flows.mail.earlier import fifth
from flows.mail.language import Words
from flows.mail.model import (
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
    Remark,
    Slot,
)
from flows.papers.model import PaperId

_FORMAT = 5
"""To be raised when `Cards` changes: frozen editions are kept for as long as the archive, see `earlier`."""

_BYTES = ("headers", "boundary", "unsubscribe", "mailbox")
_FRAGMENTS = ("head", "left", "opening", "more", "foot", "page_foot")
_FRAMES = ("first", "other", "lines", "contents", "rest", "titles")


def pack(cards: Cards) -> bytes:
    """`cards` as bytes that the store keeps without looking into them."""
    held = {"format": _FORMAT, **_written(cards), "words": cards.words._asdict()}
    return zlib.compress(json.dumps(held, separators=(",", ":")).encode())


def unpack(packed: bytes) -> Cards:
    """The cards that `pack` was given. Raises ValueError for anything else."""
    try:
        held = json.loads(zlib.decompress(packed))
        if (its := held["format"]) <= _FORMAT:
            return _read(held if its == _FORMAT else fifth(held))
    except (zlib.error, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError("these are not packed cards") from error
    raise ValueError(f"cards of format {its} were packed by another version of Paperround")


def _read(held: dict[str, Any]) -> Cards:
    told = held["told"]
    others: dict[str, Any] = {
        **{name: held[name].encode() for name in _BYTES},
        **{name: _fragment(held[name]) for name in _FRAGMENTS},
        **{name: _frame(held[name]) for name in _FRAMES},
    }
    return Cards(
        sender=held["sender"],
        date=held["date"],
        relaxed=held["relaxed"],
        # those of an earlier edition have none
        subject=held.get("subject", "").encode(),
        title=held.get("title", "").encode(),
        layout=Layout(**held["layout"]),
        words=Words(**held.get("words", {})),
        told=None
        if told is None
        else Remark(block=_block(told["block"]), papers=frozenset(map(PaperId, told["papers"]))),
        for_you=_counted(held["for_you"]),
        why=_counted(held["why"]),
        for_you_end=_block(held["for_you_end"]),
        leads={kind: _block(block) for kind, block in held["leads"].items()},
        leads_end=_block(held["leads_end"]),
        groups={key: _group(group) for key, group in held["groups"].items()},
        topics={slug: _heading(topic) for slug, topic in held["topics"].items()},
        papers={PaperId(paper): _card(card) for paper, card in held["papers"].items()},
        **others,
    )


def _written(value: Any) -> Any:
    """A slot is told from a literal by a list around its name."""
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Slot):
        return [value.value]
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return {key: _written(one) for key, one in value.items()}
    return [_written(one) for one in value] if isinstance(value, tuple) else value


def _pieces(held: list[Any]) -> Pieces:
    return tuple(piece.encode() if isinstance(piece, str) else Slot(piece[0]) for piece in held)


def _bytes(held: list[str]) -> tuple[bytes, ...]:
    return tuple(piece.encode() for piece in held)


def _fragment(held: dict[str, Any]) -> Fragment:
    return Fragment(html=_pieces(held["html"]), text=_pieces(held["text"]), size=held["size"])


def _block(held: dict[str, Any]) -> Block:
    return Block(html=_bytes(held["html"]), text=_bytes(held["text"]), size=held["size"])


def _counted(held: dict[str, Any]) -> Counted:
    return Counted(html=_bytes(held["html"]), text=_bytes(held["text"]), size=held["size"])


def _frame(held: dict[str, Any]) -> Frame:
    return Frame(before=_block(held["before"]), after=_block(held["after"]))


def _group(held: dict[str, Any]) -> Group:
    return Group(line=_counted(held["line"]), heading=_counted(held["heading"]), end=_block(held["end"]))


def _heading(held: dict[str, Any]) -> Heading:
    return Heading(
        group=held["group"], name=held["name"], label=_block(held["label"]), heading=_counted(held["heading"])
    )


def _card(held: dict[str, Any]) -> Card:
    forms = {name: _block(held[name]) for name in ("lead", "alone", "listed", "line")}
    return Card(**{**held, **forms, "links": held["links"].encode(), "teaser": held["teaser"].encode()})
