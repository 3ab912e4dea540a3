"""The latest edition, kept at hand."""

from __future__ import annotations

from flows.editions.model import Kind
from subscribers.web.latest import FindLatest
from tests import factories
from tests.subscribers.site import OTHER_DAY, Site


async def test_it_is_read_once_until_there_is_a_newer_one(site: Site) -> None:
    latest = FindLatest(site.context.store)
    assert await latest("daily") is None
    await site.publish(factories.edition(day=OTHER_DAY, number=6))
    first = await latest("daily")
    assert first is not None
    assert first.day == OTHER_DAY
    assert await latest("daily") is first
    newer = await site.publish()
    assert await latest("daily") == newer.edition


async def test_kinds_and_newsletters_are_told_apart(site: Site) -> None:
    latest = FindLatest(site.context.store)
    weekly = await site.publish(factories.edition(kind=Kind.WEEKLY))
    assert await latest("daily") is None
    assert await latest("daily", Kind.WEEKLY) == weekly.edition
    assert await latest("arxiv", Kind.WEEKLY) is None
