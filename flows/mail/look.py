"""Templates and what they see of a paper. The only I/O is reading the templates.

A look may extend a shipped template and replace its blocks. Templates are searched in the operator's folder first.
"""

from __future__ import annotations

import datetime as dt
import re
import textwrap
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateSyntaxError,
    select_autoescape,
)
from markupsafe import Markup
from premailer import Premailer

from flows.editions import excerpt, maths
from flows.editions.model import Entry
from flows.papers.model import Paper

_TEMPLATES = (".html", ".txt", ".css")
_AUTHORS = 3
_NAME = 80
_TITLE = 300
"""Above these lengths (characters) a source gave nonsense: no name is so long, and no card may fill a mail."""

# Controls, lone surrogates, noncharacters and the marks that turn the direction of everything after them.
_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
_URL = re.compile(r"https?://[^\s\x00-\x20\x7f-\x9f\ud800-\udfff\"<>\\^`{|}]{1,500}")
_STYLE = re.compile(r"""(?<=\sstyle=)("[^"]*"|'[^']*')(?=[^<>]*>)""")
"""A style attribute's value: in text, < and > are escaped."""
_PICTURE = re.compile(r"https://[\w.-]+/[\w./%~+-]{1,300}", re.ASCII)
"""No query: what tells one address from another could tell one reader from another."""
_SALAD = re.compile(r"\b(?:(?:[a-z]{8,}[\s.]+){6}|(?:[a-z]{6,}[\s.]+){9}|(?:[a-z]{5,}[\s.]+){10})")
_MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    label: str
    url: str
    note: str = ""
    """What stands behind the label: "★ 1.2k"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A paper as a template shows it: `title` and `summary` are markup in HTML and plain text in the text version."""

    id: str
    title: str
    name: str
    """Its short title, plain text."""
    topic: str
    """Its topic's name."""
    url: str
    authors: str
    lead: str
    """The first author, and how many others."""
    organisation: str
    facts: tuple[str, ...]
    """Upvotes and comments, as far as there are any."""
    votes: str
    """The number of upvotes alone; empty where there are none."""
    rose: str
    """What it has gained since it was last shown: "+120 upvotes since last shown"; empty where nothing."""
    summary: str
    machine: bool
    """Whether a model wrote the summary."""
    links: tuple[Link, ...]
    """Where else to go: PDF, discussion, code, project."""
    discussion: str
    """The address of the discussion alone; empty where there is none."""
    picture: str
    """Where its thumbnail lies; empty where none is to be shown."""


def view(entry: Entry, topic: str, readable: Callable[[str], str], *, pictures: bool = False) -> View:
    """What the templates see of a paper of the topic so named, its maths made readable by `readable` (to text or to
    markup); its thumbnail only where the newsletter shows `pictures`."""
    paper = entry.paper
    title = tidy(paper.title) or paper.id
    summary = _readable_summary(tidy(paper.ai_summary))
    authors = [name for author in paper.authors if (name := _name(author))]
    return View(
        id=paper.id,
        name=short_name(paper),
        topic=topic,
        title=readable(title if len(title) <= _TITLE else excerpt.excerpt(title, _TITLE)),
        url=paper.url,
        authors=byline(authors),
        lead=byline(authors, 1),
        organisation=_name(paper.organisation),
        facts=tuple(_count(n, noun) for n, noun in ((paper.upvotes, "upvote"), (paper.comments, "comment")) if n),
        votes=f"{paper.upvotes:,}" if paper.upvotes else "",
        rose=f"+{_count(entry.rose, 'upvote')} since last shown" if entry.rose > 0 else "",
        summary=readable(excerpt.excerpt(summary or tidy(paper.abstract))),
        machine=bool(summary),
        links=tuple(
            Link(label=label, url=url, note=note)
            for label, url, note in (
                ("PDF", paper.pdf, ""),
                ("Discussion", paper.discussion, ""),
                ("Code", paper.code, stars(paper.stars) if paper.stars else ""),
                ("Project", paper.project, ""),
            )
            if _URL.fullmatch(url)
        ),
        discussion=paper.discussion,
        picture=paper.thumbnail if pictures and _PICTURE.fullmatch(paper.thumbnail) else "",
    )


def phrase(words: str, readable: Callable[[str], str]) -> str:
    """What a story's papers share, made readable and kept short."""
    return readable(excerpt.excerpt(tidy(words), _NAME))


def short_name(paper: Paper) -> str:
    """What a paper is called where there is little room: plain text, never empty."""
    return tidy(excerpt.short_title(tidy(paper.title))) or paper.id


def environment(folders: Sequence[Path]) -> Environment:
    """Jinja over `folders`, the first that has a template wins. What a template gets wrong raises.

    `shipped/…` is always the template in the last folder, ours: one of the same name may extend it.
    """
    shipped = {"shipped": FileSystemLoader(folders[-1])}
    env = Environment(
        loader=ChoiceLoader([FileSystemLoader(folders), PrefixLoader(shipped)]),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {"wrap": wrap, "long_date": long_date}
    env.filters.update(filters)
    return env


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a template's file."""

    file: Path
    line: int


def place(error: BaseException) -> Place | None:
    """Where in a template an error arose, as far as it can be told."""
    if isinstance(error, TemplateSyntaxError):
        return Place(Path(error.filename), error.lineno) if error.filename else None
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        if Path(frame.filename).suffix in _TEMPLATES:
            return Place(Path(frame.filename), frame.lineno or 1)
    return None


def inline(document: str) -> str:
    """`document` with its style sheet written into the elements as well, for clients that drop style sheets."""
    # The defaults would strip !important inside @media and put attributes that HTML no longer has on elements.
    basic = ["bgcolor", "align", "width", "height", "valign"]
    inlined: str = Premailer(
        document,
        keep_style_tags=True,
        strip_important=False,
        remove_classes=False,
        disable_basic_attributes=basic,
        disable_validation=True,
    ).transform()
    # a blank for each property is a paper less in a long mail
    return _STYLE.sub(lambda style: style[1].replace("; ", ";"), inlined)


def markup(source: str) -> Markup:
    """TeX as escaped HTML."""
    return Markup(maths.html(source))  # noqa: S704 - `maths.html` escapes what it is given


def tidy(text: str) -> str:
    """`text` on one line, without characters that no document may hold or that disturb their surroundings."""
    return " ".join(_UNFIT.sub("", text).split())


def byline(names: Sequence[str], shown: int = _AUTHORS) -> str:
    """The first authors and how many others: "A, B, C and 12 others"; one more is named rather than counted."""
    if len(names) <= shown + 1:
        return ", ".join(names)
    return f"{', '.join(names[:shown])} and {len(names) - shown}\u00a0others"


def stars(n: int) -> str:
    return f"★\u00a0{n}" if n < 1000 else f"★\u00a0{n / 1000:.1f}k" if n < 9950 else f"★\u00a0{round(n / 1000)}k"


def short_date(day: dt.date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]}"


def long_date(day: dt.date) -> str:
    """ "Tuesday, 9 June 2026", in English whatever the locale."""
    return f"{_DAYS[day.weekday()]}, {short_date(day)} {day.year}"


def wrap(text: str, indent: int = 0, width: int = 72, hang: int = 0) -> str:
    """`text` in lines of at most `width` characters, those after the first indented by `hang` more; a longer word
    stands alone, a no-break space holds."""
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hang),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace("\u00a0", " ")


def _readable_summary(text: str) -> str:
    """`text`, or nothing if it strings so many long words together that it reads badly.

    SpamAssassin (LONGWORDS) takes such strings for word salad. Models write them, authors of abstracts hardly do.
    """
    return "" if _SALAD.search(text) else text


def _name(text: str) -> str:
    name = tidy(maths.text(tidy(text)))
    return name if len(name) <= _NAME else name[: _NAME - 1].rstrip() + "…"


def _count(n: int, noun: str) -> str:
    return f"{n:,}\u00a0{noun}{'' if n == 1 else 's'}"
