"""arXiv: what was announced on a day in the chosen categories.

Its RSS feed says what is new today (https://info.arxiv.org/help/rss.html); its query API gives the details of that,
and the days before today (https://info.arxiv.org/help/api/user-manual.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from lxml import etree

from flows.papers import announcements, arxiv_xml, bodies, fields
from flows.papers.merge import divide
from flows.papers.model import Addresses, Answer, Paper, Request, Skipped, Unreadable, Window, paper_id

NAME = "arxiv"
TITLE = "arXiv"
WANTS_DETAILS = False
"""Its papers come with their categories."""

_BATCH = 100  # ids a request
_ID_CHARACTERS = 1700  # of ids in a URL, which stays below 2,000 that way
_PAGE = 200  # entries a page of a search
_PAGES = 20
_KEPT = ("new", "cross", "")
# Archives with subjects, of which a search must be told that all are meant.
_DIVIDED = ("astro-ph", "cond-mat", "cs", "econ", "eess", "math", "nlin", "physics", "q-bio", "q-fin", "stat")

_ARCHIVES = (
    "acc-phys|adap-org|alg-geom|ao-sci|astro-ph|atom-ph|bayes-an|chao-dyn|chem-ph|cmp-lg|comp-gas|cond-mat|cs|dg-ga|"
    "funct-an|gr-qc|hep-ex|hep-lat|hep-ph|hep-th|math|math-ph|mtrl-th|nlin|nucl-ex|nucl-th|patt-sol|physics|plasm-ph|"
    "q-alg|q-bio|quant-ph|solv-int|supr-con"
)
_NEW = re.compile(r"(\d\d)(0[1-9]|1[0-2])\.(\d{4,5})")
_OLD = re.compile(rf"(?:{_ARCHIVES})(?:\.[A-Z]{{2}})?/(?:9[1-9]|0[0-7])(?:0[1-9]|1[0-2])\d{{3}}")


def requests(window: Window, addresses: Addresses) -> tuple[Request, ...]:
    """The feed of the categories; nothing at weekends, when arXiv announces nothing."""
    if not window.categories or not announcements.announces(window.day):
        return ()
    feed = "+".join(quote(category, safe="") for category in window.categories)
    return (Request(url=f"{addresses.arxiv_rss}/{feed}", kind="rss", format="xml", service=NAME),)


def details(ids: Iterable[str], addresses: Addresses) -> tuple[Request, ...]:
    """Requests for everything that the query API knows of these papers, in batches.

    What arXiv can't have given is left out: one of those would cost the whole batch.
    """
    return tuple(
        Request(
            url=f"{addresses.arxiv}?id_list={','.join(batch)}&start=0&max_results={len(batch)}",
            kind="details",
            format="xml",
            service=NAME,
        )
        for batch in _batches(dict.fromkeys(filter(None, map(_identifier, ids))))
    )


def parse(body: bytes, request: Request, window: Window, addresses: Addresses) -> Answer:
    """The papers of a feed, of a batch of details, or of a page of a search."""
    read = {"rss": _feed, "details": _details, "search": _found}[request.kind]
    return read(body, request, window, addresses)


def silence(window: Window) -> str:
    """Why a day holds nothing, as far as one can tell without asking."""
    if not window.categories:
        return "no arXiv category is chosen"
    if not announcements.announces(window.day):
        return "arXiv announces nothing at weekends"
    if name := announcements.holiday(window.day):
        return f"arXiv announced nothing on {name}, so that {fields.written(window.day)} has no feed of its own"
    return f"arXiv announced nothing new in {', '.join(window.categories)} on {fields.written(window.day)}"


def _feed(body: bytes, request: Request, window: Window, addresses: Addresses) -> Answer:
    """What is new in the feed of the day; of a later feed a search, of an earlier one that it is still the earlier.

    The search is of no use for a day without a feed: what was submitted for it stands in the feed of the next.
    """
    channel = bodies.xml_root(body, "rss").find("{*}channel")
    day = None if channel is None else arxiv_xml.announced_on(channel)
    if channel is None or day is None:
        raise Unreadable("an RSS feed without a date")
    if day > window.day and announcements.holiday(window.day):
        return Answer(silence=silence(window))
    if day > window.day:
        return Answer(follow=(_search(0, window, addresses),))
    if day < window.day:
        return Answer(
            silence=f"arXiv's feed is still the one of {fields.written(day)}: nothing new was announced "
            f"({announcements.holiday(window.day) or 'a holiday'}, or it is too early in the day)"
        )
    every = list(enumerate(channel.findall("{*}item"), start=1))
    # one that says nothing of its day is of the feed's
    items = [(position, item) for position, item in every if (arxiv_xml.dated(item) or day) >= day]
    papers, skipped = divide(arxiv_xml.item_paper(item, position, window.day, NAME) for position, item in items)
    kept = tuple(paper for paper in papers if paper.announced in _KEPT)
    answer = _answer(kept, skipped, window, follow=details([paper.id for paper in kept], addresses))
    if old := len(every) - len(items):
        were = "1 is" if old == 1 else f"{old} are"
        doubt = (
            f"arXiv's feed of {fields.written(day)} has {len(every)} papers of which {were} dated before it and left "
            "out: it may not be whole yet, try again later"
        )
        return replace(answer, doubt=doubt)
    return answer


def _details(body: bytes, request: Request, window: Window, addresses: Addresses) -> Answer:
    papers, skipped = divide(_papers(_read(body)[1], window))
    asked = set(_parameter(request, "id_list").split(","))
    return Answer(papers=tuple(paper for paper in papers if paper.id in asked), skipped=skipped)


def _found(body: bytes, request: Request, window: Window, addresses: Addresses) -> Answer:
    """A page of a search: what was submitted in the day's interval, and the next page if there is one."""
    first, last = announcements.submitted(window.day)
    feed, entries = _read(body)
    begin = int(_parameter(request, "start"))
    end = begin + len(entries)
    inside = [entry for entry in entries if (when := arxiv_xml.published(entry)) and first <= when < last]
    papers, skipped = divide(_papers(inside, window))
    more = end < (arxiv_xml.total(feed) or 0) and end < _PAGE * _PAGES
    found = tuple(replace(paper, announced=_announced(paper, window)) for paper in papers)
    answer = _answer(found, skipped, window, follow=(_search(end, window, addresses),) if more else ())
    # of more pages than are asked for, the total says nothing
    total = min(arxiv_xml.total(feed) or 0, _PAGE * _PAGES)
    return replace(answer, names=frozenset(map(arxiv_xml.name, entries)), total=total)


def _read(body: bytes) -> tuple[etree._Element, list[etree._Element]]:
    """An Atom answer and its entries, unless it is an error or lacks the entries that it announces.

    The API is known to send an empty page now and then; the same page comes full when it is asked for again.
    """
    feed = bodies.xml_root(body, "feed")
    entries = feed.findall("{*}entry")
    if error := arxiv_xml.refusal(entries):
        raise Unreadable(f"an error: {error}")
    if not entries and arxiv_xml.total(feed):
        raise Unreadable(f"an empty page of {arxiv_xml.total(feed)} results")
    return feed, entries


def _papers(entries: Iterable[etree._Element], window: Window) -> Iterator[Paper | Skipped]:
    return (arxiv_xml.entry_paper(entry, position, window.day, NAME) for position, entry in enumerate(entries, start=1))


def _answer(
    papers: tuple[Paper, ...], skipped: tuple[Skipped, ...], window: Window, follow: tuple[Request, ...]
) -> Answer:
    return Answer(papers=papers, skipped=skipped, follow=follow, silence="" if papers else silence(window))


def _search(start: int, window: Window, addresses: Addresses) -> Request:
    """A page of what was submitted for the announcement of a day; the API wants the times in GMT."""
    first, last = (format(when, "%Y%m%d%H%M") for when in announcements.submitted(window.day))
    chosen = " OR ".join(f"cat:{name}.*" if name in _DIVIDED else f"cat:{name}" for name in window.categories)
    query = {
        "search_query": f"({chosen}) AND submittedDate:[{first} TO {last}]",
        "sortBy": "submittedDate",
        "sortOrder": "ascending",
        "start": start,
        "max_results": _PAGE,
    }
    return Request(url=f"{addresses.arxiv}?{urlencode(query)}", kind="search", format="xml", service=NAME)


def _announced(paper: Paper, window: Window) -> str:
    """What the feed of the day would have called it: new where its primary category is one of the chosen."""
    primary = paper.categories[:1]
    names = {*primary, *(name.partition(".")[0] for name in primary)}
    return "new" if names & set(window.categories) else "cross"


def _parameter(request: Request, name: str) -> str:
    return parse_qs(urlsplit(request.url).query)[name][0]


def _identifier(text: str) -> str:
    try:
        identifier = paper_id(text)
    except ValueError:
        return ""
    return identifier if is_number(identifier) else ""


def is_number(identifier: str) -> bool:
    """Whether arXiv can have given this number, without a version. Of one that it can't it says nothing, and of others
    beside it neither.

    https://info.arxiv.org/help/arxiv_identifier.html
    """
    if new := _NEW.fullmatch(identifier):
        month = int(new[1]) * 100 + int(new[2])
        return month >= 704 and len(new[3]) == (5 if month >= 1501 else 4)
    return _OLD.fullmatch(identifier) is not None


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for name in ids:
        if len(batch) == _BATCH or sum(map(len, batch)) + len(batch) + len(name) > _ID_CHARACTERS:
            yield batch
            batch = []
        batch.append(name)
    if batch:
        yield batch
