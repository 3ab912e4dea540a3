"""The flow `compose`, under a real Prefect server, and its task as `daily` and `weekly` run it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from uuid import uuid4

import pytest

from flows import pipeline
from flows.compose import compose, compose_edition
from flows.editions.model import Edition, Kind
from flows.outcomes import Problem
from flows.parameters import KindOfDay
from tests.factories import DAY
from tests.prefect_server import Installation, in_a_run


async def collected(installation: Installation, newsletter: str) -> None:
    installation.has_newsletter(newsletter)
    async with installation.context() as context:
        await pipeline.collect(context, context.newsletter(newsletter), Kind.DAILY, DAY, print)


async def test_the_flow_shows_the_edition_and_stores_none(installation: Installation) -> None:
    await collected(installation, "looked-at")
    await compose(KindOfDay(newsletter="looked-at", date=str(DAY), kind=Kind.DAILY))
    rows = json.loads(installation.prefect.shown("edition-looked-at")["data"])
    async with installation.context() as context:
        assert await context.store.find("looked-at", Kind.DAILY, DAY) is None
        edition = await pipeline.compose(context, context.newsletter("looked-at"), Kind.DAILY, DAY)
    assert isinstance(edition, Edition)
    assert len(rows) == edition.size


async def test_a_draft_is_kept_shown_and_told_of(installation: Installation) -> None:
    slug = f"kept-{uuid4().hex[:8]}"
    await collected(installation, slug)
    work: Any = compose_edition(slug, Kind.DAILY, DAY, keep=True)
    papers = await in_a_run(work)
    async with installation.context() as context:
        kept = await context.store.find(slug, Kind.DAILY, DAY)
    assert isinstance(kept, Edition)
    assert kept.size == papers > 0
    told = installation.prefect.told("paperround.edition.composed", f"paperround.edition.{slug}.{DAY}")
    assert told == [{"newsletter": slug, "day": str(DAY), "kind": "daily", "papers": papers}]


@pytest.mark.parametrize("keep", [True, False])
async def test_a_quiet_day_is_none_with_its_reason(installation: Installation, keep: bool) -> None:
    installation.has_newsletter("silent")
    work: Any = compose_edition("silent", Kind.DAILY, DAY, keep=keep)
    assert await in_a_run(work) == 0
    assert "**No daily edition on Tuesday, 09 June 2026.**" in installation.prefect.shown("edition-silent")["data"]


async def test_what_cannot_be_is_a_problem_before_anything_is_composed(installation: Installation) -> None:
    with pytest.raises(Problem, match="There is no newsletter 'nothing'"):
        await compose(KindOfDay(newsletter="nothing", date=str(DAY), kind=Kind.DAILY))
    ahead = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=3)
    with pytest.raises(Problem, match="lies in the future"):
        await compose(KindOfDay(newsletter="sample", date=str(ahead), kind=Kind.DAILY))
