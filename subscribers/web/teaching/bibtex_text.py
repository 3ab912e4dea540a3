"""BibTeX as strangers write it: entries with their fields, read in one pass. Pure.

Those that read all of the language need seconds, or time by the square, for half a megabyte of a hostile file. This one
looks at each character a few times at most, expands no macros, and reads what it can of a damaged entry.

http://mirrors.ctan.org/biblio/bibtex/base/btxdoc.pdf
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LONGEST = 60_000
"""Characters of an entry: one that goes on is cut there."""

_BEGINS = re.compile(r"@[ \t]*([A-Za-z]+)\s*[{(]")
_LINE = re.compile(r"^[ \t]*@[ \t]*[A-Za-z]+\s*[{(]", re.MULTILINE)
_NAME = re.compile(r"(?<![\w-])([A-Za-z][\w-]*)\s*=\s*")
_BRACE = re.compile(r"[{}]")
_BRACE_OR_QUOTE = re.compile(r'[{}"]')
_BARE = re.compile(r"[^\s,{}#\"]*")
_JOIN = re.compile(r"\s*#\s*")
_NO_ENTRY = frozenset({"comment", "string", "preamble"})


@dataclass(frozen=True, slots=True)
class Read:
    """The fields of each entry, in lower case, as they are written without their braces or quotes; and what stands
    between the entries."""

    entries: tuple[Mapping[str, str], ...]
    between: str


def read(text: str, most: int) -> Read:
    """The first `most` entries of a text."""
    found: list[Mapping[str, str]] = []
    between: list[str] = []
    lines = [line.start() for line in _LINE.finditer(text)]
    at = 0
    while len(found) < most and (begun := _BEGINS.search(text, at)):
        between.append(text[at : begun.start()])
        last = min([len(text), begun.end() + LONGEST, *lines[(after := bisect_left(lines, begun.end())) : after + 1]])
        # an entry that is not closed ends where the next one begins
        at = closed + 1 if (closed := _closing(text, begun.end(), last)) >= 0 else last
        if begun[1].lower() not in _NO_ENTRY:
            found.append(dict(_fields(text, begun.end(), closed if closed >= 0 else last)))
    between.append(text[at:] if len(found) < most else "")
    return Read(tuple(found), "\n".join(between))


def _closing(text: str, at: int, last: int) -> int:
    """Where the brace stands that closes one opened before `at`; -1: nowhere before `last`. In BibTeX a brace counts
    whatever stands before it."""
    depth = 1
    for brace in _BRACE.finditer(text, at, last):
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return brace.start()
    return -1


def _fields(text: str, at: int, last: int) -> Iterator[tuple[str, str]]:
    """A value that is not closed ends with its line, and so do all that follow."""
    broken = False
    while named := _NAME.search(text, at, last):
        parts, at = [], named.end()
        while True:
            end = _line_end(text, at, last) if broken else last
            part, after = _value(text, at, end)
            if after < 0:
                broken, after = True, _line_end(text, at, last)
                part = text[at + 1 : after]
            parts.append(part)
            if not (joined := _JOIN.match(text, after, last)):
                break
            at = joined.end()
        at = after
        yield named[1].lower(), " ".join("".join(parts).split())


def _line_end(text: str, at: int, last: int) -> int:
    found = text.find("\n", at, last)
    return found if found >= 0 else last


def _value(text: str, at: int, last: int) -> tuple[str, int]:
    """A value or a part of one, and where what follows it begins; -1: it is not closed."""
    opening = text[at : at + 1] if at < last else ""
    if opening == "{":
        closed = _closing(text, at + 1, last)
    elif opening == '"':
        closed = _quoted(text, at + 1, last)
    else:
        bare = _BARE.match(text, at, last)
        return (bare[0], bare.end()) if bare else ("", last)
    return (text[at + 1 : closed], closed + 1) if closed >= 0 else ("", -1)


def _quoted(text: str, at: int, last: int) -> int:
    """Where the quote stands that ends a value: one outside of all braces; -1: nowhere before `last`."""
    depth = 0
    for sign in _BRACE_OR_QUOTE.finditer(text, at, last):
        if sign[0] == '"':
            if not depth:
                return sign.start()
        else:
            depth += 1 if sign[0] == "{" else -1
    return -1
