from __future__ import annotations

from lxml import etree

from tests import factories
from tests.factories import DAY
from tests.subscribers.readers import Visited, is_sent_once, tree_of


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
