"""arXiv's two forms of XML become papers: items of its RSS feed and entries of its Atom answers."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from email.utils import parsedate_to_datetime

from lxml import etree

from flows.papers import fields
from flows.papers.announcements import EASTERN
from flows.papers.bodies import xml_text
from flows.papers.model import Paper, Skipped, paper_id

_CATEGORY = re.compile(r"[a-z][a-z-]*(\.[A-Za-z][A-Za-z-]*)?")  # not the MSC and ACM classes that stand beside them
_DESCRIPTION = re.compile(r"arXiv:(\S+) Announce Type: (\S+)\s*(?:Abstract:\s*)?(.*)", re.IGNORECASE)
_SUFFIX = re.compile(r"[JS]r\.?|I{2,3}|IV")  # of a name, which a feed divides by the same comma as the names
_DOI = re.compile(r"10\.\S+")


def item_paper(item: etree._Element, position: int, day: dt.date, source: str) -> Paper | Skipped:
    """The paper of one RSS item, whose description begins "arXiv:ID Announce Type: …"."""
    said = _DESCRIPTION.fullmatch(_child(item, "description"))
    title = _child(item, "title")
    names = (said[1] if said else "", _after(_child(item, "guid"), "arXiv.org:"), _after(_child(item, "link"), "/abs/"))
    return _paper(
        names,
        title,
        position,
        day=day,
        source=source,
        abstract=said[3] if said else _child(item, "description"),
        authors=_names(xml_text(one) for one in item.findall("{*}creator")),
        categories=_categories(xml_text(one) for one in item.findall("{*}category")),
        announced=(_child(item, "announce_type") or (said[2] if said else "")).lower(),
    )


def entry_paper(entry: etree._Element, position: int, day: dt.date, source: str) -> Paper | Skipped:
    """The paper of one Atom entry; comment, journal reference and DOI are the authors' own and often missing."""
    terms = entry.findall("{*}primary_category") + entry.findall("{*}category")
    doi = _child(entry, "doi")
    return _paper(
        (_after(_child(entry, "id"), "/abs/"),),
        _child(entry, "title"),
        position,
        day=day,
        source=source,
        abstract=_child(entry, "summary"),
        authors=fields.texts([_child(author, "name") for author in entry.findall("{*}author")]),
        published=fields.date(_child(entry, "published")),
        categories=_categories(fields.text(one.get("term")) for one in terms),
        note=_child(entry, "comment"),
        doi=doi if _DOI.fullmatch(doi) else "",
        journal=_child(entry, "journal_ref"),
    )


def dated(item: etree._Element) -> dt.date | None:
    """The day of an RSS item."""
    return _day(_child(item, "pubDate"))


def name(entry: etree._Element) -> str:
    """What an Atom entry is known by, its version included."""
    return _child(entry, "id")


def published(entry: etree._Element) -> dt.datetime | None:
    """When the first version of an Atom entry's paper was submitted."""
    return fields.moment(_child(entry, "published"))


def total(feed: etree._Element) -> int | None:
    """How many entries the whole answer has, of which this may be a page."""
    number = _child(feed, "totalResults")
    return int(number) if re.fullmatch(r"[0-9]{1,9}", number) else None


def refusal(entries: Iterable[etree._Element]) -> str:
    """What arXiv says in the entry by which it reports an error; empty where it reports none."""
    for entry in entries:
        if "/api/errors" in _child(entry, "id") or (
            _child(entry, "title") == "Error" and not _child(entry, "published")
        ):
            return _child(entry, "summary")[:200] or "an error"
    return ""


def announced_on(channel: etree._Element) -> dt.date | None:
    """The day of an RSS feed: its newest item's, or its own where it has no items."""
    items = [_day(_child(item, "pubDate")) for item in channel.findall("{*}item")]
    dated = [day for day in items if day]
    return max(dated) if dated else _day(_child(channel, "pubDate")) or _day(_child(channel, "lastBuildDate"))


def _day(written: str) -> dt.date | None:
    try:
        when = parsedate_to_datetime(written)
        # A day is midnight in Eastern time, given as such; a time in UTC is that of the machine which built the feed.
        return when.date() if when.utcoffset() else when.replace(tzinfo=dt.UTC).astimezone(EASTERN).date()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _paper(
    names: tuple[str, ...],
    title: str,
    position: int,
    *,
    day: dt.date,
    source: str,
    abstract: str,
    authors: tuple[str, ...],
    categories: tuple[str, ...],
    published: dt.date | None = None,
    announced: str = "",
    note: str = "",
    doi: str = "",
    journal: str = "",
) -> Paper | Skipped:
    name = next(filter(None, names), "")
    try:
        identifier = paper_id(name)
    except ValueError as error:
        label = name[:60] or title[:60] or f"entry {position}"
        return Skipped(entry=label, reason=str(error) if name else "it has no id")
    if not title:
        return Skipped(entry=identifier, reason="it has no title")
    return Paper(
        id=identifier,
        title=title,
        day=day,
        sources=(source,),
        abstract=abstract,
        authors=authors,
        published=published,
        categories=categories,
        announced=announced,
        note=note,
        doi=doi,
        journal=journal,
    )


def _child(element: etree._Element, name: str) -> str:
    """The text of the first child called `name`, whatever its namespace: arXiv has moved its own before."""
    return xml_text(element.find(f"{{*}}{name}"))


def _after(address: str, mark: str) -> str:
    return address.partition(mark)[2]


def _categories(terms: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(term for term in terms if _CATEGORY.fullmatch(term)))


def _names(creators: Iterable[str]) -> tuple[str, ...]:
    """The names of a feed's creators, in which commas, spaces and empty names stand between them."""
    found: list[str] = []
    for part in (part.strip() for creator in creators for part in creator.split(",")):
        if found and _SUFFIX.fullmatch(part):
            found[-1] = f"{found[-1]}, {part}"
        else:
            found.append(part)
    return fields.texts(found)
