"""The flow `collect`, under a real Prefect server. Its patience with a source that fails, which takes it half a minute,
is tested in `tests/processes/test_up_keeps_running.py`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from flows.collect import collect, collect_from_sources
from flows.editions.model import Kind
from flows.outcomes import Problem
from flows.parameters import Days
from tests import factories
from tests.delivery.test_run import cards
from tests.factories import DAY
from tests.papers.server import Reply, Server, running
from tests.prefect_server import Installation, in_a_run

YESTERDAY = DAY - dt.timedelta(days=1)


async def ended(first: object, last: object, newsletter: str = "sample") -> tuple[str, str]:
    state: Any = await collect(Days(newsletter=newsletter, first=str(first), last=str(last)), return_state=True)
    return state.type.value, state.message


async def test_days_in_a_row_are_collected_and_kept(installation: Installation) -> None:
    assert await ended(DAY, DAY) == ("COMPLETED", "2026-06-09 is collected")
    assert await ended(YESTERDAY, DAY) == ("COMPLETED", "2 days are collected")
    async with installation.context() as context:
        kept = await context.store.papers(YESTERDAY, DAY, ["sample"])
    assert {paper.day for paper in kept} == {YESTERDAY, DAY}


@pytest.mark.parametrize(
    "first", [DAY + dt.timedelta(days=1), DAY - dt.timedelta(days=62)], ids=["backwards", "too many"]
)
async def test_other_spans_are_a_problem_in_words(installation: Installation, first: dt.date) -> None:
    kind, words = await ended(first, DAY)
    assert kind == "FAILED"
    assert f"{first} to {DAY} are not 1 to 62 days: choose a last day after the first, not so far." in words


@pytest.fixture
def source(installation: Installation) -> Iterator[Server]:
    """Hugging Face, which has nothing but what a test gives it."""
    with running() as server:
        installation.sets(huggingface_url=server.url, arxiv_url=f"{server.url}/query")
        installation.has_newsletter("of-hugging-face", sources=["huggingface"], look_back=3)
        yield server


@pytest.mark.parametrize(
    ("kind", "failing", "wrong"),
    [
        (Kind.DAILY, {DAY}, True),
        (Kind.DAILY, {YESTERDAY}, False),
        (Kind.WEEKLY, {YESTERDAY}, True),
        (Kind.WEEKLY, set(), False),
    ],
    ids=["its day", "another day", "a day of its week", "no day of its week"],
)
async def test_a_source_that_gave_nothing_makes_the_task_red(
    installation: Installation, source: Server, kind: Kind, failing: set[dt.date], wrong: bool
) -> None:
    """In one attempt of the task. The edition before was three days ago: a daily one draws on what came since."""
    earlier = factories.edition(newsletter="of-hugging-face", day=DAY - dt.timedelta(days=3))
    async with installation.context() as context:
        await context.store.freeze(earlier, cards(), context.now())
    for day in (DAY - dt.timedelta(days=age) for age in range(7)):
        reply = Reply(b"gone", 404) if day in failing else Reply(b"[]")
        source.says(f"/api/daily_papers?date={day}&limit=100&p=0", reply)
    attempt: Any = collect_from_sources.fn
    if not wrong:
        await in_a_run(attempt("of-hugging-face", kind, DAY))
        assert f"/api/daily_papers?date={YESTERDAY}&limit=100&p=0" in source.paths()
        return
    with pytest.raises(Problem, match="404"):
        await in_a_run(attempt("of-hugging-face", kind, DAY))
