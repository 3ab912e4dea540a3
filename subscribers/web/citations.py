"""Papers as reference managers and indexes of literature read them: BibTeX, RIS, tags in a page's head, COinS. Pure.

What is scraped is hostile: every value is made one line of readable text, and escaped as its form asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

from flows.editions.maths import text
from flows.papers.model import Paper

BIBTEX = "application/x-bibtex"
RIS = "application/x-research-info-systems"
AUTHORS = 100
"""Authors that a tag each is made of: large collaborations have thousands."""
AUTHORS_OF_MANY = 10
"""Authors of one of many papers on a page."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        # BibTeX counts braces whatever stands before them
        "{": r"\textbraceleft{}",
        "}": r"\textbraceright{}",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
    }
    | {sign: f"\\{sign}" for sign in "$&%#_"}
)
_BRACES = re.compile(r"[{}\\]")
"""What would end a field that is read as it stands: nothing can be escaped in it."""
_NOT_IN_KEYS = re.compile(r"[^A-Za-z0-9.:/-]")
_UNFIT_IN_NAMES = re.compile(r"[;,\s]+")
_PARTICLES = frozenset(
    {"van", "von", "der", "den", "de", "del", "della", "di", "da", "dos", "du", "la", "le", "el", "al"}
)


def bibtex(papers: Iterable[Paper]) -> str:
    """An entry for each paper, in UTF-8: `@article` where a journal has it alone, else `@misc` with its arXiv number.

    http://mirrors.ctan.org/biblio/bibtex/base/btxdoc.pdf, https://info.arxiv.org/help/hypertex/bibstyles
    """
    return "\n".join(_bibtex(paper) for paper in papers)


def ris(papers: Iterable[Paper]) -> str:
    """A record for each paper. https://en.wikipedia.org/wiki/RIS_(file_format)"""
    return "".join(
        "".join(f"{tag}  - {value}\r\n" for tag, value in _ris(paper)) + "ER  - \r\n\r\n" for paper in papers
    )


def tags(paper: Paper, public_url: str) -> list[tuple[str, str]]:
    """What the head of a paper's page says of it, as names and contents of `meta`: Highwire's and Dublin Core's.

    https://scholar.google.com/intl/en/scholar/inclusion.html#indexing, https://www.dublincore.org/specifications/dublin-core/dcq-html/
    """
    names = [_named(author) for author in _authors(paper)[:AUTHORS]]
    date = paper.published or paper.day
    keywords = [_named(keyword) for keyword in map(_line, paper.keywords) if keyword]
    found = [
        ("citation_title", _title(paper)),
        *(("citation_author", name) for name in names),
        ("citation_publication_date", f"{date:%Y/%m/%d}"),
        ("citation_journal_title", "" if paper.on_arxiv else _line(paper.journal)),
        ("citation_doi", _doi(paper)),
        ("citation_arxiv_id", paper.id if paper.on_arxiv else ""),
        ("citation_keywords", "; ".join(keywords)),
        ("citation_abstract", _line(paper.abstract)),
        ("citation_abstract_html_url", f"{public_url}/paper/{paper.id}"),
        ("citation_public_url", paper.url),
        ("citation_pdf_url", paper.pdf),
        ("DC.title", _title(paper)),
        *(("DC.creator", name) for name in names),
        ("DC.date", str(date)),
        ("DC.type", "preprint" if paper.on_arxiv else "journalArticle"),
        ("DC.identifier", paper.url),
        *(("DC.subject", keyword) for keyword in keywords),
    ]
    return [(name, content) for name, content in found if content]


def context_object(paper: Paper) -> str:
    """A paper as the title of a COinS span (OpenURL 1.0, in Dublin Core): one of many on a page.

    https://en.wikipedia.org/wiki/COinS
    """
    fields = [
        ("ctx_ver", "Z39.88-2004"),
        ("rft_val_fmt", "info:ofi/fmt:kev:mtx:dc"),
        ("rft.type", "preprint" if paper.on_arxiv else "journalArticle"),
        ("rft.title", _title(paper)),
        *(("rft.creator", _named(author)) for author in _authors(paper)[:AUTHORS_OF_MANY]),
        ("rft.date", str(paper.published or paper.day)),
        ("rft.source", "arXiv" if paper.on_arxiv else _line(paper.journal)),
        ("rft_id", f"info:doi/{_doi(paper)}" if _doi(paper) else ""),
        ("rft.identifier", paper.url),
    ]
    return urlencode([(name, value) for name, value in fields if value])


def _bibtex(paper: Paper) -> str:
    date = paper.published or paper.day
    where = "" if paper.on_arxiv else _line(paper.journal)
    fields = {
        "title": " ".join(map(_kept, _title(paper).split())),
        "author": " and ".join(map(_bibtex_name, _authors(paper))),
        "year": str(date.year),
        "month": _MONTHS[date.month - 1],
        "journal": _escaped(where),
        "eprint": paper.id if paper.on_arxiv else "",
        "archiveprefix": "arXiv" if paper.on_arxiv else "",
        "primaryclass": _escaped(_line(paper.categories[0])) if paper.on_arxiv and paper.categories else "",
        "doi": _BRACES.sub("", _doi(paper)),
        "url": paper.url,
        "note": _escaped(_line(paper.journal)) if paper.on_arxiv else "",
        "keywords": _escaped(", ".join(filter(None, (_line(one).replace(",", " ") for one in paper.keywords)))),
        "abstract": _escaped(_line(paper.abstract)),
    }
    lines = [
        # a month is a word of BibTeX's own
        f"  {name} = {value if name == 'month' else f'{{{value}}}'}"
        for name, value in fields.items()
        if value
    ]
    kind = "article" if where else "misc"
    key = ("arXiv:" if paper.on_arxiv else "doi:") + _NOT_IN_KEYS.sub("-", paper.id)
    return f"@{kind}{{{key},\n" + ",\n".join(lines) + "\n}\n"


def _kept(word: str) -> str:
    """A word of a title, safe from styles that write titles in lower case."""
    return f"{{{_escaped(word)}}}" if any(letter.isupper() for letter in word[1:]) else _escaped(word)


def _bibtex_name(name: str) -> str:
    """A name of which BibTeX makes neither two nor first and last where there are none."""
    is_one = "," in name or "and" in name.casefold().split()
    return f"{{{_escaped(name)}}}" if is_one else _escaped(name)


def _escaped(value: str) -> str:
    return value.translate(_TEX)


def _ris(paper: Paper) -> list[tuple[str, str]]:
    date = paper.published or paper.day
    found = [
        ("TI", _title(paper)),
        *(("AU", _last_first(author)) for author in _authors(paper)),
        ("PY", str(date.year)),
        ("DA", f"{date:%Y/%m/%d}"),
        ("JO", _line(paper.journal)),
        ("PB", "arXiv" if paper.on_arxiv else ""),
        ("AN", f"arXiv:{paper.id}" if paper.on_arxiv else ""),
        ("DO", _doi(paper)),
        ("UR", paper.url),
        ("L1", paper.pdf),
        *(("KW", _line(keyword)) for keyword in paper.keywords),
        ("AB", _line(paper.abstract)),
    ]
    return [("TY", "UNPB" if paper.on_arxiv else "JOUR"), *((tag, value) for tag, value in found if value)]


def _last_first(name: str) -> str:
    """ "Marsh, Zoë": the last word and the particles before it are taken for the last name."""
    if "," in name or " " not in name:
        return name
    words = name.split()
    at = len(words) - 1
    while at > 1 and words[at - 1].casefold() in _PARTICLES:
        at -= 1
    return f"{' '.join(words[at:])}, {' '.join(words[:at])}"


def _title(paper: Paper) -> str:
    return _line(paper.title) or paper.id


def _doi(paper: Paper) -> str:
    return _line(paper.doi) or ("" if paper.on_arxiv else paper.id)


def _authors(paper: Paper) -> Sequence[str]:
    return [name for name in map(_line, paper.authors) if name]


def _named(author: str) -> str:
    """A name without what would make several of it."""
    return _UNFIT_IN_NAMES.sub(" ", author).strip() or author


def _line(value: str) -> str:
    return text(value)
