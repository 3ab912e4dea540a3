"""Cards that earlier versions packed, in today's form: a frozen edition is delivered and shown for as long as the
archive, in the look that it was frozen in. Pure.

Formats 1 to 4 have HTML in quoted-printable; topics always have a heading, and nothing leads.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from flows.editions.model import FOR_YOU
from flows.mail import encode
from flows.mail.model import Layout

_NOTHING: Mapping[str, Any] = {"html": [""], "text": [""], "size": 0}
_FRAME = {"before": _NOTHING, "after": _NOTHING}
_GROUP = {"line": _NOTHING, "end": _NOTHING}
_RELAXED = 4
"""From this format on, bodies are in DKIM's relaxed form."""
_COUNT_ROOM = 6


def fifth(held: dict[str, Any]) -> dict[str, Any]:
    """Cards of format 1 to 4 in format 5."""
    relaxed = held["format"] >= _RELAXED
    if held["format"] == 1:
        held = _second(held)
    if held["format"] == 2:
        held = _third(held)
    topics = held["topics"]
    count = f"{len(topics) - 1} topic{'s' * (len(topics) != 2)}"
    why_html, why_text, why_size = held["why"]
    return {
        **{name: held[name] for name in ("sender", "headers", "boundary", "unsubscribe", "mailbox")},
        "format": 5,
        "relaxed": relaxed,
        "date": _decoded(held["subject"].removeprefix("Subject:")).rstrip(": ").rpartition(", ")[2],
        "layout": asdict(Layout(leads=0, lines=0, ungrouped=0, heading=1)),
        "told": None,
        "head": _head(held, count),
        "left": _NOTHING,
        "opening": {"html": ["", ["opening"], "\r\n"], "text": ["", ["opening"], "\r\n"], "size": 0},
        "for_you": _heading(topics[FOR_YOU][4]),
        "why": {"html": list(map(_plain, why_html)), "text": why_text, "size": why_size},
        "for_you_end": _NOTHING,
        "leads": dict.fromkeys(("voted", "likely", "best"), _NOTHING),
        "leads_end": _NOTHING,
        **dict.fromkeys(("first", "other", "lines", "contents", "rest", "titles"), _FRAME),
        **{name: _fragment(*held[name]) for name in ("more", "foot", "page_foot")},
        "groups": {key: {**_GROUP, "heading": _heading(block)} for key, block in held["groups"].items()},
        "topics": {
            slug: {"group": group, "name": slug, "label": _NOTHING, "heading": _heading(block)}
            for slug, (group, _, _, _, block, *_) in topics.items()
            if slug != FOR_YOU
        },
        "papers": {paper: _card(card) for paper, card in held["papers"].items()},
    }


def _head(held: dict[str, Any], topics: str) -> dict[str, Any]:
    """With what stood around the contents: they opened what the cards stand in."""
    pieces: dict[str, list[Any]] = {"html": [], "text": []}
    size = 0
    for fragment in (held["head"], [held["contents"]["html"], held["contents"]["text"], 0], held["middle"]):
        made = _fragment(*fragment)
        size += made["size"]
        for form, its in pieces.items():
            for piece in made[form]:
                match piece:
                    case ["names"]:
                        its.append(["teaser"])
                        continue
                    case ["topics"]:
                        literal = topics
                    case ["opening"]:
                        literal = ""
                    case [_]:
                        its.append(piece)
                        continue
                    case _:
                        literal = piece
                if its and isinstance(its[-1], str):
                    its[-1] += literal
                else:
                    its.append(literal)
    return {**pieces, "size": size}


def _fragment(htmls: Sequence[Any], texts: Sequence[Any], size: int) -> dict[str, Any]:
    plain = [_plain(piece) if isinstance(piece, str) else piece for piece in htmls]
    return {"html": plain, "text": list(texts), "size": size}


def _heading(block: Mapping[str, Any]) -> dict[str, Any]:
    """A heading without a place for its count. A NUL stands for the token, as it does once a digest is joined."""
    return {
        "html": ["\0".join(map(_plain, block["html"]))],
        "text": ["\0".join(block["text"])],
        "size": block["size"] + _COUNT_ROOM,
    }


def _card(card: Mapping[str, Any]) -> dict[str, Any]:
    form = {"html": list(map(_plain, card["html"])), "text": card["text"], "size": card["size"]}
    name = html.unescape(_decoded(card["name"]))
    return {
        **dict.fromkeys(("lead", "alone", "listed"), form),
        "line": _NOTHING,
        "links": "",
        "rank": card["rank"],
        "topic": card["topic"],
        "name": name,
        "teaser": encode.references(html.escape(name)).decode(),
        "votes": False,
        "likely": False,
        "fresh": True,
    }


def _plain(piece: str) -> str:
    return encode.references(_decoded(piece)).decode()


def _decoded(piece: str) -> str:
    return encode.decoded(piece.encode())


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
        "topics": {**first["topics"], FOR_YOU: ["", *line, heading]},
    }


def _third(second: dict[str, Any]) -> dict[str, Any]:
    """Cards of format 2 in format 3: they know no best papers and no stories."""
    return {**second, "format": 3, "contents": {"html": [""], "text": [""]}}
