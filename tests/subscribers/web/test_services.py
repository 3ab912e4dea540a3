"""What a path and a newsletter name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.factories import DAY
from tests.subscribers.site import Site


def test_a_newsletter_carries_its_topics_or_all(site: Site) -> None:
    daily = site.services.newsletters["daily"]
    some = site.services.topics[1:3]
    assert site.services.topics_of(replace(daily, topics=tuple(topic.slug for topic in some))) == list(some)
    assert site.services.topics_of(replace(daily, topics=())) == list(site.services.topics)


@pytest.mark.parametrize("written", [f"nope/{DAY}", "daily/20260609", "daily/2026-W24-2", "daily/2026-6-9", "daily/x"])
async def test_a_day_is_written_in_one_way(site: Site, written: str) -> None:
    await site.publish()
    assert (await site.browser.get(f"/archive/{written}")).status_code == 404
    assert (await site.browser.get(f"/archive/daily/{DAY}")).status_code == 200
