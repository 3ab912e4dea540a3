"""What a page says of itself to those who link to it: its address, a description, its feeds. Values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flows.editions.model import Kind, Newsletter


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCard:
    """Plain text. `feeds` are paths by their titles."""

    title: str
    description: str
    url: str
    type: str = "article"
    """Open Graph's: https://ogp.me/#types."""
    feeds: Mapping[str, str] = field(default_factory=dict)
    image: str = ""
    """The URL of a picture of it; empty: it has none."""
    tags: Sequence[tuple[str, str]] = ()
    """What else `meta` says, as names and contents."""
    references: str = ""
    """The path at which it lies as .bib and .ris; empty: it does not."""


def name_of(newsletter: str, kind: Kind, day: dt.date) -> str:
    """What an edition is called in paths."""
    return f"{newsletter}/week/{day}" if kind is Kind.WEEKLY else f"{newsletter}/{day}"


def path_of(newsletter: str, kind: Kind, day: dt.date) -> str:
    """Where an edition lies on the web."""
    return f"/archive/{name_of(newsletter, kind, day)}"


def feeds_of(newsletter: Newsletter) -> Mapping[str, str]:
    return {newsletter.title: f"/feeds/{newsletter.slug}.xml"}
