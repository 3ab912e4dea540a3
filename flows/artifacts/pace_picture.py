"""How fast a delivery went, drawn: a line of mails a second over its time, as a picture within Markdown."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import pairwise

from flows.artifacts.delivery_words import Look

WIDTH, HEIGHT = 640, 120
EDGE = 18
"""Room for words, over and under the line."""
POINTS = 120
"""So many are drawn at most: neighbours are taken together."""
INK = "#7f7f7f"
"""Read on light and on dark: a picture does not know which it stands on."""
LINE = "#3b82f6"


def picture(looks: Sequence[Look]) -> str:
    """The picture, as Markdown with a data URI of a few kilobytes; empty where too little was seen to draw a line."""
    steps = rates(looks)
    most = max((rate for _, rate in steps), default=0.0)
    if len(steps) < 2 or not most:
        return ""
    whole, high = steps[-1][0], HEIGHT - 2 * EDGE
    line = " ".join(f"{WIDTH * at / whole:.0f},{EDGE + high - high * rate / most:.0f}" for at, rate in steps)
    told = (
        f'<text x="0" y="12">{most:,.0f} a second at most</text>'
        f'<text x="{WIDTH}" y="{HEIGHT - 3}" text-anchor="end">{whole:,.0f} seconds</text>'
    )
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<path d="M0 {HEIGHT - EDGE}H{WIDTH}" stroke="{INK}"/>'
        f'<polyline points="{line}" fill="none" stroke="{LINE}" stroke-width="2"/>'
        f'<g font-family="sans-serif" font-size="12" fill="{INK}">{told}</g></svg>'
    )
    return f"![Mails a second](data:image/svg+xml;base64,{base64.b64encode(drawn.encode()).decode()})"


def rates(looks: Sequence[Look]) -> list[tuple[float, float]]:
    """Mails a second between looks, at the seconds of the later one; `POINTS` at most."""
    kept = [*looks[:: max(1, -(-len(looks) // POINTS))]]
    if looks and kept[-1] is not looks[-1]:
        kept.append(looks[-1])
    return [
        (later.seconds, max(0.0, (later.sent - earlier.sent) / (later.seconds - earlier.seconds)))
        for earlier, later in pairwise(kept)
        if later.seconds > earlier.seconds
    ]
