"""Items of arXiv's feed and entries of its answers become papers, also where a mark is missing."""

from __future__ import annotations

import pytest

from flows.papers.model import Unreadable
from tests.papers.shapes import ERROR, atom, entry, feed, item
from tests.papers.sources.test_arxiv import parse_details, parse_feed


def test_an_item_without_its_usual_marks_is_still_read() -> None:
    """The id may stand in the guid or the link alone, the kind in the description alone, old ids too."""
    bare = item("astro-ph/0601001", **{"description": "Just a text.", "guid": "", "arxiv:announce_type": ""})
    answer = parse_feed(feed(bare, item("2606.20002", **{"arxiv:announce_type": "", "dc:creator": ""})))
    assert [(paper.id, paper.announced, paper.abstract) for paper in answer.papers] == [
        ("astro-ph/0601001", "", "Just a text."),
        ("2606.20002", "new", "Tides rise & fall."),
    ]
    nameless = item("x", link="", guid="", description="", title="")
    assert [(skip.entry, skip.reason) for skip in parse_feed(feed(nameless)).skipped] == [("entry 1", "it has no id")]


def test_a_feed_built_in_utc_belongs_to_the_day_in_new_york() -> None:
    """Where it has no other date than that of its machine."""
    body = feed(date="").replace(b"</title>", b"</title><lastBuildDate>Sat, 20 Jun 2026 03:00:00 +0000</lastBuildDate>")
    assert parse_feed(body).silence.endswith("on 19 June 2026")


def test_an_error_that_comes_as_an_entry_is_told() -> None:
    """In arXiv's own words."""
    with pytest.raises(Unreadable, match="an error: incorrect id format for moon"):
        parse_details(atom(ERROR))


def test_a_paper_about_errors_is_a_paper() -> None:
    """A title alone is no error."""
    body = atom(entry().replace("A tide table\n for $n$ moons", "Error"))
    assert [paper.title for paper in parse_details(body).papers] == ["Error"]
