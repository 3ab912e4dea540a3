"""Colours that can be read: contrast as WCAG 2.2 section 1.4.3 computes it."""

from __future__ import annotations

import re

AA = 4.5
"""The contrast that text of ordinary size needs."""


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours such as #0b6e5f, from 1 to 21."""
    dark, light = sorted((_luminance(_channels(one)), _luminance(_channels(other))))
    return (light + 0.05) / (dark + 0.05)


def readable(colour: str, background: str, ratio: float = AA) -> str:
    """`colour`, or the nearest shade of it that has the contrast against `background`.

    Raises ValueError for anything but six hexadecimal digits after a #.
    """
    target = 255 if _luminance(_channels(background)) < 0.18 else 0
    for step in range(51):
        shade = "#" + "".join(f"{round(c + (target - c) * step / 50):02x}" for c in _channels(colour))
        if contrast(shade, background) >= ratio:
            return shade
    return f"#{target:02x}{target:02x}{target:02x}"


def _channels(colour: str) -> tuple[int, int, int]:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise ValueError(f"{colour[:30]!r} is not a colour such as #0b6e5f")
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(channels: tuple[int, int, int]) -> float:
    red, green, blue = ((c / 255 / 12.92) if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
