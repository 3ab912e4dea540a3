"""Answers in the shapes of Hugging Face and arXiv, in our own words."""

from __future__ import annotations

import datetime as dt
import json
from html import escape
from typing import Any

from flows.papers.model import Request, Unreadable

FRIDAY = dt.date(2026, 6, 19)
RSS_DATE = "Fri, 19 Jun 2026 00:00:00 -0400"
NAMESPACES = (
    'xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/"'
)


def listed(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A whole entry of Hugging Face's list; `changes` are made to its paper."""
    paper: dict[str, Any] = {
        "id": f"2606.{number:05}",
        "title": f"Lighthouses, volume {number}",
        "summary": "We count the lamps\n  of a coast.",
        "authors": [{"name": "Ines Falk", "hidden": False}, {"name": "Noor Ito"}, {"name": "Ghost", "hidden": True}],
        "publishedAt": "2026-06-17T00:00:00.000Z",
        "submittedOnDailyAt": "2026-06-19T07:30:00.000Z",
        "upvotes": 12,
        "ai_summary": "Lamps are counted.",
        "ai_keywords": ["lamps", "coasts", "lamps"],
        "githubRepo": "https://github.com/falk/lamps",
        "githubStars": 0,
        "projectPage": "https://lamps.example/",
        "organization": {"name": "coast", "fullname": "Institute of the Coast"},
    }
    return {
        "paper": {**paper, **changes},
        "title": "An outer title",
        "publishedAt": "2026-06-16T20:00:00.000Z",
        "numComments": 3,
        "thumbnail": "https://cdn.example/1.png",
        "submittedBy": {"fullname": "Ada Keeper", "name": "keeper"},
    }


def page(*entries: Any) -> bytes:
    """A page of Hugging Face's list."""
    return json.dumps(entries).encode()


def item(name: str = "2606.20001", kind: str = "new", **changes: str) -> str:
    """An item of arXiv's feed."""
    parts = {
        "title": "A tide table for $n$ moons",
        "link": f"https://arxiv.org/abs/{name}",
        "description": f"arXiv:{name}v1 Announce Type: {kind} \nAbstract: Tides rise & fall.",
        "guid": f"oai:arXiv.org:{name}v1",
        "pubDate": RSS_DATE,
        "arxiv:announce_type": kind,
        "dc:creator": "Mo Reis,  , Li Wen,Jon Day, Jr.",
        **changes,
    }
    inner = "".join(f"<{tag}>{escape(text)}</{tag}>" for tag, text in parts.items() if text)
    return f"<item>{inner}<category>cs.AI</category><category>cs.LG</category></item>"


def feed(*items: str, date: str = RSS_DATE) -> bytes:
    """arXiv's feed of a day."""
    when = f"<pubDate>{date}</pubDate>" if date else ""
    return f'<rss {NAMESPACES} version="2.0"><channel><title>cs</title>{when}{"".join(items)}</channel></rss>'.encode()


def entry(name: str = "2606.20001", published: str = "2026-06-17T18:30:00Z", extra: str = "") -> str:
    """An entry of arXiv's query API."""
    return (
        f"<entry><id>http://arxiv.org/abs/{name}v2</id><title>A tide table\n for $n$ moons</title>"
        f"<updated>{published}</updated><published>{published}</published><summary>  Tides rise.</summary>"
        '<category term="cs.LG"/><category term="cs.AI"/><category term="68T50; 14J60"/>'
        '<arxiv:primary_category term="cs.AI"/>'
        f"<author><name>Mo Reis</name></author><author><name>Jon Day, Jr.</name></author>{extra}</entry>"
    )


def atom(*entries: str, total: int | None = None) -> bytes:
    """An answer of arXiv's query API."""
    number = len(entries) if total is None else total
    head = f"<opensearch:totalResults>{number}</opensearch:totalResults>"
    return f'<feed xmlns="http://www.w3.org/2005/Atom" {NAMESPACES}>{head}{"".join(entries)}</feed>'.encode()


ERROR = (
    "<entry><id>https://arxiv.org/api/errors#incorrect_id_format_for_moon</id><title>Error</title>"
    "<summary>incorrect id format for moon</summary></entry>"
)
HTML = b"<!doctype html><title>One moment</title><p>Are you a robot?"


def asking(url: str, service: str = "huggingface", form: str = "json") -> Request:
    return Request(url=url, kind="page 0", format=form, service=service)


def read(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError as error:
        raise Unreadable("half a list") from error
