"""Atom feeds (RFC 4287): values in, bytes out. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

NAMESPACE = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/atom+xml"
_NAMESPACES: Any = {None: NAMESPACE}  # the stubs know no default namespace
NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""When a feed without entries was changed."""

_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 section 2.2 can't hold, not even escaped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedItem:
    """An entry. `id` is for ever; `content` is HTML."""

    id: str
    title: str
    url: str
    updated: dt.datetime
    content: str
    authors: Sequence[str] = ()
    summary: str = ""
    topic: tuple[str, str] | None = None
    """Its slug and name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """`url` is where the feed lies, and its id; `page` is what it is a feed of."""

    url: str
    page: str
    title: str
    subtitle: str
    author: str
    lang: str
    items: Sequence[FeedItem]

    @property
    def updated(self) -> dt.datetime:
        return max((item.updated for item in self.items), default=NEVER)


def atom(feed: Feed) -> bytes:
    """The feed as a document. What XML can't hold is left out."""
    root = etree.Element("feed", {"{http://www.w3.org/XML/1998/namespace}lang": feed.lang}, _NAMESPACES)
    _put(root, "id", feed.url)
    _put(root, "title", feed.title)
    _put(root, "subtitle", feed.subtitle)
    _put(root, "updated", _moment(feed.updated))
    _person(root, feed.author)
    _put(root, "link", rel="self", type=MEDIA_TYPE, href=feed.url)
    _put(root, "link", rel="alternate", type="text/html", href=feed.page)
    for item in feed.items:
        entry = etree.SubElement(root, "entry")
        _put(entry, "id", item.id)
        _put(entry, "title", item.title)
        _put(entry, "updated", _moment(item.updated))
        _put(entry, "published", _moment(item.updated))
        for author in item.authors:
            _person(entry, author)
        _put(entry, "link", rel="alternate", type="text/html", href=item.url)
        if item.topic:
            _put(entry, "category", term=item.topic[0], label=item.topic[1])
        if item.summary:
            _put(entry, "summary", item.summary)
        _put(entry, "content", item.content, type="html")
    whole: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)
    return whole


def _put(parent: etree._Element, name: str, text: str = "", **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, name, {key: _fit(value) for key, value in attributes.items()})
    if text:
        element.text = _fit(text)
    return element


def _person(parent: etree._Element, name: str) -> None:
    _put(_put(parent, "author"), "name", name)


def _fit(text: str) -> str:
    return _UNFIT.sub("", text)


def _moment(at: dt.datetime) -> str:
    """RFC 3339, to the second."""
    return f"{at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
