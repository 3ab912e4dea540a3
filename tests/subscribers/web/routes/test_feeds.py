"""Feeds, judged by the rules of RFC 4287."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from lxml import etree

from flows.editions.model import Kind
from tests import factories
from tests.factories import DAY
from tests.subscribers.readers import NOON, URL, Visited, is_sent_once, tree_of

ATOM = "{http://www.w3.org/2005/Atom}"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
NEXT = DAY + dt.timedelta(days=1)


def valid(document: bytes) -> etree._Element:
    """The feed, if it keeps the rules; each is named by its section."""
    feed = etree.fromstring(document)
    assert feed.tag == f"{ATOM}feed"
    once(feed, "id", "title", "updated")  # 4.1.1
    assert [link.get("href") for link in feed.findall(f"{ATOM}link") if link.get("rel") == "self"] == [text(feed, "id")]
    entries = feed.findall(f"{ATOM}entry")
    assert feed.find(f"{ATOM}author") is not None or all(e.find(f"{ATOM}author") is not None for e in entries)
    for entry in entries:
        once(entry, "id", "title", "updated", "content")  # 4.1.2
        assert [link.get("rel") for link in entry.findall(f"{ATOM}link")] == ["alternate"]
        content = entry.find(f"{ATOM}content")
        assert content is not None
        assert (content.get("type"), len(content)) == ("html", 0)  # 4.1.3.3
    for moment in feed.iter(f"{ATOM}updated", f"{ATOM}published"):
        assert MOMENT.fullmatch(moment.text or "")  # 3.3
    for person in feed.iter(f"{ATOM}author"):
        assert (person.findtext(f"{ATOM}name") or "").strip()  # 3.2.1
    ids = [text(entry, "id") for entry in entries]
    assert all(re.match(r"[a-z]+:\S+$", one) for one in ids)  # 4.2.6: an IRI
    assert len(ids) == len(set(ids))
    return feed


def once(parent: etree._Element, *names: str) -> None:
    for name in names:
        assert len(parent.findall(f"{ATOM}{name}")) == 1, name


def text(parent: etree._Element, name: str) -> str:
    found = parent.findtext(f"{ATOM}{name}")
    assert found is not None
    return found


async def read(visited: Visited, path: str) -> etree._Element:
    answer = await visited.browser.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/atom+xml")
    return valid(answer.content)


async def test_a_feed_has_an_entry_for_each_edition_newest_first(visited: Visited) -> None:
    await visited.publish(visited.edition(listed=factories.papers(3)))
    await visited.publish(visited.edition(day=NEXT, listed=[factories.paper(9)], number=8), NOON + dt.timedelta(days=1))
    await visited.publish(visited.edition(day=NEXT, kind=Kind.WEEKLY, listed=factories.papers(2), number=1))
    feed = await read(visited, "/feeds/daily.xml")
    assert [entry.find(f"{ATOM}link").get("href") for entry in feed.iter(f"{ATOM}entry")] == [  # type: ignore[union-attr]
        f"{URL}/archive/daily/{NEXT}",
        f"{URL}/archive/daily/week/{NEXT}",
        f"{URL}/archive/daily/{DAY}",
    ]
    assert text(feed, "updated") == "2026-06-10T12:00:00Z"
    first = feed.findall(f"{ATOM}entry")[2]
    assert text(first, "id") == f"tag:papers.example.org,{DAY}:daily/{DAY}"
    assert text(first, "title") == "A Lighthouse That Reads Its Own Log, Part 1, and 2 more"
    links = tree_of(f"<div>{text(first, 'content')}</div>").xpath("//li/a/@href")
    assert links == [f"{URL}/paper/2606.{n:05d}" for n in (1, 2, 3)]


async def test_an_entry_is_titled_by_its_lead_and_says_what_the_best_papers_did(visited: Visited) -> None:
    papers = factories.papers(5)
    await visited.publish(visited.edition(listed=papers, best=(papers[3].id, papers[0].id)))
    await visited.publish(visited.edition(day=NEXT, listed=papers[:1], number=8))
    await visited.publish(visited.edition(day=NEXT, kind=Kind.WEEKLY, listed=papers[1:3], number=1))
    dated = DAY + dt.timedelta(days=2)
    await visited.publish(visited.edition(day=dated, listed=papers[:2], number=9, subject="A <word> of ours"))
    feed = await read(visited, "/feeds/daily.xml")
    assert [text(entry, "title") for entry in feed.iter(f"{ATOM}entry")] == [
        "A <word> of ours",
        "A Lighthouse That Reads Its Own Log, Part 1",
        "The week’s best: Counting Swifts with One Microphone, Part 2",
        "Postcards from a Slow Telescope, Part 4, and 4 more",
    ]
    content = tree_of(f"<div>{[text(entry, 'content') for entry in feed.iter(f'{ATOM}entry')][-1]}</div>")
    assert len(content.xpath("//li")) == 5
    said = [item for item in content.xpath("//li") if item.xpath("br")]
    assert len(said) == 3
    assert all("islands" in item.text_content() or "model" in item.text_content() for item in said)


async def test_a_papers_entry_has_a_gist(visited: Visited) -> None:
    await visited.publish(visited.edition(listed=factories.papers(1)))
    (entry,) = (await read(visited, "/feeds/daily/agents.xml")).iter(f"{ATOM}entry")
    assert 20 < len(text(entry, "summary")) < len(text(entry, "content"))


async def test_a_topics_feed_has_an_entry_for_each_paper_once(visited: Visited) -> None:
    await visited.publish(visited.edition(listed=factories.papers(6)))
    await visited.publish(visited.edition(day=NEXT, listed=[factories.paper(11)], number=8))
    await visited.publish(visited.edition(day=NEXT, kind=Kind.WEEKLY, listed=factories.papers(6), number=1))
    feed = await read(visited, "/feeds/daily/agents.xml")
    titles = [text(entry, "title") for entry in feed.iter(f"{ATOM}entry")]
    assert [title.rpartition(" ")[2] for title in titles] == ["11", "6", "1"]
    entry = feed.find(f"{ATOM}entry")
    assert entry is not None
    assert text(entry, "id") == f"tag:papers.example.org,{NEXT}:daily/paper/2606.00011"
    assert entry.findtext(f"{ATOM}author/{ATOM}name") == "Ada Brook"
    assert entry.find(f"{ATOM}category").attrib == {"term": "agents", "label": "Agents"}  # type: ignore[union-attr]


async def test_an_edition_too_long_for_its_entry_says_how_many_papers_more_there_are(visited: Visited) -> None:
    await visited.publish(visited.edition(listed=factories.papers(65)))
    feed = await read(visited, "/feeds/daily.xml")
    content = next(feed.iter(f"{ATOM}content")).text or ""
    assert content.count("<li>") == 60
    assert "and 5 papers more" in content


async def test_feeds_without_entries_are_valid_too(visited: Visited) -> None:
    for path in ("/feeds/daily.xml", "/feeds/daily/agents.xml"):
        assert not list((await read(visited, path)).iter(f"{ATOM}entry"))


async def test_hostile_titles_make_a_valid_feed(visited: Visited) -> None:
    hostile = factories.paper(
        1,
        title="\0\x0b\ufffe]]><script>alert(1)</script>&amp;\ud7ff",
        abstract="\x1b<b>\x08",
        authors=("\0", "<A>\x0c"),
    )
    await visited.publish(visited.edition(listed=[hostile]))
    for path in ("/feeds/daily.xml", "/feeds/daily/agents.xml"):
        feed = await read(visited, path)
        for content in feed.iter(f"{ATOM}content"):
            assert "<script" not in (content.text or "")
            assert "<b>" not in (content.text or "")


async def test_a_feed_is_sent_once(visited: Visited) -> None:
    await visited.publish()
    for path in ("/feeds/daily.xml", "/feeds/daily/agents.xml"):
        await is_sent_once(visited, path)
        first = await visited.browser.get(path)
        assert first.headers["Last-Modified"] == "Tue, 09 Jun 2026 12:00:00 GMT"
        for since, status in (
            ("Tue, 09 Jun 2026 12:00:00 GMT", 304),
            ("Wed, 10 Jun 2026 12:00:00 +0200", 304),
            ("Tue, 09 Jun 2026 11:59:59 GMT", 200),
            ("yesterday", 200),
            ("Tue, 99 Jun 99999 99:99:99 GMT", 200),
            ("", 200),
        ):
            answer = await visited.browser.get(path, headers={"If-Modified-Since": since})
            assert (answer.status_code, bool(answer.content)) == (status, status == 200), since
        # the tag is the finer test of the two
        both = {"If-Modified-Since": "Tue, 09 Jun 2026 12:00:00 GMT", "If-None-Match": '"other"'}
        assert (await visited.browser.get(path, headers=both)).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["nope.xml", "daily/nope.xml", "daily", "nope/agents.xml", "daily/agents", "%00.xml", "daily/%00.xml", ".xml"],
)
async def test_what_is_no_feed_is_not_found(visited: Visited, path: str) -> None:
    await visited.page(f"/feeds/{path}", 404)
