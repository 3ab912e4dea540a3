"""Following a source's requests, and what is left when some of them fail."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace

from flows.papers.fetch import Fetcher
from flows.papers.gather import SOURCES, complete, gather
from flows.papers.model import Addresses, Collected, Paper, PaperId, Window
from tests.papers.server import Reply, Server
from tests.papers.shapes import FRIDAY, atom, entry, feed, item, listed, page

WINDOW = Window(day=FRIDAY, categories=("cs.AI",))
FEED = "/rss/cs.AI"
DETAILS = "/api/query?id_list=2606.20001,2606.20002&start=0&max_results=2"


def quiet(sentence: str) -> None:
    """For where it does not matter what is said."""


def hub(number: int) -> str:
    return f"/api/daily_papers?date=2026-06-19&limit=100&p={number}"


async def collect(name: str, addresses: Addresses, fetcher: Fetcher, said: list[str] | None = None) -> Collected:
    return await gather(SOURCES[name], WINDOW, addresses, fetcher, quiet if said is None else said.append)


def ids(found: Collected) -> list[str]:
    return [paper.id for paper in found.papers]


async def test_all_pages_of_a_day_are_gathered(server: Server, addresses: Addresses, fetcher: Fetcher) -> None:
    """A server that gives two a page, whatever is asked for, is followed to its end; a paper that slid over a page's
    edge meanwhile stands once."""
    server.says(hub(0), Reply(page(listed(1), listed(2))))
    server.says(hub(1), Reply(page(listed(2), listed(3))))
    server.says(hub(2), Reply(page(listed(4))))
    server.says(hub(3), Reply(page()))
    found = await collect("huggingface", addresses, fetcher)
    assert ids(found) == [f"2606.0000{number}" for number in (1, 2, 3, 4)]
    assert (found.problem, found.silence, found.source, found.day) == ("", "", "huggingface", FRIDAY)


async def test_a_server_without_pages_is_not_asked_for_ever(
    server: Server, addresses: Addresses, fetcher: Fetcher
) -> None:
    """The same page again ends it."""
    for number in range(20):
        server.says(hub(number), Reply(page(listed(1), listed(2))))
    assert len((await collect("huggingface", addresses, fetcher)).papers) == 2
    assert len(server.asked) == 2


async def test_a_silent_day_says_why(server: Server, addresses: Addresses, fetcher: Fetcher, said: list[str]) -> None:
    """Which is not a problem."""
    server.says(hub(0), Reply(page()))
    found = await collect("huggingface", addresses, fetcher, said)
    quiet = "Hugging Face lists no papers for 19 June 2026 (a holiday, or it is too early in the day)"
    assert (found.silence, found.problem) == (quiet, "")
    assert said == [f"Hugging Face: 0 papers for 19 June 2026: {quiet}"]


async def test_a_weekend_needs_no_request(server: Server, addresses: Addresses, fetcher: Fetcher) -> None:
    """arXiv is left alone."""
    window = Window(day=dt.date(2026, 6, 20), categories=("cs.AI",))
    found = await gather(SOURCES["arxiv"], window, addresses, fetcher, quiet)
    assert (found.silence, server.asked) == ("arXiv announces nothing at weekends", [])


async def test_details_refine_what_the_feed_said(server: Server, addresses: Addresses, fetcher: Fetcher) -> None:
    """The authors are the query API's, the announce type is the feed's."""
    server.says(FEED, Reply(feed(item("2606.20001"), item("2606.20002", "cross"))))
    server.says(DETAILS, Reply(atom(entry("2606.20002", extra="<arxiv:comment>9 pages</arxiv:comment>"))))
    found = await collect("arxiv", addresses, fetcher)
    assert ids(found) == ["2606.20001", "2606.20002"]
    assert found.papers[1].authors == ("Mo Reis", "Jon Day, Jr.")
    assert (found.papers[1].announced, found.papers[1].note) == ("cross", "9 pages")
    assert found.papers[0].authors == ("Mo Reis", "Li Wen", "Jon Day, Jr.")


async def test_the_feed_stands_where_the_details_fail(server: Server, addresses: Addresses, fetcher: Fetcher) -> None:
    """And the problem says what is missing."""
    server.says(FEED, Reply(feed(item("2606.20001"), item("2606.20002"))))
    server.says(DETAILS, Reply(status=503))
    found = await collect("arxiv", addresses, fetcher)
    assert len(found.papers) == 2
    assert found.problem == (
        f"arXiv answered 503 five times at {server.url}{DETAILS}: try again later (2 papers came nevertheless)"
    )


async def test_a_source_that_is_down_costs_two_requests(server: Server, addresses: Addresses, fetcher: Fetcher) -> None:
    """The other batches would fail as well, five attempts each."""
    server.says(FEED, Reply(feed(*(item(f"2606.2{number:04}") for number in range(450)))))
    found = await collect("arxiv", addresses, fetcher)
    assert len(found.papers) == 450
    assert len(server.asked) == 3
    assert "answered 404 (no such thing)" not in found.problem
    assert found.problem.endswith("; 5 of 6 answers are missing (450 papers came nevertheless)")


async def test_a_failed_source_is_a_value(
    server: Server, addresses: Addresses, fetcher: Fetcher, said: list[str]
) -> None:
    """Nothing is raised; the sentence stands in the result and in the log."""
    server.says(hub(0), Reply(b'{"error":"bad date"}', 400))
    found = await collect("huggingface", addresses, fetcher, said)
    assert (found.papers, found.silence) == ((), "")
    assert found.problem.startswith("Hugging Face answered 400 (bad date) at http://")
    assert said[-1].endswith(found.problem)


async def test_skipped_entries_are_counted(
    server: Server, addresses: Addresses, fetcher: Fetcher, said: list[str]
) -> None:
    """The rest goes in, and the log names the first."""
    server.says(hub(0), Reply(page(listed(1), "text", None)))
    server.says(hub(1), Reply(page()))
    found = await collect("huggingface", addresses, fetcher, said)
    assert (len(found.papers), len(found.skipped), found.problem) == (1, 2, "")
    assert said[-1] == "Hugging Face: 2 entries left out, the first of them entry 2: it is a text, not an object"


async def test_a_day_of_which_nothing_can_be_read_is_a_problem(
    server: Server, addresses: Addresses, fetcher: Fetcher
) -> None:
    """It is not the same as a day without papers."""
    server.says(hub(0), Reply(page("text")))
    server.says(hub(1), Reply(page()))
    found = await collect("huggingface", addresses, fetcher)
    assert found.silence == ""
    assert found.problem.startswith("Hugging Face gave 1 entry for 19 June 2026 and none could be read (entry 1: it is")


async def test_the_sample_comes_from_the_package(addresses: Addresses, fetcher: Fetcher) -> None:
    """Twenty-five papers, on any day, each with its categories and none left out."""
    found = await collect("sample", addresses, fetcher)
    assert (len(found.papers), found.skipped, found.problem) == (25, (), "")
    assert all(paper.day == FRIDAY and paper.categories and paper.abstract for paper in found.papers)


def bare(number: int) -> Paper:
    return Paper(
        id=PaperId(f"2606.2000{number}"), title="Bare", day=FRIDAY, sources=("huggingface",), upvotes=5, note="ours"
    )


async def test_categories_are_asked_of_arxiv(server: Server, addresses: Addresses, fetcher: Fetcher) -> None:
    """What lacks them gets them, and what is empty besides; nothing else changes, neither does the order."""
    server.says(DETAILS, Reply(atom(entry("2606.20001", extra="<arxiv:comment>9 pages</arxiv:comment>"))))
    known = replace(bare(3), categories=("cs.CL",))
    papers, problem = await complete([bare(1), known, bare(2)], addresses, fetcher, quiet)
    assert problem == ""
    assert [paper.categories for paper in papers] == [("cs.AI", "cs.LG"), ("cs.CL",), ()]
    assert (papers[0].title, papers[0].note, papers[0].sources, papers[0].upvotes) == (
        "Bare",
        "ours",
        ("huggingface",),
        5,
    )
    assert papers[0].authors == ("Mo Reis", "Jon Day, Jr.")


async def test_papers_stay_as_they_are_where_arxiv_fails(
    server: Server, addresses: Addresses, fetcher: Fetcher
) -> None:
    """And the problem counts them."""
    server.says(DETAILS, Reply(status=429))
    papers, problem = await complete([bare(1), bare(2)], addresses, fetcher, quiet)
    assert papers == (bare(1), bare(2))
    assert "answered 429" in problem
    assert problem.endswith("(2 papers without categories)")


async def test_nothing_is_asked_where_nothing_lacks(server: Server, addresses: Addresses, fetcher: Fetcher) -> None:
    """Not even politely."""
    assert await complete([], addresses, fetcher, quiet) == ((), "")
    whole = replace(bare(1), categories=("cs.AI",))
    assert await complete([whole], addresses, fetcher, quiet) == ((whole,), "")
    assert server.asked == []


async def test_what_is_old_in_a_feed_is_left_out_and_said(
    server: Server, addresses: Addresses, fetcher: Fetcher
) -> None:
    """A feed can be half yesterday's: each item's own date counts."""
    old = item("2606.20002", pubDate="Thu, 18 Jun 2026 00:00:00 -0400")
    server.says(FEED, Reply(feed(item("2606.20001"), old, item("2606.20003", pubDate=""))))
    server.says(DETAILS.replace("20002", "20003"), Reply(atom(entry("2606.20001"), entry("2606.20003"))))
    found = await collect("arxiv", addresses, fetcher)
    assert ids(found) == ["2606.20001", "2606.20003"]
    assert found.problem.startswith(
        "arXiv's feed of 19 June 2026 has 3 papers of which 1 is dated before it and left out: it may not be whole yet"
    )


async def searched(server: Server, addresses: Addresses, fetcher: Fetcher, pages: list[bytes]) -> Collected:
    """A day whose feed is gone, so that it is searched for: the answers to each page that is asked for."""
    server.says(FEED, Reply(feed(date="Mon, 22 Jun 2026 00:00:00 -0400")))
    (first,) = (
        SOURCES["arxiv"]
        .parse(
            feed(date="Mon, 22 Jun 2026 00:00:00 -0400"),
            SOURCES["arxiv"].requests(WINDOW, addresses)[0],
            WINDOW,
            addresses,
        )
        .follow
    )
    path, begin = first.url.removeprefix(server.url), 0
    for body in pages:
        server.says(path.replace("start=0", f"start={begin}"), Reply(body))
        begin += body.count(b"<entry>")
    return await collect("arxiv", addresses, fetcher)


def some(*numbers: int, total: int) -> bytes:
    return atom(*(entry(f"2606.2000{number}") for number in numbers), total=total)


async def test_a_search_is_read_to_its_end(server: Server, addresses: Addresses, fetcher: Fetcher) -> None:
    found = await searched(server, addresses, fetcher, [some(1, 2, total=3), some(3, total=3)])
    assert (len(found.papers), found.problem) == (3, "")


async def test_a_page_that_comes_twice_is_an_error_that_names_itself(
    server: Server, addresses: Addresses, fetcher: Fetcher
) -> None:
    """A server that takes no notice of `start` would lose the rest of the day without a word."""
    same = some(1, 2, total=5)
    found = await searched(server, addresses, fetcher, [same, same, same])
    assert len(found.papers) == 2
    assert "arXiv says that it lists 5 papers, and its pages hold 2: it sent some of them twice" in found.problem
    assert len(server.asked) == 3


async def test_pages_that_overlap_are_counted(server: Server, addresses: Addresses, fetcher: Fetcher) -> None:
    found = await searched(server, addresses, fetcher, [some(1, 2, total=4), some(2, 3, total=4)])
    assert len(found.papers) == 3
    assert "lists 4 papers, and its pages hold 3" in found.problem


async def test_a_source_that_hangs_costs_its_deadline_and_no_more(
    server: Server, addresses: Addresses, fetcher: Fetcher
) -> None:
    """What came until then is kept."""
    server.says(hub(0), Reply(page(listed(1))))
    server.says(hub(1), Reply(fault="stall"))
    began = time.monotonic()
    found = await gather(SOURCES["huggingface"], WINDOW, addresses, fetcher, quiet, 0.3)
    assert time.monotonic() - began < 2
    assert ids(found) == ["2606.00001"]
    assert found.problem.startswith("Hugging Face was not done after 0.3 s (PAPERROUND_SOURCE_DEADLINE)")
    assert "(1 paper came nevertheless)" in found.problem
