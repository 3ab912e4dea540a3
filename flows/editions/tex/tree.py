"""What TeX is read into: an author's intent, not a typesetter's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FIRST_KEPT = 0xF0000
"""Text to be left alone (a URL) stands in a source as one private character, from this one on."""


@dataclass(frozen=True, slots=True)
class Script:
    """A superscript (mark `^`) or a subscript (mark `_`)."""

    mark: str
    body: Sequence[Node]


@dataclass(frozen=True, slots=True)
class Styled:
    """Something in a style: `b`, `i` or `code`."""

    style: str
    body: Sequence[Node]


@dataclass(frozen=True, slots=True)
class Accented:
    """Something under a combining character. In a word the accent is its first letter's."""

    accent: str
    body: Sequence[Node]
    in_word: bool = False


@dataclass(frozen=True, slots=True)
class Lettered:
    """Something in another alphabet (ℝ, 𝒪), named as its command is."""

    alphabet: str
    body: Sequence[Node]


@dataclass(frozen=True, slots=True)
class Fraction:
    over: Sequence[Node]
    under: Sequence[Node]


@dataclass(frozen=True, slots=True)
class Root:
    index: str
    body: Sequence[Node]


Node = str | Script | Styled | Accented | Lettered | Fraction | Root


def is_kept(character: str) -> bool:
    """Whether this character (or none) stands for text to be left alone."""
    return bool(character) and ord(character) >= FIRST_KEPT
