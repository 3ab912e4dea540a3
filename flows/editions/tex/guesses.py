"""What braces and dollar signs were meant for, where the source leaves it open."""

from __future__ import annotations

import re

_BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
_LIKE_TEX = re.compile(r"[\\^_{}]")
_PLAIN_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_NUMERIC = re.compile(r"[\d\s.,:;/%+*()<>=~−–±×|°-]+")
_PRICE = re.compile(r"\d[\d.,]*[KMB]?(?:[,;.] |.*(?<![A-Za-z])[A-Za-z]{2,})")
_FORMULA = 60
"""Characters of a formula without any TeX in it."""


def pair(source: str) -> dict[int, int]:
    """Where each opening brace that has a closing one is closed."""
    pairs: dict[int, int] = {}
    opened: list[int] = []
    for brace in _BRACES.finditer(source):
        if brace[0] == "{":
            opened.append(brace.start())
        elif brace[0] == "}" and opened:
            pairs[opened.pop()] = brace.start()
    return pairs


def is_formula(inside: str, follows: str) -> bool:
    """Whether what stands between two dollar signs is a formula, and not the words between two prices."""
    if not inside.strip():
        return False
    is_like_tex = bool(_LIKE_TEX.search(inside))
    if inside[0].isspace() or inside[-1].isspace():
        # "5 million and " is not one, " x " and "10 \times " are
        return not _PLAIN_WORD.search(inside) and (is_like_tex or not inside[0].isdigit())
    if is_like_tex:
        return True
    if follows.isdigit():
        return False
    return bool(_NUMERIC.fullmatch(inside)) or (len(inside) <= _FORMULA and not _PRICE.match(inside))


def is_set(inside: str) -> bool:
    """Whether braces in prose were meant to be seen: {1.7B, 4B} is, 9{,}600 and {C}ontinual are not."""
    return "," in inside and len(inside) > 2 and not inside.startswith(("\\", ","))
