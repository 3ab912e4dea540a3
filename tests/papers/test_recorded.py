"""Real recorded days, through a stand-in for both services; skipped where there are none."""

from __future__ import annotations

import datetime as dt
import json
from itertools import pairwise
from pathlib import Path

import pytest

from flows.papers.fetch import Fetcher
from flows.papers.gather import SOURCES, complete, gather
from flows.papers.model import Addresses, Collected, Request, Unreadable, Window
from flows.papers.sources import arxiv, huggingface
from tests.replay import replaying

NEWEST = dt.date(2026, 6, 12)


def quiet(sentence: str) -> None:
    """For where it does not matter what is said."""


async def collect(name: str, window: Window, addresses: Addresses, cache: Path, interval: float = 0) -> Collected:
    async with Fetcher(contact="", cache=cache, arxiv_interval=interval, backoff=0.01) as fetcher:
        return await gather(SOURCES[name], window, addresses, fetcher, quiet)


def listed(file: Path) -> list[str]:
    """The ids of a recorded day, each once."""
    return list(dict.fromkeys(entry["paper"]["id"] for entry in json.loads(file.read_bytes())))


def test_every_recorded_answer_is_read_whole(recorded: Path) -> None:
    """Today's shape and that of two years ago: no entry is left out."""
    files = [
        file for name in ("daily", "old_schema", "resnapshots") for file in sorted(recorded.glob(f"data/hf/{name}/*"))
    ]
    files += [*recorded.glob("data/hf/full_response*/*"), *recorded.glob("data/seed/*.json")]
    assert len(files) > 120
    window, addresses = Window(day=NEWEST), Addresses()
    for file in files:
        answer = huggingface.parse(file.read_bytes(), huggingface.requests(window, addresses)[0], window, addresses)
        assert [paper.id for paper in answer.papers] == listed(file), file.name
        assert not answer.skipped
        assert all(paper.authors and paper.published and paper.abstract for paper in answer.papers), file.name


def test_damaged_answers_are_skipped_entry_by_entry(recorded: Path) -> None:
    """Objects that were written as texts are not guessed at."""
    window, addresses = Window(day=NEWEST), Addresses()
    for file in sorted(recorded.glob("data/hf/malformed/*")):
        answer = huggingface.parse(file.read_bytes(), huggingface.requests(window, addresses)[0], window, addresses)
        assert not answer.papers
        assert {skip.reason for skip in answer.skipped} == {"it is a text, not an object"}


def test_recorded_answers_of_arxiv_are_read(recorded: Path) -> None:
    """Searches, old identifiers, no results, an error."""
    window, addresses = Window(day=NEWEST), Addresses()
    errors = []
    for file in sorted(recorded.glob("data/arxiv/atom/*.json")):
        answer = json.loads(file.read_bytes())
        request = Request(url="x?id_list=astro-ph/0601001,1707.08567", kind="details", format="xml", service="arxiv")
        try:
            found = arxiv.parse(answer["body"].encode(), request, window, addresses)
            assert not found.skipped
            assert all(paper.authors and paper.categories and paper.published for paper in found.papers)
        except Unreadable as error:
            errors.append(str(error))
    assert errors == ["an error: incorrect id format for abc"]
    for file in recorded.glob("data/arxiv/rss/*.xml"):
        of_day = Window(day=dt.date(2026, 4, 27), categories=("cs.AI",))
        found = arxiv.parse(file.read_bytes(), arxiv.requests(of_day, addresses)[0], of_day, addresses)
        assert len(found.papers) == 3


@pytest.mark.parametrize("options", [(), ("--page-max", "20"), ("--page-max", "7")])
async def test_a_whole_day_comes_however_many_a_page_holds(
    recorded: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """All of its papers, in their order."""
    with replaying(recorded, *options) as addresses:
        found = await collect("huggingface", Window(day=NEWEST), addresses, tmp_path)
    assert [paper.id for paper in found.papers] == listed(recorded / f"data/hf/daily/{NEWEST}.json")


async def test_categories_come_for_every_paper_of_a_day(recorded: Path, tmp_path: Path) -> None:
    """In one batch."""
    with replaying(recorded) as addresses:
        found = await collect("huggingface", Window(day=NEWEST), addresses, tmp_path)
        async with Fetcher(contact="", cache=tmp_path, arxiv_interval=0) as fetcher:
            papers, problem = await complete(found.papers, addresses, fetcher, quiet)
    assert (problem, all(paper.categories for paper in papers)) == ("", True)


async def test_faults_change_nothing(recorded: Path, tmp_path: Path) -> None:
    """Each kind once in a row: the papers of both sources are the same as without."""
    faults = ("500:1", "truncate:1", "html:1", "reset:1")
    options = [word for fault in faults for word in ("--fault", fault)]
    windows = {"huggingface": Window(day=NEWEST), "arxiv": Window(day=dt.date(2026, 6, 19), categories=("cs.CL",))}
    with replaying(recorded) as calm, replaying(recorded, *options) as stormy:
        for name, window in windows.items():
            expected = await collect(name, window, calm, tmp_path / "calm")
            assert expected.papers
            assert await collect(name, window, stormy, tmp_path / "stormy") == expected


async def test_arxiv_is_asked_slowly(recorded: Path, tmp_path: Path) -> None:
    """The stand-in's log shows one request at a time, and the interval between any two."""
    window = Window(day=dt.date(2026, 6, 19), categories=("cs.AI", "cs.CL"))
    with replaying(recorded, "--log", str(tmp_path / "log")) as addresses:
        found = await collect("arxiv", window, addresses, tmp_path, interval=0.4)
    log = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert len(found.papers) > 100
    assert len(log) >= 3
    assert all(later["t"] - earlier["t"] >= 0.4 for earlier, later in pairwise(log))
    assert {line["inflight"] for line in log} == {1}
