"""A title of 40,000 characters, as a source might say it, takes up no more than a title wherever it goes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from flows.artifacts.composed import _rows
from flows.editions.choose import choose
from flows.editions.model import Edition, Interests
from flows.mail.assemble import assemble
from flows.papers.model import LONGEST, Paper, Window
from flows.papers.sources import arxiv, huggingface
from tests import factories
from tests.factories import DAY
from tests.mail.made import body, rendered
from tests.mail.made import read as mail
from tests.papers.shapes import FRIDAY, feed, item, listed, page
from tests.papers.sources.test_sources import ADDRESSES
from tests.subscribers.conftest import site
from tests.subscribers.site import Site, collect, preview

__all__ = ["site"]

CHARACTERS = 40_000
TITLE = ("one endless word after another " * CHARACTERS)[: CHARACTERS - 7] + " at last"
WINDOW = Window(day=FRIDAY, categories=("cs.AI",))
MUCH = 12 * LONGEST["title"]
"""More than any of the below says of a title: shown, told aloud, in a link, encoded."""


def of_hugging_face() -> Paper:
    (request,) = huggingface.requests(WINDOW, ADDRESSES)[:1]
    return huggingface.parse(page(listed(title=TITLE)), request, WINDOW, ADDRESSES).papers[0]


def of_arxiv() -> Paper:
    (request,) = arxiv.requests(WINDOW, ADDRESSES)[:1]
    return arxiv.parse(feed(item(title=TITLE)), request, WINDOW, ADDRESSES).papers[0]


@pytest.mark.parametrize("read", [of_hugging_face, of_arxiv])
def test_it_is_cut_as_it_is_read(read: Callable[[], Paper]) -> None:
    title = read().title
    assert len(title) <= LONGEST["title"]
    assert title.startswith("one endless word")


def edition(title: str = TITLE) -> Edition:
    return factories.edition([factories.paper(1, title=title)])


def is_short(told: str, beside: str) -> bool:
    """Whether it holds little more than the same of a short title, and nothing of this one's end."""
    return len(told) < len(beside) + MUCH and "at last" not in told


def test_a_mail_is_no_longer_for_it_nor_its_subject() -> None:
    long, short = (assemble(rendered(one), choose(one, Interests()), factories.reader()) for one in _both())
    assert len(long.content) < len(short.content) + MUCH
    assert len(mail(long)["Subject"]) < 200
    for kind in ("html", "plain"):
        assert is_short(body(long, kind), body(short, kind))


def test_prefects_table_is_no_longer_for_it() -> None:
    long, short = (json.dumps(_rows(one)) for one in _both())
    assert is_short(long, short)


def _both() -> tuple[Edition, Edition]:
    return edition(), edition("Short")


PAGES = [
    "/",
    f"/archive/daily/{DAY}",
    f"/archive/daily/{DAY}.bib",
    f"/archive/daily/{DAY}.ris",
    "/paper/2606.00001",
    "/paper/2606.00001.bib",
    "/paper/2606.00001.ris",
    "/search?q=endless",
    "/feeds/daily.xml",
    "/feeds/daily/agents.xml",
    preview(DAY),
]


async def test_no_page_feed_or_reference_is_longer_for_it(site: Site) -> None:
    one = edition()
    await collect(site, *(entry.paper for entry in one.entries))
    await site.publish(one)
    await site.log_in()
    for path in PAGES:
        answer = await site.browser.get(path)
        assert answer.status_code == 200, path
        shown = re.sub("</?mark>", "", answer.text)
        assert "one endless word after another" in shown, path
        assert shown.count("endless") <= MUCH / len("one endless word after another "), path
        assert "at last" not in shown, path
