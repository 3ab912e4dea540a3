"""Where editions lie, and that each path leads there."""

from __future__ import annotations

import pytest

from flows.editions.model import Kind
from subscribers.web.page_meta import feeds_of, path_of
from tests import factories
from tests.factories import DAY
from tests.subscribers.site import Site


@pytest.mark.parametrize(
    ("kind", "path"), [(Kind.DAILY, f"/archive/daily/{DAY}"), (Kind.WEEKLY, f"/archive/daily/week/{DAY}")]
)
async def test_an_edition_lies_where_its_path_says(site: Site, kind: Kind, path: str) -> None:
    assert path_of("daily", kind, DAY) == path
    await site.publish(factories.edition(kind=kind))
    assert (await site.browser.get(path)).status_code == 200


async def test_a_newsletters_feed_is_one(site: Site) -> None:
    ((title, path),) = feeds_of(site.services.newsletters["daily"]).items()
    assert title == site.services.newsletters["daily"].title
    assert (await site.browser.get(path)).headers["Content-Type"].startswith("application/atom+xml")
