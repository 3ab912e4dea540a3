"""An edition as the picture that networks show beside a link to it. Values in, PNG out."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache

from PIL import Image, ImageDraw, ImageFont

from flows.editions.matching import STROKES

WIDTH, HEIGHT = 1200, 630
"""https://developers.facebook.com/docs/sharing/webmasters/images"""
LETTERS = 300
"""Of a title that are looked at."""
READABLE = 0.8
"""The share of a title's letters that the font must have, or it is left out."""

_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial.ttf")
"""Looked for among the system's, since Pillow's own knows hardly more than ASCII."""
_EDGE = 80
_LINES = 4
_INK, _SOFT, _SHEET = "#16181c", "#5a5f68", "#ffffff"
_SMALL, _LARGE = 38, 62
_INSTEAD = STROKES | {ord("–"): "-", ord("—"): "-", ord("‐"): "-", ord("‑"): "-", ord("×"): "x"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What stands on it, as plain text; `accent` is a colour such as #0b6e5f."""

    newsletter: str
    date: str
    lead: str
    count: str
    accent: str


@lru_cache(maxsize=64)
def picture(drawn: Drawn) -> bytes:
    """The picture, made once for an edition. Letters that the font lacks are written by their nearest Latin ones, or
    left out."""
    image = Image.new("RGB", (WIDTH, HEIGHT), _SHEET)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, WIDTH, 16), fill=drawn.accent)
    small, large = _font(_SMALL), _font(_LARGE)
    room = WIDTH - 2 * _EDGE
    draw.text((_EDGE, 70), _fitted(_written(drawn.newsletter), small, room), font=small, fill=drawn.accent)
    draw.text((_EDGE, 122), _fitted(_written(drawn.date), small, room), font=small, fill=_SOFT)
    for number, line in enumerate(_lines(_readable(drawn.lead), large, room)):
        draw.text((_EDGE, 210 + number * 78), line, font=large, fill=_INK)
    draw.text((_EDGE, HEIGHT - 96), _fitted(_written(drawn.count), small, room), font=small, fill=_SOFT)
    made = io.BytesIO()
    # few colours are a fifth of the bytes
    image.quantize(32).save(made, "PNG", optimize=True)
    return made.getvalue()


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    for name in _FONTS:
        with suppress(OSError):
            return ImageFont.truetype(name, size)
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # noqa: S101 - every wheel of Pillow comes with FreeType
    return font


@lru_cache(maxsize=4096)
def _is_there(letter: str) -> bool:
    font = _font(_SMALL)
    return letter == " " or bytes(font.getmask(letter)) != bytes(font.getmask("\uffff"))


def _written(text: str) -> str:
    """The text in letters that the font has."""
    found = "".join(
        letter if _is_there(letter) else "".join(filter(_is_there, unicodedata.normalize("NFKD", letter)))
        for letter in unicodedata.normalize("NFC", text[:LETTERS]).translate(_INSTEAD if not _is_there("—") else {})
        if not unicodedata.category(letter).startswith(("M", "C"))
    )
    return " ".join(found.split())


def _readable(title: str) -> str:
    """A title, if enough of it can be written."""
    written, letters = _written(title), [letter for letter in title[:LETTERS] if letter.isalnum()]
    return written if len([letter for letter in written if letter.isalnum()]) >= READABLE * len(letters) else ""


def _lines(text: str, font: ImageFont.FreeTypeFont, room: int) -> Iterator[str]:
    """The text in lines that fit; what has no room is left out, with an ellipsis."""
    words = text.split()
    for number in range(_LINES):
        if not words:
            return
        size = max((n for n in range(1, len(words) + 1) if font.getlength(" ".join(words[:n])) <= room), default=1)
        line, words = " ".join(words[:size]), words[size:]
        yield _fitted(f"{line} …" if words and number == _LINES - 1 else line, font, room)


def _fitted(line: str, font: ImageFont.FreeTypeFont, room: int) -> str:
    """The line, cut where it is too long."""
    if font.getlength(line) <= room:
        return line
    kept = line.removesuffix(" …")
    while kept and font.getlength(f"{kept}…") > room:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"
