"""Text that a visitor typed, made harmless to keep. Pure."""

from __future__ import annotations

import unicodedata


def clean(text: str, keep: str = "") -> str:
    """The text in its composed form, without characters that can't be seen and with its white space folded; each
    character of `keep` stays."""
    shown = (one if one in keep else _visible(one) for one in unicodedata.normalize("NFC", text))
    folded = "".join(shown)
    return folded if keep else " ".join(folded.split())


def _visible(character: str) -> str:
    match unicodedata.category(character):
        case "Cc" | "Cs" | "Cn" | "Co" | "Zl" | "Zp":
            return " "
        case "Cf":  # soft hyphens, joiners, marks of direction
            return ""
        case _:
            return character


_FORMULA = tuple("=+-@\t\r'")
"""What makes a spreadsheet take a cell for a formula, and the sign by which it does not."""


def cell(text: str) -> str:
    """A text as a cell of CSV that no spreadsheet runs: behind an apostrophe where it would begin as a formula does
    (or as what this makes of one)."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def uncell(text: str) -> str:
    """What `cell` was given; any other text is returned as it is."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text
