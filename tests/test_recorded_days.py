"""Recorded real days, where this checkout has them beside it, from the source to the mail."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
import re
from dataclasses import replace
from pathlib import Path

import pytest

from flows import pipeline
from flows.context import Context
from flows.editions import maths
from flows.editions.choose import choose
from flows.editions.model import Edition, Interests, Kind
from flows.mail.assemble import LIMIT, assemble, plain
from flows.mail.model import Message
from flows.papers.model import Addresses
from flows.storage.database import Database, connect, migrate
from tests.context import context_of
from tests.factories import reader
from tests.mail.made import SHIPPED, body, tree
from tests.replay import replaying

LOOKS = sorted(folder.name for folder in (SHIPPED / "email/digest").iterdir())
RESIDUE = re.compile(r"\\[a-zA-Z]{2,}|\\[%_&$#{}]|[\^_]\{|\$[^$\n]{0,40}[\\^_][^$\n]{0,40}\$")


def at(database: Database, folder: Path, url: Addresses) -> Context:
    return context_of(
        database,
        folder,
        now=dt.datetime(2026, 6, 20, tzinfo=dt.UTC),
        huggingface_url=url.huggingface,
        arxiv_url=url.arxiv,
        arxiv_rss_url=url.arxiv_rss,
    )


async def composed(context: Context, day: dt.date, newsletter: str = "daily") -> Edition:
    wanted = context.newsletter(newsletter)
    await pipeline.collect(context, wanted, Kind.DAILY, day, lambda _: None)
    edition = await pipeline.compose(context, wanted, Kind.DAILY, day)
    assert isinstance(edition, Edition), edition
    return edition


sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@sqlite
async def test_the_page_that_the_project_began_from(recorded: Path, database: Database, tmp_path: Path) -> None:
    """All 20 papers, each under an acceptable topic, at least 18 under the very one, and no TeX left in the mail."""
    lines = (recorded / "data/labels/topics-seed.jsonl").read_text("utf-8").splitlines()
    labels = {row["title"]: row for row in map(json.loads, lines)}
    with replaying(recorded, "--days", "seed") as url:
        context = at(database, tmp_path, url)
        edition = await composed(context, dt.date(2026, 6, 9))
    found = {entry.paper.title: entry.topic for entry in edition.entries}
    assert len(found) == 20
    exact = [title for title, topic in found.items() if topic == labels[title]["label"]]
    wrong = [t for t, topic in found.items() if topic not in (labels[t]["label"], *labels[t].get("alternates", []))]
    assert wrong == []
    assert len(exact) >= 18
    cards = await pipeline.cards_of(context, edition, context.newsletter("daily"))
    text = re.sub(r"https?://\S+", "", plain(cards, choose(edition, Interests())))
    assert RESIDUE.findall(text) == []


@sqlite
async def test_recorded_days_compose_in_any_order(recorded: Path, database: Database, tmp_path: Path) -> None:
    """Every fifth recorded day in a shuffled order: each has all its papers once, and every title can be read. Some of
    them are mails in every look that nothing is wrong with."""
    files = sorted((recorded / "data/hf/daily").glob("*.json"))[::5]
    random.Random(7).shuffle(files)
    with replaying(recorded) as url:
        context = at(database, tmp_path, url)
        for number, file in enumerate(files):
            ids = {entry["paper"]["id"] for entry in json.loads(file.read_text("utf-8"))}
            edition = await composed(context, dt.date.fromisoformat(file.stem))
            assert {entry.paper.id for entry in edition.entries} == ids
            assert edition.size == len(ids)
            assert all(not RESIDUE.search(maths.text(entry.paper.title)) for entry in edition.entries)
            if number % 4 == 0:
                for look in LOOKS:
                    newsletter = replace(context.newsletter("daily"), look=look)
                    cards = await pipeline.cards_of(context, edition, newsletter)
                    nothing_is_wrong(assemble(cards, choose(edition, Interests()), reader()), edition)


def nothing_is_wrong(message: Message, edition: Edition) -> None:
    """What a mailbox, a text reader and a browser would stumble over."""
    _, _, bodies = message.content.partition(b"\r\n\r\n")
    quoted, _, plain = bodies.partition(b"Content-Type: text/html")
    assert max(map(len, quoted.split(b"\r\n"))) <= 76
    assert max(map(len, plain.split(b"\r\n"))) <= 998
    page, text = body(message, "html"), body(message, "plain")
    document = tree(page)
    assert len(page.encode()) <= LIMIT
    assert all(len(line) <= 72 or "://" in line for line in text.splitlines())
    ids = set(document.xpath("//@id"))
    links = document.xpath("//a/@href")
    assert not [link for link in links if not re.match("https?://", link) and link.removeprefix("#") not in ids]
    assert not [link for link in links if re.search("/(abs|papers)/", link) and link not in text]
    assert not document.xpath("//img | //script | //form")
    for style in document.xpath("//style"):
        assert len(style.text_content()) < 8_192  # what is longer Gmail drops
        style.drop_tree()
    shown = re.sub(r"https?://\S+", "", document.text_content() + text)
    assert RESIDUE.findall(shown) == []
    assert not re.search(r"\{\{|\{%|&(?:amp|lt|quot);|\bNone\b", shown)
    left = [entry.paper.id for entry in edition.entries if f"/abs/{entry.paper.id}" not in page]
    assert bool(left) == ("on the web</a>." in page)


@sqlite
@pytest.mark.parametrize("fault", ["429:2", "503:2", "truncate:1", "html:1", "reset:1", "empty:1", "slow:1"])
async def test_a_service_that_stumbles_changes_nothing(
    recorded: Path, database: Database, tmp_path: Path, fault: str
) -> None:
    day = dt.date(2026, 6, 11)
    with replaying(recorded) as url:
        smooth = await composed(at(database, tmp_path, url), day)
    await database.close()
    other = tmp_path / "stumbling"
    empty = connect(f"sqlite+aiosqlite:///{other / 'test.db'}")
    await migrate(empty)
    log = tmp_path / "requests.jsonl"
    with replaying(recorded, "--fault", fault, "--log", str(log)) as url:
        stumbling = await composed(at(empty, other, url), day)
    await empty.close()
    assert stumbling == smooth
    assert len(log.read_text().splitlines()) >= 3


@sqlite
async def test_arxivs_pace_is_kept(recorded: Path, database: Database, tmp_path: Path) -> None:
    """A whole day of arXiv: one request at a time, and the interval between any two."""
    log = tmp_path / "requests.jsonl"
    with replaying(recorded, "--rss-day", "2026-06-18", "--log", str(log)) as url:
        context = context_of(
            database,
            tmp_path,
            now=dt.datetime(2026, 6, 18, 12, tzinfo=dt.UTC),
            arxiv_url=url.arxiv,
            arxiv_rss_url=url.arxiv_rss,
            arxiv_interval=0.4,
        )
        edition = await composed(context, dt.date(2026, 6, 18), "arxiv")
    asked = [json.loads(line) for line in log.read_text().splitlines()]
    assert edition.size > 100
    assert len(asked) > 2
    gaps = [later["t"] - earlier["t"] for earlier, later in itertools.pairwise(asked)]
    assert min(gaps) >= 0.4
    assert max(row["inflight"] for row in asked) == 1
