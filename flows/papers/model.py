"""A paper, and what a source gives: values only."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import NewType

PaperId = NewType("PaperId", str)

_ARXIV_ID = re.compile(r"(?:arxiv:)?(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?", re.IGNORECASE | re.ASCII)


_DOI = re.compile(r"10\.\d{4,9}/[a-z0-9._()/:;-]+", re.ASCII)
LONGEST_ID = 40


def paper_id(text: str) -> PaperId:
    """The arXiv identifier without its version, new style (2606.10651) or old (astro-ph/0601001); of a paper that is
    not on arXiv its DOI in lower case, of at most 40 characters.

    Raises ValueError for anything else. https://info.arxiv.org/help/arxiv_identifier.html,
    https://www.doi.org/doi-handbook/HTML/doi-name-syntax.html
    """
    found = _ARXIV_ID.fullmatch(text.strip())
    if not found:
        doi = text.strip().lower().removeprefix("https://doi.org/").removeprefix("doi:")
        if _DOI.fullmatch(doi) and len(doi) <= LONGEST_ID:
            return PaperId(doi)
        raise ValueError(f"{text[:60]!r} is not an arXiv identifier such as 2606.10651")
    return PaperId(found[1])


LONGEST = {
    "title": 400,
    "abstract": 20_000,
    "ai_summary": 2_000,
    "note": 1_000,
    "journal": 300,
    "organisation": 200,
    "submitter": 200,
}
"""Characters that a text of a paper has at most: several times what any paper has needed. The rest is left out."""


def shortened(text: str, most: int) -> str:
    """The text with so many characters at most, cut behind a word where one ends nearby."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    head, space, _ = cut.rpartition(" ")
    return f"{head if space and len(head) > most * 3 // 4 else cut}…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One published paper. Texts are as the source gave them (TeX and markup included), white space folded.

    `upvotes` and `comments` are None where nobody could vote, which is not the same as 0.
    Every link is an http or https URL.
    """

    id: PaperId
    title: str
    day: dt.date
    """The day on which a source listed it: the earliest, where sources are united."""
    sources: tuple[str, ...]
    abstract: str = ""
    authors: tuple[str, ...] = ()
    published: dt.date | None = None
    listed_at: dt.datetime | None = None
    categories: tuple[str, ...] = ()
    """arXiv categories, the primary one first."""
    announced: str = ""
    """arXiv's announce type: new, cross, replace or replace-cross."""
    upvotes: int | None = None
    comments: int | None = None
    submitter: str = ""
    keywords: tuple[str, ...] = ()
    ai_summary: str = ""
    organisation: str = ""
    code: str = ""
    stars: int | None = None
    project: str = ""
    thumbnail: str = ""
    note: str = ""
    """The authors' comment on arXiv ("12 pages, accepted at …")."""
    doi: str = ""
    journal: str = ""

    def __post_init__(self) -> None:
        """A source may say anything: no text is longer than a page and a mail can bear."""
        for name, most in LONGEST.items():
            if len(text := getattr(self, name)) > most:
                object.__setattr__(self, name, shortened(text, most))
        if any(len(author) > LONGEST["organisation"] for author in self.authors):
            shorter = tuple(shortened(author, LONGEST["organisation"]) for author in self.authors)
            object.__setattr__(self, "authors", shorter)

    @property
    def on_arxiv(self) -> bool:
        return not _DOI.fullmatch(self.id)

    @property
    def url(self) -> str:
        return f"https://arxiv.org/abs/{self.id}" if self.on_arxiv else f"https://doi.org/{self.id}"

    @property
    def pdf(self) -> str:
        """Empty where the paper is not on arXiv: a DOI leads to a page."""
        return f"https://arxiv.org/pdf/{self.id}" if self.on_arxiv else ""

    @property
    def discussion(self) -> str:
        """Where the paper is voted on and talked about; empty if Hugging Face did not list it."""
        return f"https://huggingface.co/papers/{self.id}" if self.upvotes is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What to ask a source for: one day, and the arXiv categories that the newsletter follows."""

    day: dt.date
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The base URLs of the services, without a slash at the end."""

    huggingface: str = "https://huggingface.co"
    arxiv: str = "https://export.arxiv.org/api/query"
    arxiv_rss: str = "https://rss.arxiv.org/rss"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One address to fetch, and how the answer is to be read."""

    url: str
    kind: str
    """What the source calls this answer, so that `parse` knows what it reads: "page", "rss", "query", …"""
    format: str
    """"json" or "xml": an answer that does not even begin like that is fetched again."""
    service: str
    """The service whose pace it keeps: "huggingface", "arxiv", or "package" for a file that we ship."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """An entry that could not be read: which, and why."""

    entry: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one body held, and what to ask next because of it."""

    papers: tuple[Paper, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    follow: tuple[Request, ...] = ()
    silence: str = ""
    """Why a well-formed answer holds nothing for this day ("arXiv announces nothing at weekends")."""
    doubt: str = ""
    """What is wrong with an answer though it could be read, a sentence without its end: the day may not be whole."""
    names: frozenset[str] = frozenset()
    """Of a page: all that it lists, whether it is of this day or not."""
    total: int = 0
    """Of a page: how many all pages of its kind together say they list; 0: unknown."""


class Unreadable(Exception):  # noqa: N818
    """A body that is not what the service should answer: worth fetching again. The message says what it is instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What one source gave for one day, and what went wrong on the way."""

    source: str
    day: dt.date
    papers: tuple[Paper, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    silence: str = ""
    problem: str = ""
    """One sentence for the operator: what failed (URL, status, attempts) and what to do. Empty: nothing failed."""
