"""Templates and what they see of a paper. The only I/O is reading the templates.

A look may extend a shipped template and replace its blocks. Templates are searched in the operator's folder first.
"""

from __future__ import annotations

import re
import textwrap
import traceback
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
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
from flows.editions.gist import gist
from flows.editions.model import Entry
from flows.editions.paper_name import paper_name
from flows.mail.language import MailPhrases
from flows.papers.model import Paper

_TEMPLATES = (".html", ".txt", ".css")
_AUTHORS = 3
_NAME = 80
_TEASER = 200
GIST = 280
"""Characters of what a card says of a paper."""
_WHOLE = 400
"""Of a summary whose only sentence is longer than that: half of it would say nothing."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    label: str
    url: str
    note: str = ""
    """What stands behind the label: "★ 1.2k"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A paper as a template shows it: `title` is markup in HTML and plain text in the text version."""

    id: str
    number: int
    """Its place in the whole edition, from 1: what its addresses are found by in the text version."""
    title: str
    name: str
    """What it is called where there is little room, plain text."""
    topic: str
    """Its topic's name."""
    url: str
    authors: str
    """The first three, and how many others."""
    first_author: str
    """The first, and how many others."""
    organisation: str
    """Empty where it is named among the authors."""
    votes: str | None
    """The number of upvotes; None where nobody could vote."""
    likely: bool
    """Whether it stands where it does because it is likely that readers will vote for it."""
    rose: str
    """What it has gained since it was last shown: "+120 upvotes since last shown"; empty where nothing."""
    gist: str
    """What it did, in a sentence or two."""
    short_gist: str
    """The same in one sentence."""
    machine: bool
    """Whether a model wrote the gist."""
    links: tuple[Link, ...]
    """Where else to go: PDF, code."""
    discussion: str
    """The address of the discussion; empty where there is none."""
    picture: str
    """Where its thumbnail lies; empty where none is to be shown."""


def view(
    entry: Entry, number: int, topic: str, readable: Callable[[str], str], say: MailPhrases, *, pictures: bool = False
) -> View:
    """What the templates see of a paper of the topic so named, its maths made readable by `readable` (to text or to
    markup); its thumbnail only where the newsletter shows `pictures`."""
    paper = entry.paper
    title = tidy(paper.title) or paper.id
    said, machine = gist_of(paper)
    authors = [name for author in paper.authors if (name := _name(author))]
    return View(
        id=paper.id,
        number=number,
        name=short_name(paper),
        topic=topic,
        title=readable(title if len(title) <= _TITLE else excerpt.excerpt(title, _TITLE)),
        url=paper.url,
        authors=byline(authors, say),
        first_author=byline(authors, say, 1),
        organisation="" if (organisation := _name(paper.organisation)) in authors else organisation,
        votes=None if paper.upvotes is None else say.text("mail.votes", count=paper.upvotes),
        likely=entry.likely,
        rose=say.text("mail.rose", count=entry.rose) if entry.rose > 0 else "",
        gist=said,
        short_gist=excerpt.first_sentence(said),
        machine=machine,
        links=tuple(
            Link(label=label, url=url, note=note)
            for label, url, note in (
                ("PDF", paper.pdf, ""),
                (say.text("paper.links.code"), paper.code, stars(paper.stars) if paper.stars else ""),
            )
            if _URL.fullmatch(url)
        ),
        discussion=paper.discussion if _URL.fullmatch(paper.discussion) else "",
        picture=paper.thumbnail if pictures and _PICTURE.fullmatch(paper.thumbnail) else "",
    )


def gist_of(paper: Paper) -> tuple[str, bool]:
    """What a paper did, as plain text, and whether a model wrote it: its summary, else the abstract's own words."""
    if summary := _readable_summary(tidy(paper.ai_summary)):
        short = excerpt.excerpt(summary, GIST)
        return tidy(maths.text(excerpt.excerpt(summary, _WHOLE) if short.endswith("…") else short)), True
    return tidy(_gist(paper.title, paper.abstract)), False


def teaser(paper: Paper) -> str:
    """What a paper did, in one sentence of plain text: what inboxes show beside a subject."""
    return excerpt.first_sentence(gist_of(paper)[0])[:_TEASER]


_gist = lru_cache(maxsize=2_000)(gist)
"""Both forms of a mail, and each of its looks, ask for the same."""


def is_rtl(text: str) -> bool:
    """Whether a text runs from right to left: its first letter says so (UAX #9, rule P2)."""
    for c in text.striptags() if isinstance(text, Markup) else text:
        match unicodedata.bidirectional(c):
            case "L":
                return False
            case "R" | "AL":
                return True
    return False


def phrase(words: str, readable: Callable[[str], str]) -> str:
    """A sentence about the edition, made readable and kept short."""
    return readable(excerpt.excerpt(tidy(words), _TITLE))


def short_name(paper: Paper) -> str:
    """What a paper is called where there is little room: plain text, never empty."""
    return tidy(paper_name(tidy(paper.title), tidy(paper.abstract))) or paper.id


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
    filters: Sequence[Callable[..., Any]] = (wrap, is_rtl, unbroken, underlined)
    env.filters.update({one.__name__: one for one in filters})
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


def inline(document: str, *, keep: bool = True) -> str:
    """`document` with its style sheets written into the elements, for clients that drop style sheets; they are kept in
    the head as well where `keep` says so. One that is marked data-premailer="ignore" stays in the head alone."""
    # The defaults would strip !important inside @media and put attributes that HTML no longer has on elements.
    basic = ["bgcolor", "align", "width", "height", "valign"]
    inlined: str = Premailer(
        document,
        keep_style_tags=keep,
        strip_important=False,
        remove_classes=False,
        disable_basic_attributes=basic,
        disable_validation=True,
        allow_network=False,
    ).transform()
    # a blank for each property is a paper less in a long mail
    return _STYLE.sub(lambda style: style[1].replace("; ", ";"), inlined)


def markup(source: str) -> Markup:
    """TeX as escaped HTML."""
    return Markup(maths.html(source))  # noqa: S704 - `maths.html` escapes what it is given


def unbroken(text: str) -> str:
    """`text` on one line, whatever the width."""
    return text.replace(" ", "\u00a0")


def underlined(heading: str) -> str:
    """A heading of plain text: capitals, and a line below."""
    shown = heading.upper()
    return f"{shown}\n{'-' * len(shown)}"


def tidy(text: str) -> str:
    """`text` on one line, without characters that no document may hold or that disturb their surroundings."""
    return " ".join(_UNFIT.sub("", text).split())


def byline(names: Sequence[str], say: MailPhrases, shown: int = _AUTHORS) -> str:
    """The first authors and how many others: "A, B, C and 12 others"; one more is named rather than counted."""
    if len(names) <= shown + 1:
        return ", ".join(names)
    return say.text("mail.others", names=", ".join(names[:shown]), count=len(names) - shown)


def stars(n: int) -> str:
    return f"★\u00a0{n}" if n < 1000 else f"★\u00a0{n / 1000:.1f}k" if n < 9950 else f"★\u00a0{round(n / 1000)}k"


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
