"""A text made short: the beginning of an abstract, the name of a paper."""

from __future__ import annotations

import re
from bisect import bisect_right

from flows.editions import maths

_END = re.compile(r"[.!?][\"')\]”’]*(?= [\"'(\[“‘`]*[A-Z0-9\\$])")
ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|al|cf|vs|v|Figs?|Eqs?|Secs?|Tabs?|Refs?|Thms?|App|Ch|No|Nos|Vol|pp|p|Dr|Prof|Mr|Mrs|Ms|St|Jr"
    r"|Inc|Ltd|approx|resp|ca|viz|w\.r\.t|Univ|Dept|Proc|Lett|Rev)|(?:^|[\s(.~-])[A-Z]|(?:^| )\d+)\.$"
)
"""A point that ends no sentence: abbreviations, initials, "1." at the head of a list."""

_COLON = re.compile(r": |(?<=[A-Za-z]):(?=[A-Z][a-z])")
_DANGLING = re.compile(r"[\s,;:(\[{“‘–—-]+$")
_SHORTEST = 0.45
"""Of the limit: a sentence that ends before says too little, and is followed to the last word that has room."""
_TRIES = 40
_WINDOW = 8


def excerpt(text: str, limit: int = 420) -> str:
    """The beginning of a source, still as source: at most `limit` characters once `maths.text` has made it readable.

    It ends with a sentence if one ends in time, else after a word and with an ellipsis, and never within a formula.
    """
    source = " ".join(text.split())
    window = source[: _WINDOW * limit]
    if len(maths.text(window)) > limit:
        source = window  # the rest cannot matter
    whole = maths.text(source)
    if len(whole) <= limit:
        return source
    # most abstracts hold nothing to convert
    readable = str if whole == source else maths.text
    spaces = [space.start() for space in re.finditer(" ", source)]
    if not spaces or limit < 2:
        return _shorten(whole, limit)
    # the longest beginning that has room, the ellipsis counted
    fitting = bisect_right(spaces, limit - 1, key=lambda at: len(readable(source[:at])))
    last = spaces[fitting - 1] if fitting else 0
    # a beginning reads as it does in the whole, unless a formula is cut
    for end in reversed([found.end() for found in _END.finditer(source, 0, last + 2)]):
        beginning = source[:end]
        if end > last or ABBREVIATION.search(beginning.rstrip("\"')]”’")):
            continue
        if len(readable(beginning)) < limit * _SHORTEST:
            break
        if whole.startswith(readable(beginning)):
            return beginning
    for at in reversed(spaces[max(0, fitting - _TRIES) : fitting]):
        beginning = _DANGLING.sub("", source[:at])
        if beginning and whole.startswith(readable(beginning)) and len(readable(beginning)) < limit:
            return beginning + "…"
    return _shorten(whole, limit)


def first_sentence(text: str) -> str:
    """The text up to the end of its first sentence; all of it where none ends before."""
    for found in _END.finditer(text):
        if not ABBREVIATION.search(text[: found.end()].rstrip("\"')]”’")):
            return text[: found.end()]
    return text


def short_title(source: str, limit: int = 60) -> str:
    """What a paper is called in a subject line: its name ("MusaCoder: …"), else its title, cut after a word.

    One line of plain text without control characters, at most `limit` characters long.
    """
    title = maths.text(source)
    name, *rest = _COLON.split(title, maxsplit=1)
    return name if rest and 2 <= len(name) <= limit else _shorten(title, limit)


def _shorten(plain: str, limit: int) -> str:
    """Plain text cut after a word, or within one if it is the first."""
    if len(plain) <= limit:
        return plain
    room = plain[: max(0, limit - 1)]
    words = room if plain[len(room)] == " " else room.rpartition(" ")[0] or room
    return (_DANGLING.sub("", words) or words) + "…" if limit > 0 else ""
