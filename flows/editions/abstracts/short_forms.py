"""Short forms in an abstract: spelled out where they are used alone, left out where they are introduced for later."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SHORT_FOR = re.compile(r" \((?:[a-z]?[A-Z][\w-]{0,9}|[A-Z][\w-]* ?\w*)\)")
_INTRODUCED = re.compile(
    r"(?<=\w) \(([a-z]?[A-Z][A-Za-z0-9]{1,7})\)( (?:models?|polic|methods?|tasks?|systems?|frameworks?))?"
)
_PART = re.compile(r"(([\w']+)[\s-]*)")
_SMALL = frozenset({"of", "and", "the", "for", "in", "on", "with", "to", "from", "a", "by", "as", "via"})


def long_forms(readable: str, title: str) -> dict[str, str]:
    """What short forms stand for that a text introduces ("large language models (LLMs)") and the title does not use."""
    found: dict[str, str] = {}
    for short in _INTRODUCED.finditer(readable):
        if short[2] or any(c.isdigit() for c in short[1]):
            continue  # "vision-language-action (VLA) models": half a name
        letters = "".join(c for c in short[1].removesuffix("s") if c.isalpha()).upper()
        before = _PART.findall(readable[max(0, short.start() - 120) : short.start()])[-len(letters) - 3 :]
        for n in range(2, len(before) + 1):
            named = before[-n:]
            telling = [part for part in named if part[1] not in _SMALL]
            if letters in ("".join(part[1][0] for part in each).upper() for each in (named, telling)):
                found.setdefault(short[1], "".join(part[0] for part in named).strip(" -"))
                break
    return {short: long for short, long in found.items() if short not in title and len(long) > len(short)}


def without_short_forms(text: str, title: str) -> str:
    """The text without the short forms that it introduces and neither uses nor is named by."""

    def dropped(found: re.Match[str]) -> str:
        short = found[0][2:-1]
        return found[0] if short in title or text.count(short) > 1 else ""

    return _SHORT_FOR.sub(dropped, text) if " (" in text else text


def spelled_out(text: str, longer: Mapping[str, str]) -> str:
    """The text with what its short forms stand for, where they come first."""
    for short in longer:
        plain = short.removesuffix("s") if len(short) > 2 else short
        if plain not in text or f"({short})" in text:
            continue
        used = re.search(rf"(?<![\w(\[/-])((?:[Aa]n?) )?{re.escape(plain)}(s?)(?![\w/])(?!-[A-Z0-9])", text)
        if not used:
            continue
        singular = longer[short].removesuffix("s") if short != plain else longer[short]
        long = singular + used[2]
        if used[1] and (used[1].strip().lower() == "an") != (long[0].lower() in "aeio"):
            continue
        if not long[1:2].isupper() and not text[: used.start()].strip() and not used[1]:
            long = long[:1].upper() + long[1:]
        elif long[:1].isupper() and long[1:2].islower() and " " in long and long.partition(" ")[2].islower():
            long = long[:1].lower() + long[1:]
        text = text[: used.start()] + (used[1] or "") + long + text[used.end() :]
    return text
