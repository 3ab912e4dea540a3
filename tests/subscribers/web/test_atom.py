"""Feeds as documents."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from subscribers.web.atom import Feed, FeedItem, atom
from tests.subscribers.readers import NOON, URL
from tests.subscribers.web.routes.test_feeds import valid

texts = st.text(max_size=40)


@given(st.lists(st.tuples(texts, texts, st.lists(texts.filter(str.isprintable).filter(str.strip))), max_size=3), texts)
def test_whatever_texts_a_feed_has_it_is_valid(entries: list[tuple[str, str, list[str]]], title: str) -> None:
    items: list[Any] = [
        FeedItem(
            id=f"tag:example.org,2026:{n}", title=t, url=URL, updated=NOON, content=content or "-", authors=authors
        )
        for n, (t, content, authors) in enumerate(entries)
    ]
    feed = Feed(url=f"{URL}/f.xml", page=URL, title=title, subtitle=title, author="A", lang="en", items=items)
    valid(atom(feed))
