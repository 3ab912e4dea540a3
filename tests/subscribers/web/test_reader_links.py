"""Readers' links that open nothing say why."""

from __future__ import annotations

import datetime as dt

from subscribers.tokens import PREVIEW_READER, Purpose
from tests.context import NOON
from tests.subscribers.site import Site, act, link


async def test_links_that_open_nothing_say_why(site: Site) -> None:
    reader = await site.reader()
    good = link(Purpose.MANAGE, reader.id)
    before = await site.everything()
    cases = [
        (good[:-1], 404, "not complete"),
        (good + "A", 404, "not complete"),
        ("/manage/" + link(Purpose.CONFIRM, reader.id).rpartition("/")[2], 404, "not complete"),
        (link(Purpose.MANAGE, 4711), 410, "nothing behind this link"),
        (link(Purpose.MANAGE, reader.id, NOON - dt.timedelta(days=367)), 410, 'action="/manage-link"'),
        (link(Purpose.MANAGE, PREVIEW_READER), 200, "comes from a preview"),
        (link(Purpose.PRIVATE, reader.id, NOON - dt.timedelta(hours=4)), 410, 'action="/manage-link"'),
        (link(Purpose.ADDRESS, 1, NOON - dt.timedelta(days=8)), 410, 'action="/manage-link"'),
        (act(4711, "pause"), 410, "nothing behind this link"),
        (f"{good}x/pause".replace("/manage/", "/act/"), 404, "not complete"),
    ]
    for path, status, words in cases:
        for method in ("GET", "POST"):
            answer = await site.browser.request(method, path)
            assert (path, answer.status_code, words in answer.text) == (path, status, True)
    assert await site.everything() == before
