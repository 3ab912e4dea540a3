"""What a mail offers: its subject, made of the names of its first papers, and what it says of those left out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from markupsafe import escape

from flows.mail import encode, look
from flows.mail.language import ENGLISH, Words

LONGEST = 62
"""Characters of names in a subject: telephones show forty, desktops sixty."""
SHORT = 30
"""Of a name after the first: what is longer is a title."""
NAMED = 2
"""Topics that are named of those that have papers left out."""


class Said(NamedTuple):
    """The same words as they stand in the HTML, and in the text from the start of a line."""

    html: bytes
    text: bytes


@lru_cache(maxsize=5_000)
def subject(names: tuple[str, ...], papers: int, date: str, words: Words = ENGLISH) -> tuple[bytes, bytes]:
    """The Subject field (without its line end) of a mail with so many papers, and the same as it stands in the HTML:
    "PhiZero, Metis and AskChem · 31 July". As many of the names as have room, the first always;
    where one has none, how many papers more there are."""
    said = _listed(names, papers, words)
    whole = f"{said} · {date}"
    title = encode.references(str(escape(whole)))
    short = len(said) <= LONGEST + 12 and "=?" not in said
    if short and said.isascii() and said.isprintable() and date.isascii():
        return b"Subject: %s\r\n =?utf-8?q?=C2=B7?= %s" % (said.encode(), date.encode()), title
    return b"Subject: " + encode.words(whole), title


@lru_cache(maxsize=1_000)
def counted(one: str, other: str, count: int) -> Said:
    """A phrase with a number in it, for the middle of a line."""
    said = (one if count == 1 else other).format(count=count)
    if said.isascii():
        return Said(said.encode(), said.encode())
    return Said(encode.references(str(escape(said))), encode.quoted_printable(said, goes_on=True))


def given(words: str) -> tuple[bytes, bytes]:
    """The Subject field that an operator wrote, and the same as it stands in the HTML."""
    said = look.tidy(words)
    plain = said.isascii() and "=?" not in said and len(said) <= LONGEST
    return b"Subject: " + (said.encode() if plain else encode.words(said)), encode.references(str(escape(said)))


def _listed(names: tuple[str, ...], papers: int, words: Words) -> str:
    shown = list(names[:1])
    for name in names[1:]:
        if len(name) <= SHORT and len(", ".join([*shown, name])) <= LONGEST:
            shown.append(name)
    if len(shown) < len(names):
        shown.append(words.and_more.format(count=papers - len(shown)))
    return _and(shown, words)


def _and(listed: Sequence[str], words: Words) -> str:
    *before, last = listed
    return words.and_last.format(before=", ".join(before), last=last) if before else last


@lru_cache(maxsize=5_000)
def left_out(topics: tuple[tuple[str, int], ...], shown: int, *, chosen: bool, words: Words = ENGLISH) -> Said:
    """How many papers of which topics were left out: "24 of 38 here, as you chose. On the web: 4 more on Agents and 10
    on other topics." """
    most = sorted(topics, key=lambda one: -one[1])
    named = [words.left_topic.format(count=count, topic=name) for name, count in most[:NAMED]]
    if others := sum(count for _, count in most[NAMED:]):
        named.append(words.left_others.format(count=others))
    left = sum(count for _, count in topics)
    here = (words.left_chosen if chosen else words.left).format(shown=shown, all=shown + left)
    said = f"{here} {words.left_where.format(where=_and(named, words))}"
    return Said(encode.references(str(escape(said))), encode.quoted_printable(look.wrap(said)))
