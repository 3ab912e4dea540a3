"""What a reader can choose from."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from subscribers.model import Frequency
from subscribers.web.choices import frequencies, groups, zones
from tests import factories
from tests.subscribers.site import Site


async def test_the_sample_is_offered_only_where_nothing_else_comes_out(site: Site) -> None:
    assert 'value="sample"' not in (await site.browser.get("/subscribe")).text
    await site.publish(factories.edition(newsletter="sample"))
    assert 'name="newsletter" value="sample"' in (await site.browser.get("/subscribe")).text
    await site.publish()
    assert 'value="sample"' not in (await site.browser.get("/subscribe")).text


async def test_topics_stand_in_their_groups_in_the_order_of_a_digest(site: Site) -> None:
    found = groups(reversed(site.services.topics))
    listed = [topic for group in found for topic in group.topics]
    assert listed == sorted(site.services.topics, key=lambda topic: topic.order)
    assert len({group.name for group in found}) == len(found) > 1
    assert [group.slug for group in found] == [group.topics[0].slug for group in found]


def test_weekly_is_offered_where_there_is_one_and_to_who_has_it(site: Site) -> None:
    daily = site.services.newsletters["daily"]
    s = replace(site.services, newsletters={"daily": replace(daily, weekly_cron="")})
    assert frequencies(s, "daily") == [Frequency.DAILY, Frequency.WEEKDAYS]
    assert frequencies(s, "daily", Frequency.WEEKLY) == list(Frequency)
    assert frequencies(site.services, "daily") == list(Frequency)
    assert frequencies(s, "taken away") == list(Frequency)


def test_zones_are_offered_by_region_and_each_is_one() -> None:
    (first, only), *regions = zones()
    assert (first, only) == ("UTC", ["UTC"])
    assert [name for name, _ in regions] == sorted({name for name, _ in regions})
    assert all(ZoneInfo(zone) and zone.startswith(f"{name}/") for name, listed in regions for zone in listed)
