"""Why a paper is for this reader, written for the wire: "Matches tensor, graphs, by Ada Brook". Pure.

Readers' words are hostile, and many readers share them: each is made fit once.
"""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from markupsafe import escape

from flows.editions import maths
from flows.editions.model import Reason
from flows.mail import encode
from flows.mail.language import ENGLISH, Words
from flows.mail.look import tidy

SHOWN = 3
"""Reasons that a paper shows; how many more there are is told."""
LONGEST = 40
"""Characters of a reason."""
COLUMNS = 72

_ON = encode.SOFT + encode.quoted_printable(", ", goes_on=True)
_ON_A_NEW_LINE = encode.SOFT + b",\r\n"
_AUTHOR = attrgetter("author")


class WrittenReasons(NamedTuple):
    """Plain ASCII, quoted-printable bytes from the start of a line, and the HTML's length."""

    html: bytes
    text: bytes
    size: int


@lru_cache(maxsize=50_000)
def written(reasons: tuple[Reason, ...], says: Words = ENGLISH) -> WrittenReasons:
    """The reasons as a phrase, keywords first; its text in lines of at most 72 columns."""
    html: list[bytes] = []
    text: list[bytes] = []
    size = column = 0
    author = None
    for words, is_author in sorted(reasons, key=_AUTHOR)[:SHOWN]:
        lead = ""
        if author is None:
            lead = f"{says.by_first if is_author else says.matches} "
        elif is_author and not author:
            lead = f"{says.by} "
        author = is_author
        one, width = _words(words, lead, is_author, says.quoted)
        if html:
            fits = column + 2 + width < COLUMNS
            html.append(b", ")
            text.append(_ON if fits else _ON_A_NEW_LINE)
            column = column + 2 if fits else 0
            size += 2
        html.append(one.html)
        text.append(one.text)
        column += width
        size += one.size
    if len(reasons) > SHOWN:
        more = says.more_reasons.format(count=len(reasons) - SHOWN)
        wire = encode.references(f" {escape(more)}")
        html.append(wire)
        fits = column + len(more) < COLUMNS
        text.append((encode.SOFT if fits else b"\r\n") + encode.quoted_printable(f" {more}" if fits else more))
        size += len(wire)
    return WrittenReasons(b"".join(html), b"".join(text), size)


@lru_cache(maxsize=50_000)
def _words(words: str, lead: str, is_author: bool, quoted: str) -> tuple[WrittenReasons, int]:
    """One reason after its lead, and how many columns of text it takes."""
    fit = tidy(words)
    if is_author:
        fit = tidy(maths.text(fit))
    if len(fit) > LONGEST:
        fit = fit[: LONGEST - 1].rstrip() + "…"
    own_direction = "" if fit.isascii() else ' dir="auto"'
    shown = f"{escape(lead)}<em{own_direction}>{escape(fit)}</em>"
    said = f"{lead}{fit if is_author else quoted.format(words=fit)}"
    wire = encode.references(shown)
    encoded = WrittenReasons(wire, encode.quoted_printable(said), len(wire))
    return encoded, len(said)
