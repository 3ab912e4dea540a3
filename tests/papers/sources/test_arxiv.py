"""Reading arXiv's feed and its query API."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qs, urlsplit

import pytest

from flows.papers.model import Addresses, Answer, Request, Unreadable, Window
from flows.papers.sources import arxiv
from tests.papers.shapes import FRIDAY, HTML, atom, entry, feed, item

ADDRESSES = Addresses(arxiv="http://api.example/query", arxiv_rss="http://rss.example/rss")
WINDOW = Window(day=FRIDAY, categories=("cs.AI", "cs.CL"))
BOMB = (
    b'<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b"<rss><channel><title>&b;</title></channel></rss>"
)


def parse_feed(body: bytes, window: Window = WINDOW) -> Answer:
    return arxiv.parse(body, arxiv.requests(window, ADDRESSES)[0], window, ADDRESSES)


def parse_details(body: bytes, *ids: str) -> Answer:
    (request,) = arxiv.details(ids or ("2606.20001",), ADDRESSES)
    return arxiv.parse(body, request, WINDOW, ADDRESSES)


def search(window: Window = WINDOW) -> Request:
    (request,) = parse_feed(feed(date="Mon, 22 Jun 2026 00:00:00 -0400"), window).follow
    return request


def test_the_feed_says_what_is_new_and_asks_for_the_details() -> None:
    """New papers and cross-lists are kept, replacements are not."""
    kinds = ("new", "cross", "replace", "replace-cross")
    answer = parse_feed(feed(*(item(f"2606.2000{n}", kind) for n, kind in enumerate(kinds))))
    assert [(paper.id, paper.announced) for paper in answer.papers] == [("2606.20000", "new"), ("2606.20001", "cross")]
    assert [request.url for request in answer.follow] == [
        "http://api.example/query?id_list=2606.20000,2606.20001&start=0&max_results=2"
    ]
    paper = answer.papers[0]
    assert (paper.title, paper.abstract) == ("A tide table for $n$ moons", "Tides rise & fall.")
    assert paper.authors == ("Mo Reis", "Li Wen", "Jon Day, Jr.")
    assert (paper.categories, paper.day, paper.upvotes) == (("cs.AI", "cs.LG"), FRIDAY, None)


@pytest.mark.parametrize(
    ("body", "silence"),
    [
        (
            feed(item(pubDate="Thu, 18 Jun 2026 00:00:00 -0400")),
            "arXiv's feed is still the one of 18 June 2026: "
            "nothing new was announced (a holiday, or it is too early in the day)",
        ),
        (feed(), "arXiv announced nothing new in cs.AI, cs.CL on 19 June 2026"),
        (feed(item(kind="replace")), "arXiv announced nothing new in cs.AI, cs.CL on 19 June 2026"),
    ],
)
def test_a_stale_or_empty_feed_says_why_there_is_nothing(body: bytes, silence: str) -> None:
    """Yesterday's list under today's date is recognised by its items."""
    answer = parse_feed(body)
    assert (answer.papers, answer.follow, answer.silence) == ((), (), silence)


def test_weekends_are_not_asked_for() -> None:
    """Neither is anything without categories."""
    saturday = Window(day=dt.date(2026, 6, 20), categories=("cs.AI",))
    assert arxiv.requests(saturday, ADDRESSES) == ()
    assert arxiv.silence(saturday) == "arXiv announces nothing at weekends"
    assert arxiv.requests(Window(day=FRIDAY), ADDRESSES) == ()
    assert arxiv.silence(Window(day=FRIDAY)) == "no arXiv category is chosen"


def test_a_day_before_the_feed_is_searched_for_in_its_interval() -> None:
    """The query names both categories and the hours of submission in GMT."""
    query = parse_qs(urlsplit(search().url).query)
    assert query["search_query"] == ["(cat:cs.AI OR cat:cs.CL) AND submittedDate:[202606171800 TO 202606181800]"]
    assert (query["start"], query["sortBy"], query["sortOrder"]) == (["0"], ["submittedDate"], ["ascending"])
    everything = search(Window(day=FRIDAY, categories=("cs", "hep-th")))
    assert "(cat:cs.* OR cat:hep-th)" in parse_qs(urlsplit(everything.url).query)["search_query"][0]


def test_a_day_without_a_feed_is_not_searched_for_and_says_why() -> None:
    """What was submitted for it stands in the feed of the next day."""
    window = Window(day=dt.date(2025, 11, 28), categories=("cs.AI",))
    (asked,) = arxiv.requests(window, ADDRESSES)
    words = "arXiv announced nothing on Thanksgiving Day, so that 28 November 2025 has no feed of its own"
    later, stale, announced, empty = (
        arxiv.parse(body, asked, window, ADDRESSES)
        for body in (
            feed(item(pubDate="Mon, 01 Dec 2025 00:00:00 -0500")),
            feed(item(pubDate="Thu, 27 Nov 2025 00:00:00 -0500")),
            feed(item(pubDate="Fri, 28 Nov 2025 00:00:00 -0500")),
            feed(date="Fri, 28 Nov 2025 00:00:00 -0500"),
        )
    )
    assert (later.papers, later.follow, later.silence) == ((), (), words)
    assert stale.silence.endswith("nothing new was announced (Thanksgiving Day, or it is too early in the day)")
    assert empty.silence == words
    assert len(announced.papers) == 1  # arXiv knows its holidays better


def test_a_search_is_paged_and_keeps_to_its_interval() -> None:
    """What was submitted earlier or later is left out; the next page starts where this one ended."""
    times = ("2026-06-17T17:59:59Z", "2026-06-17T18:00:00Z", "2026-06-18T17:59:59Z", "2026-06-18T18:00:00Z")
    entries = [entry(f"2606.2000{number}", when) for number, when in enumerate(times)]
    answer = arxiv.parse(atom(*entries, total=9), search(), WINDOW, ADDRESSES)
    assert [paper.id for paper in answer.papers] == ["2606.20001", "2606.20002"]
    assert [parse_qs(urlsplit(request.url).query)["start"] for request in answer.follow] == [["4"]]
    assert answer.papers[0].announced == "new"
    last = arxiv.parse(atom(*entries, total=4), search(), WINDOW, ADDRESSES)
    assert last.follow == ()


def test_a_search_that_finds_nothing_is_an_answer() -> None:
    """Zero results are silence; an empty page of some results is worth another attempt."""
    assert arxiv.parse(atom(total=0), search(), WINDOW, ADDRESSES).silence.startswith("arXiv announced nothing new")
    with pytest.raises(Unreadable, match="an empty page of 31 results"):
        arxiv.parse(atom(total=31), search(), WINDOW, ADDRESSES)


def test_details_hold_what_the_feed_lacks() -> None:
    """Authors as they are, the primary category first, other classifications left out, the authors' own notes."""
    extra = (
        "<arxiv:comment>8 pages,\n 2 maps</arxiv:comment><arxiv:doi>10.1000/tide.7</arxiv:doi>"
        "<arxiv:journal_ref>Sea Lett. 4 (2026)</arxiv:journal_ref>"
    )
    (paper,) = parse_details(atom(entry(extra=extra))).papers
    assert (paper.id, paper.authors, paper.categories) == (
        "2606.20001",
        ("Mo Reis", "Jon Day, Jr."),
        ("cs.AI", "cs.LG"),
    )
    assert (paper.note, paper.doi, paper.journal) == ("8 pages, 2 maps", "10.1000/tide.7", "Sea Lett. 4 (2026)")
    assert paper.published == dt.date(2026, 6, 17)


def test_details_of_papers_that_nobody_asked_for_are_left_out() -> None:
    """And one that is missing is not an error."""
    assert parse_details(atom(entry("2606.29999"))).papers == ()
    assert parse_details(atom(total=0)) == Answer()
    assert [paper.id for paper in parse_details(atom(entry("astro-ph/0601001")), "astro-ph/0601001v1").papers] == [
        "astro-ph/0601001"
    ]


def test_details_are_asked_for_in_batches_of_a_hundred() -> None:
    """Each below two thousand characters, without what is no identifier, each paper once."""
    ids = [f"2606.{number:05}" for number in range(250)]
    found = arxiv.details([*ids, "moon", "2606.00001v2", ""], ADDRESSES)
    assert [request.url.count(",") + 1 for request in found] == [100, 100, 50]
    old = arxiv.details([f"cond-mat/{number:07}" for number in range(150)], ADDRESSES)
    assert all(len(request.url) < 2000 for request in (*found, *old))
    assert arxiv.details(["moon"], ADDRESSES) == ()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "an empty body"),
        (HTML, "an HTML page"),
        (b"<html><body>One moment</body></html>", "an HTML page instead of"),
        (feed(item())[:300], "a damaged or unknown document instead of XML"),
        (BOMB, "a damaged or unknown document instead of rss"),
        (b'<!DOCTYPE rss SYSTEM "file:///etc/passwd"><rss><channel/></rss>', "a damaged or unknown document"),
        (atom(), "a damaged or unknown document instead of rss"),
        (b"<rss/>", "an RSS feed without a date"),
        (feed(date="soon"), "an RSS feed without a date"),
        (b"<a>" * 5000, "a damaged or unknown document"),
    ],
)
def test_another_answer_is_unreadable_and_named(body: bytes, words: str) -> None:
    """Entities are never expanded, nothing is fetched, and half a feed is no feed."""
    with pytest.raises(Unreadable, match=words):
        parse_feed(body)


@pytest.mark.parametrize(
    "one", ["2606.00001", "0704.0001", "1412.9999", "1501.00001", "hep-th/9901001", "math/0309136", "math.GT/0309136"]
)
def test_numbers_that_arxiv_can_have_given_are_asked_for(one: str) -> None:
    (request,) = arxiv.details([one], ADDRESSES)
    assert f"id_list={one}&" in request.url


@pytest.mark.parametrize("one", ["2606.0001", "1412.00001", "0703.0001", "no-such/9901001", "hep-th/9913001", "10.1/x"])
def test_one_that_it_can_not_have_given_is_not_asked_for(one: str) -> None:
    """It would cost all others of its batch."""
    assert arxiv.details([one, "2606.00001"], ADDRESSES) == arxiv.details(["2606.00001"], ADDRESSES)
