"""The papers that a text names: numbers and links, BibTeX, RIS, and what Zotero exports besides (CSV, RDF, CSL JSON).
Pure; the text is a stranger's.

Of an entry the fields count that say which paper it is, not those that speak of others: an abstract, keywords.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from lxml import etree

from flows.editions import maths
from flows.editions.words import words
from flows.papers import bodies, fields
from flows.papers.model import PaperId, Unreadable
from subscribers.people.csv_text import Table
from subscribers.text import clean
from subscribers.web.suggestions import numbers
from subscribers.web.teaching import bibtex_text

ENTRIES = 2000
"""Entries of a text that are read."""
LONGEST_TITLE = 300
LEAST_WORDS = 3
"""Of a title that a paper is known by: "Introduction" is many papers'."""


@dataclass(frozen=True, slots=True)
class BibliographyEntry:
    """A paper that a text names: by its number, or by its title where that is empty."""

    number: PaperId | None
    title: str = ""
    """One line, at most `LONGEST_TITLE` characters."""


@dataclass(frozen=True, slots=True)
class Named:
    """The papers that a text names, each once, in its order."""

    numbers: tuple[PaperId, ...]
    titles: tuple[str, ...]
    """Of the entries without a number."""
    nameless: int = 0
    """Entries with neither a number nor a title that a paper could be known by."""
    more: bool = False
    """Whether the text has more entries than are read."""


def named(text: str) -> Named:
    """What a text names. No text is an error: of one in no known form its numbers count."""
    found = list(islice(_entries(text), ENTRIES + 1))
    titles: dict[str, str] = {}
    known: set[str] = set()
    nameless = 0
    for one in found[:ENTRIES]:
        said = said_in(one.title)
        if one.number:
            known.add(said)
        elif said.count(" ") + 1 < LEAST_WORDS:
            nameless += 1
        else:
            titles.setdefault(said, one.title)
    return Named(
        numbers=tuple(dict.fromkeys(one.number for one in found[:ENTRIES] if one.number)),
        titles=tuple(title for said, title in titles.items() if said not in known),
        nameless=nameless,
        more=len(found) > ENTRIES,
    )


def said_in(title: str) -> str:
    """A title by its words alone, by which two spellings of it are the same."""
    return " ".join(words(maths.text(title)))


def _entries(text: str) -> Iterator[BibliographyEntry]:
    start = text.lstrip("\ufeff \t\r\n")
    for is_so, read in _FORMS:
        if is_so(start):
            found = read(start)
            if found is not None:
                return iter(found)
    return _numbers(text)


def _numbers(text: str) -> Iterator[BibliographyEntry]:
    return (BibliographyEntry(number) for number in numbers(text))


def _entry(title: str, values: Iterable[tuple[str, str]]) -> BibliographyEntry:
    """`values` are the fields that say which paper it is, by name."""
    found = next((one for name, value in values for one in _numbers_in(name, value)), None)
    line = maths.text(clean(title[: 2 * LONGEST_TITLE])).replace("{", "").replace("}", "")
    return BibliographyEntry(found, " ".join(line.split())[:LONGEST_TITLE])


def _numbers_in(name: str, value: str) -> list[PaperId]:
    """The arXiv numbers of a field. Another publisher's DOI or address may hold digits that look like one."""
    if name in _ADDRESSES and not _OF_ARXIV.search(value):
        return []
    return numbers(value)


_ADDRESSES = frozenset({"doi", "url", "do", "ur", "l1", "l2", "lk"})
_OF_ARXIV = re.compile(r"arxiv|huggingface\.co/papers|/abs/", re.IGNORECASE)

# --- BibTeX

_OF_BIBTEX = (
    "eprint",
    "arxivid",
    "arxiv",
    "doi",
    "url",
    "journal",
    "volume",
    "number",
    "howpublished",
    "note",
    "pages",
)


def _is_bibtex(text: str) -> bool:
    return re.search(r"@[ \t]*[A-Za-z]+\s*[{(]", text) is not None


def _bibtex(text: str) -> Iterator[BibliographyEntry]:
    read = bibtex_text.read(text, ENTRIES + 1)
    for one in read.entries:
        yield _entry(one.get("title", ""), ((name, one.get(name, "")) for name in _OF_BIBTEX))
    yield from _ris(read.between) if _is_ris(read.between) else _numbers(read.between)


# --- RIS: https://en.wikipedia.org/wiki/RIS_(file_format)

_LINE = re.compile(r"([A-Z][A-Z0-9]) {1,2}-(?: (.*))?")
_OF_RIS = frozenset(
    {"DO", "UR", "L1", "L2", "LK", "JO", "JF", "JA", "J2", "T2", "AN", "M1", "M3", "N1", "ID", "C1", "VL"}
)
_TITLES_OF_RIS = ("TI", "T1", "CT")


def _is_ris(text: str) -> bool:
    return re.search(r"^TY {1,2}-", text, re.MULTILINE) is not None


def _ris(text: str) -> Iterator[BibliographyEntry]:
    title, values, inside = "", list[tuple[str, str]](), False
    outside: list[str] = []
    for line in text.splitlines():
        found = _LINE.fullmatch(line.strip())
        tag = found[1] if found else ""
        if tag in ("TY", "ER"):
            if inside:
                yield _entry(title, values)
            title, values, inside = "", [], tag == "TY"
        elif not inside:
            outside.append(line)
        elif found and tag in _TITLES_OF_RIS:
            title = title or found[2] or ""
        elif found and tag in _OF_RIS:
            values.append((tag.lower(), found[2] or ""))
    if inside:
        yield _entry(title, values)
    yield from _numbers("\n".join(outside))


# --- Zotero's CSV, and tables of others that have a title and an address in their first line

_OF_TABLES = ("doi", "url", "extra", "archive location", "publication title", "number", "report number", "call number")


def _is_table(text: str) -> bool:
    first = text[:4000].partition("\n")[0].lower()
    return "title" in first and any(name in first for name in ("doi", "url", "item type"))


def _table(text: str) -> Iterator[BibliographyEntry] | None:
    table = Table(io.StringIO(text, newline=""))
    names = [name.strip().lower() for name in table.header]
    return _rows(table, names) if "title" in names else None


def _rows(table: Table, names: list[str]) -> Iterator[BibliographyEntry]:
    for _, row in table:
        if not isinstance(row, csv.Error):
            one = dict(zip(names, row, strict=False))
            yield _entry(one.get("title", ""), ((name, one.get(name, "")) for name in _OF_TABLES))


# --- CSL JSON: https://docs.citationstyles.org/en/stable/specification.html

_OF_CSL = ("DOI", "URL", "number", "note", "archive_location", "container-title", "arxiv")


def _is_json(text: str) -> bool:
    return text.startswith(("[", "{")) and '"' in text[:200]


def _json(text: str) -> Iterator[BibliographyEntry] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    listed = fields.at(value, "items") if isinstance(value, dict) else value
    if not isinstance(listed, list):
        return None
    return (
        _entry(fields.text(one.get("title")), ((name.lower(), fields.text(one.get(name))) for name in _OF_CSL))
        for one in listed
        if isinstance(one, Mapping)
    )


# --- Zotero's RDF

_NO_PAPER = frozenset({"Attachment", "Memo", "Collection"})
_OF_RDF = frozenset({"identifier", "description", "isReferencedBy", "presentedAt", "number", "archiveLocation"})


def _is_rdf(text: str) -> bool:
    return text.startswith("<") and "<rdf:RDF" in text[:2000]


def _rdf(text: str) -> Iterator[BibliographyEntry] | None:
    try:
        root = bodies.xml_root(text.encode(), "RDF")
    except Unreadable:
        return None
    return (_described(one) for one in root if etree.QName(one).localname not in _NO_PAPER)


def _described(one: etree._Element) -> BibliographyEntry:
    inside = [(etree.QName(part).localname, bodies.xml_text(part)) for part in one]
    about = next((value for name, value in one.attrib.items() if str(name).endswith("about")), "")
    title = next((text for name, text in inside if name == "title"), "")
    # an identifier may be any: a DOI, an address, an ISBN
    values = [("url" if name == "identifier" else name, text) for name, text in inside if name in _OF_RDF]
    return _entry(title, [("url", str(about)), *values])


_FORMS: tuple[tuple[Callable[[str], bool], Callable[[str], Iterator[BibliographyEntry] | None]], ...] = (
    (_is_rdf, _rdf),
    (_is_json, _json),
    (_is_bibtex, _bibtex),
    (_is_ris, _ris),
    (_is_table, _table),
)
"""How each form is known by its beginning or its signs, and how it is read; None: it is not that form after all."""
