"""What a reader can choose from."""

from __future__ import annotations

from typing import Any

from tests.subscribers.site import Site


def replace_newsletter(slug: str) -> Any:
    from tests import factories

    return factories.edition(newsletter=slug)


async def test_the_sample_is_offered_only_where_nothing_else_comes_out(site: Site) -> None:
    assert 'value="sample"' not in (await site.browser.get("/subscribe")).text
    await site.publish(replace_newsletter("sample"))
    assert 'name="newsletter" value="sample"' in (await site.browser.get("/subscribe")).text
    await site.publish()
    assert 'value="sample"' not in (await site.browser.get("/subscribe")).text
