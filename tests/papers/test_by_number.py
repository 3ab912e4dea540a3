"""Papers that somebody waits for: asked of arXiv together, once, at its pace, and never for longer than they wait."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from flows.papers.by_number import BATCH, KEPT, RETRY, WAITING, ByNumber, fetch
from flows.papers.failures import Unreachable
from flows.papers.fetch import Fetcher
from flows.papers.model import Paper, PaperId, Window
from tests import factories
from tests.factories import DAY
from tests.replay import replaying

FIRST, SECOND, NONE = (PaperId(f"2606.0000{n}") for n in (1, 2, 3))


class Arxiv:
    """Knows the first two papers, and answers when it is let."""

    def __init__(self) -> None:
        self.asked: list[list[PaperId]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.broken = False

    async def __call__(self, ids: Sequence[PaperId]) -> list[Paper]:
        self.asked.append(list(ids))
        await self.open.wait()
        if self.broken:
            raise Unreachable("arXiv is away.")
        return [paper for paper in map(factories.paper, (1, 2)) if paper.id in ids]


async def test_what_came_is_told_and_not_asked_again() -> None:
    arxiv, now = Arxiv(), [0.0]
    asked = ByNumber(arxiv, clock=lambda: now[0])
    assert asked.known([FIRST]).unasked == (FIRST,)
    for _ in range(2):
        told = await asked.ask([FIRST, NONE, PaperId("nonsense/1234567")], patience=5)
        assert set(told.papers) == {FIRST}
        assert told.unknown == (NONE, PaperId("nonsense/1234567"))
        assert (told.waiting, told.failed) == ((), ())
    assert arxiv.asked == [[FIRST, NONE]]
    now[0] = KEPT + 1
    await asked.ask([FIRST], patience=5)
    assert len(arxiv.asked) == 2


async def test_nobody_waits_longer_than_they_said_and_the_answer_comes_all_the_same() -> None:
    arxiv = Arxiv()
    arxiv.open.clear()
    asked = ByNumber(arxiv)
    assert (await asked.ask([FIRST], patience=0.01)).waiting == (FIRST,)
    others = asyncio.create_task(asked.ask([FIRST, SECOND], patience=5))
    await asyncio.sleep(0.01)
    arxiv.open.set()
    assert set((await others).papers) == {FIRST, SECOND}
    assert arxiv.asked == [[FIRST], [SECOND]]
    assert set(asked.known([FIRST]).papers) == {FIRST}


async def test_a_failure_is_told_and_asked_again_after_a_while_alone() -> None:
    arxiv, now = Arxiv(), [0.0]
    arxiv.broken = True
    asked = ByNumber(arxiv, clock=lambda: now[0])
    for _ in range(2):
        assert (await asked.ask([FIRST], patience=5)).failed == (FIRST,)
    assert len(arxiv.asked) == 1
    arxiv.broken, now[0] = False, RETRY + 1
    assert set((await asked.ask([FIRST], patience=5)).papers) == {FIRST}


async def test_so_many_wait_at_most_and_so_many_are_asked_for_at_a_time() -> None:
    arxiv = Arxiv()
    arxiv.open.clear()
    asked = ByNumber(arxiv)
    many = [PaperId(f"2606.{n:05}") for n in range(WAITING + 50)]
    told = await asked.ask(many, patience=0.01)
    arxiv.open.set()
    told = await asked.ask(many[:WAITING], patience=5)
    assert told.waiting == ()
    assert [len(ids) for ids in arxiv.asked] == [BATCH] * (WAITING // BATCH)
    assert asked.known(many[WAITING:]).unasked == tuple(many[WAITING:])


async def test_arxiv_is_asked_at_its_pace_by_one_request_for_all(recorded: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with replaying(recorded, "--days", "seed", "--log", str(log)) as addresses:
        async with Fetcher(contact="", cache=tmp_path, arxiv_interval=0.5) as fetcher:
            listed = sorted((recorded / "data/seed").glob("*.json"))[0]
            ids = [PaperId(one["paper"]["id"]) for one in json.loads(listed.read_text())][:20]

            async def of_arxiv(wanted: Sequence[PaperId]) -> list[Paper]:
                return await fetch(wanted, Window(day=DAY), addresses, fetcher)

            told = await ByNumber(of_arxiv).ask([*ids, NONE], patience=20)
            await ByNumber(of_arxiv).ask(ids[:1], patience=20)
    assert (set(told.papers), told.unknown) == (set(ids), (NONE,))
    assert all(paper.title and paper.authors for paper in told.papers.values())
    one, other = (json.loads(line) for line in log.read_text().splitlines())
    assert other["t"] - one["t"] >= 0.5
