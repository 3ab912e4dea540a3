"""The bundled sample: the same papers on any day, and new ones."""

from __future__ import annotations

import datetime as dt
import json

from flows.papers.model import Addresses, Window
from flows.papers.sources import sample
from tests.papers.shapes import FRIDAY

ADDRESSES = Addresses()


WINDOW = Window(day=FRIDAY, categories=("cs.AI",))


def test_the_samples_papers_are_new_every_day() -> None:
    """So that a sample can be delivered on any day, though no edition shows what an earlier one has shown."""
    body = json.dumps([{"id": f"0000.{n:05d}", "title": f"Title {n}"} for n in range(1, 26)]).encode()
    seen: set[str] = set()
    for day in range(30):
        window = Window(day=FRIDAY + dt.timedelta(days=day))
        seen |= {
            paper.id for paper in sample.parse(body, sample.requests(window, ADDRESSES)[0], window, ADDRESSES).papers
        }
    assert len(seen) == 30 * 25


def test_the_sample_is_read_with_all_that_it_has() -> None:
    """And is of whatever day is asked for."""
    (request,) = sample.requests(WINDOW, ADDRESSES)
    whole = {
        "id": "0000.00001",
        "title": "On invented papers",
        "abstract": "They are not true.",
        "authors": ["Nobody Real", "Nobody Else"],
        "published": "2026-06-05",
        "categories": ["cs.AI"],
        "upvotes": 4,
        "comments": 0,
        "code": "https://code.example/x",
    }
    answer = sample.parse(
        json.dumps([whole, {"id": "moon", "title": "Unreal"}, 3]).encode(), request, WINDOW, ADDRESSES
    )
    (paper,) = answer.papers
    assert (paper.sources, paper.day, paper.categories, paper.upvotes) == (("sample",), FRIDAY, ("cs.AI",), 4)
    assert [skip.entry for skip in answer.skipped] == ["Unreal", "entry 3"]
