from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from subscribers.tables import address_change, subscriber
from subscribers.tokens import Purpose
from tests.subscribers.site import READER, Site, link


async def test_the_link_of_a_mail_opens_nothing_private(site: Site) -> None:
    reader = await site.subscribe()
    token = link(Purpose.MANAGE, reader).rpartition("/")[2]
    assert (await site.browser.get(f"/private/{token}")).status_code == 404
    page = await site.browser.get(link(Purpose.PRIVATE, reader))
    assert (page.status_code, READER in page.text) == (200, False)


async def test_the_export_is_a_file_with_all_we_hold(site: Site) -> None:
    reader = await site.subscribe()
    before = await site.everything()
    answer = await site.browser.post(link(Purpose.PRIVATE, reader), data={"do": "export"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="paperround-2026-06-09.json"'
    assert answer.headers["Cache-Control"] == "no-store"
    held = json.loads(answer.content)
    assert held["address"] == READER
    assert await site.everything() == before


async def test_erasing_takes_a_second_step_and_is_done_once(site: Site) -> None:
    reader = await site.subscribe()
    path = link(Purpose.PRIVATE, reader)
    before = await site.everything()
    refused = await site.browser.post(path, data={"do": "erase"})
    assert (refused.status_code, "Tick the box first" in refused.text) == (422, True)
    assert await site.everything() == before
    for _ in range(2):
        answer = await site.browser.post(path, data={"do": "erase", "sure": "yes"})
        assert (answer.status_code, "Everything is erased" in answer.text) == (200, True)
    assert await site.context.subscribers.get(reader) is None
    assert READER not in repr(await site.everything())
    assert (await site.browser.get(path)).status_code == 410
    assert (await site.browser.get(link(Purpose.MANAGE, reader))).status_code == 410


async def test_a_new_address_counts_once_it_is_confirmed(site: Site) -> None:
    reader = await site.subscribe()
    sent = await site.browser.post(link(Purpose.PRIVATE, reader), data={"do": "address", "address": "new@example.org"})
    assert (sent.status_code, "Check the new inbox" in sent.text) == (200, True)
    assert await site.letters() == ["address"]
    async with site.context.database.read() as connection:
        number = await connection.scalar(sa.select(address_change.c.id))
    assert number
    path = link(Purpose.ADDRESS, number)
    assert "Use this address from now on?" in (await site.browser.get(path)).text
    assert (await site.now(reader)).email == READER
    for _ in range(2):
        assert "Your new address counts" in (await site.browser.post(path)).text
        assert (await site.now(reader)).email == "new@example.org"
    assert sorted(await site.letters()) == ["address", "moved"]


@pytest.mark.parametrize("address", ["", "ada", "x@mailinator.com", READER, READER.upper()])
async def test_a_new_address_that_can_not_be_used_is_refused(site: Site, address: str) -> None:
    reader = await site.subscribe()
    answer = await site.browser.post(link(Purpose.PRIVATE, reader), data={"do": "address", "address": address})
    assert (answer.status_code, 'id="address-error"' in answer.text) == (422, True)
    assert await site.letters() == []


async def test_an_address_of_somebody_else_is_answered_alike_and_not_written_to(site: Site) -> None:
    reader, _ = await site.subscribe(), await site.subscribe("ben@example.org")
    path = link(Purpose.PRIVATE, reader)
    answers = [
        await site.browser.post(path, data={"do": "address", "address": address})
        for address in ("ben@example.org", "free@example.org")
    ]
    assert answers[0].content == answers[1].content
    assert await site.letters() == ["address"]
    async with site.context.database.read() as connection:
        assert len((await connection.execute(sa.select(subscriber))).all()) == 2
