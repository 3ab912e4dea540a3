from __future__ import annotations

import io

import pytest
from lxml import etree
from PIL import Image

from flows.editions.model import Kind
from tests import factories
from tests.factories import DAY
from tests.subscribers.readers import NOON, URL, Visited, is_sent_once, tree_of


async def test_every_page_has_an_icon_of_our_own(visited: Visited) -> None:
    await visited.publish(visited.edition(listed=factories.papers(2)))
    for path in ("/", "/archive", f"/archive/daily/{DAY}", "/search", "/paper/2606.00001"):
        assert tree_of(await visited.page(path)).xpath("//head/link[@rel='icon']/@href") == ["/favicon.ico"]
    answer = await visited.browser.get("/favicon.ico")
    assert answer.headers["Content-Type"] == "image/svg+xml"
    drawn = etree.fromstring(answer.content)
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
    assert not drawn.xpath("//@href")
    assert len(answer.content) < 1000
    await is_sent_once(visited, "/favicon.ico")


async def test_an_edition_has_a_picture_that_its_page_names(visited: Visited) -> None:
    await visited.publish(visited.edition(listed=factories.papers(2)))
    await visited.publish(visited.edition(listed=factories.papers(2), kind=Kind.WEEKLY, number=1))
    for path in (f"/archive/daily/{DAY}", f"/archive/daily/week/{DAY}"):
        tree = tree_of(await visited.page(path))
        assert tree.xpath("//meta[@property='og:image']/@content") == [f"{URL}{path}.png"]
        assert tree.xpath("//meta[@name='twitter:card']/@content") == ["summary_large_image"]
        answer = await visited.browser.get(f"{path}.png")
        assert answer.headers["Content-Type"] == "image/png"
        shown = Image.open(io.BytesIO(answer.content))
        assert (shown.format, shown.size) == ("PNG", (1200, 630))
        await is_sent_once(visited, f"{path}.png")


@pytest.mark.parametrize(
    "name", ["daily/2026-06-10", "nobody/2026-06-09", "daily/x", "daily/week/2026-06-09", "%00/%00"]
)
async def test_what_did_not_come_out_has_no_picture(visited: Visited, name: str) -> None:
    await visited.context.store.keep_draft(factories.edition(day=DAY, number=0), NOON)
    assert (await visited.browser.get(f"/archive/{name}.png")).status_code == 404
