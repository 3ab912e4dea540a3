"""What an operator should know of an edition before it is delivered. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from flows.editions.model import Edition

FEWER = 0.6
"""Of the papers that editions usually have: below this part something may be missing."""
COMPARED = 3
"""Fewer editions than that tell nothing of what is usual."""
NEAR = 0.9
"""Of the length at which a mail is cut: what is longer grows into it with a reader's own lines."""
WITHOUT_GIST = 0.2
"""More papers than this part that say nothing of what they did are worth a word."""


def concerns(edition: Edition, *, usual: Sequence[int], size: int, limit: int, without_gist: int) -> tuple[str, ...]:
    """Sentences about what looks wrong. `usual`: how many papers the editions before it had; `size`: bytes of HTML of
    the whole edition, of which a mail holds `limit`; `without_gist`: papers of which nothing is said but the title."""
    said = list(edition.missing)
    if len(usual) >= COMPARED and edition.size < FEWER * median(usual):
        fewer = round(100 * (1 - edition.size / median(usual)))
        said.append(f"It has {edition.size} papers, {fewer} % fewer than is usual ({median(usual):g}).")
    if size > limit:
        said.append(
            f"The whole edition has {size / 1000:,.0f} kB of HTML and a mail {limit / 1000:,.0f}: who takes every "
            "topic gets the best of it, and a link to the rest."
        )
    elif size > NEAR * limit:
        said.append(f"The whole edition has {size / 1000:,.0f} kB of HTML, near the {limit / 1000:,.0f} of a mail.")
    if without_gist > WITHOUT_GIST * edition.size:
        said.append(f"{without_gist} of {edition.size} papers have no sentence that says what they did.")
    return tuple(said)
