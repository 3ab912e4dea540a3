"""Reading Hugging Face's Daily Papers."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from flows.papers.model import Addresses, Answer, Unreadable, Window
from flows.papers.sources import huggingface
from tests.papers.shapes import FRIDAY, HTML, listed, page

ADDRESSES = Addresses(huggingface="http://hub.example")
WINDOW = Window(day=FRIDAY)


def parse(body: bytes, window: Window = WINDOW) -> Answer:
    return huggingface.parse(body, huggingface.requests(window, ADDRESSES)[0], window, ADDRESSES)


def test_every_field_of_an_entry_is_read() -> None:
    """Hidden authors are left out, white space is folded, repeated names stand once."""
    (paper,) = parse(page(listed())).papers
    assert (paper.id, paper.title, paper.day, paper.sources) == (
        "2606.00001",
        "Lighthouses, volume 1",
        FRIDAY,
        ("huggingface",),
    )
    assert paper.abstract == "We count the lamps of a coast."
    assert paper.authors == ("Ines Falk", "Noor Ito")
    assert paper.published == dt.date(2026, 6, 17)
    assert paper.listed_at == dt.datetime(2026, 6, 19, 7, 30, tzinfo=dt.UTC)
    assert (paper.upvotes, paper.comments, paper.stars) == (12, 3, 0)
    assert (paper.submitter, paper.organisation) == ("Ada Keeper", "Institute of the Coast")
    assert (paper.keywords, paper.ai_summary) == (("lamps", "coasts"), "Lamps are counted.")
    assert (paper.code, paper.project) == ("https://github.com/falk/lamps", "https://lamps.example/")
    assert (paper.thumbnail, paper.discussion) == (
        "https://cdn.example/1.png",
        "https://huggingface.co/papers/2606.00001",
    )


def test_an_id_and_a_title_are_enough() -> None:
    """What is missing is empty, except for votes: nobody voted yet, but anybody could."""
    (paper,) = parse(page({"paper": {"id": "2606.00002", "title": "Bare"}})).papers
    assert (paper.upvotes, paper.comments, paper.stars) == (0, 0, None)
    assert not any((paper.abstract, paper.authors, paper.published, paper.keywords, paper.code, paper.submitter))


@pytest.mark.parametrize("wrong", [None, True, -3, 2.5, "\x00", [], {}, [None, 1, {}], {"name": {}}, 10**30])
def test_a_wrong_type_in_any_field_costs_that_field_alone(wrong: Any) -> None:
    """The paper goes in, whichever of its optional fields is broken, and all of them."""
    whole = listed()
    for key in whole["paper"]:
        answer = parse(page(listed(**{key: wrong}), listed(2)))
        expected = 1 if key == "id" else 2
        assert len(answer.papers) == expected, key
        assert len(answer.skipped) == 2 - expected
    broken = dict.fromkeys(whole, wrong) | {"paper": dict.fromkeys(whole["paper"], wrong)}
    broken["paper"] |= {"id": "2606.00009", "title": "Nothing else is right"}
    assert [paper.title for paper in parse(page(broken)).papers] == ["Nothing else is right"]


def test_what_cannot_be_read_is_skipped_with_its_reason() -> None:
    """The entry is named as far as it can be, and the rest goes in."""
    bad = listed(3)
    bad["paper"]["title"] = bad["title"] = " \n"
    answer = parse(page("{'paper': …}", None, listed(1), listed(2, id="moon"), bad, listed(4, id=7)))
    assert [paper.id for paper in answer.papers] == ["2606.00001"]
    assert [(skip.entry, skip.reason) for skip in answer.skipped] == [
        ("entry 1", "it is a text, not an object"),
        ("entry 2", "it is nothing, not an object"),
        ("moon", "'moon' is not an arXiv identifier such as 2606.10651"),
        ("2606.00003", "it has no title"),
        ("Lighthouses, volume 4", "it has no id"),
    ]


def test_links_that_are_none_are_dropped() -> None:
    """A script is not a project page."""
    (paper,) = parse(page(listed(projectPage="javascript:alert(1)", githubRepo="https://a b"))).papers
    assert (paper.project, paper.code) == ("", "")


def test_a_paper_that_is_listed_twice_stands_once() -> None:
    """The first of its entries counts."""
    answer = parse(page(listed(1, upvotes=5), listed(2), listed(1, upvotes=9)))
    assert [(paper.id, paper.upvotes) for paper in answer.papers] == [("2606.00001", 5), ("2606.00002", 12)]


def test_six_hundred_authors_and_a_long_abstract_are_kept() -> None:
    """Nothing is cut here: that is for those who show it."""
    people = [{"name": f"Author {number}"} for number in range(664)]
    (paper,) = parse(page(listed(authors=people, summary="long " * 4000))).papers
    assert len(paper.authors) == 664
    assert len(paper.abstract) == 19_999


def test_a_page_leads_to_the_next_until_one_is_empty() -> None:
    """However few it holds, for a server may give fewer a page than were asked for."""
    first = parse(page(listed()))
    assert [request.url for request in first.follow] == [
        "http://hub.example/api/daily_papers?date=2026-06-19&limit=100&p=1"
    ]
    last = huggingface.parse(b"[]", first.follow[0], WINDOW, ADDRESSES)
    assert last == Answer()


def test_the_pages_come_to_an_end() -> None:
    """A server that never stops is left after twenty pages."""
    (request,) = huggingface.requests(WINDOW, ADDRESSES)
    for number in range(1, 20):
        (request,) = huggingface.parse(page(listed()), request, WINDOW, ADDRESSES).follow
        assert request.url.endswith(f"&p={number}")
    assert huggingface.parse(page(listed()), request, WINDOW, ADDRESSES).follow == ()


def test_an_empty_day_says_why() -> None:
    """A weekend is one thing, a weekday another."""
    assert parse(b"[]", Window(day=dt.date(2026, 11, 22))).silence == "Hugging Face lists no papers at weekends"
    quiet = "Hugging Face lists no papers for 19 June 2026 (a holiday, or it is too early in the day)"
    assert parse(b"[]").silence == quiet


def test_a_list_inside_an_object_is_read() -> None:
    """Whatever else the object holds."""
    body = json.dumps({"status": "success", "data": [listed(), "text"]}).encode()
    answer = parse(body)
    assert (len(answer.papers), len(answer.skipped)) == (1, 1)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "an empty body instead of JSON"),
        (HTML, "an HTML page instead of JSON"),
        (page(listed())[:90], "a damaged or unknown document instead of JSON"),
        (b'{"error":"Invalid\\nquery"}', "an error instead of a list: Invalid query"),
        (b'{"error":{"code":1}}', "an error instead of a list: an object"),
        (b"{}", "an object instead of a list"),
        (b"null", "nothing instead of a list"),
        (b"[" * 100_000, "a damaged or unknown document instead of JSON"),
    ],
)
def test_another_answer_is_unreadable_and_named(body: bytes, words: str) -> None:
    """The operator reads what came instead."""
    with pytest.raises(Unreadable, match=words):
        parse(body)


def test_bytes_that_are_not_utf8_and_endless_numbers_cost_little() -> None:
    """A broken character or number does not cost the day."""
    body = page(listed()).replace(b"volume 1", b"volume \xff").replace(b'"upvotes": 12', b'"upvotes": ' + b"9" * 5000)
    (paper,) = parse(b"\xef\xbb\xbf" + body).papers
    assert (paper.title, paper.upvotes) == ("Lighthouses, volume �", 0)
