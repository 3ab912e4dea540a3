"""A fresh link for whoever lost theirs."""

from __future__ import annotations

from tests.subscribers.site import READER, Site


async def test_a_fresh_link_is_mailed_once_an_hour(site: Site) -> None:
    await site.subscribe()
    answers = [await site.browser.post("/manage-link", data={"address": READER}) for _ in range(3)]
    assert len({answer.content for answer in answers}) == 1
    assert await site.letters() == ["link"]
    refused = await site.browser.post("/manage-link", data={"address": "ada"})
    assert (refused.status_code, 'id="address-error"' in refused.text) == (422, True)
