"""What search engines are told."""

from __future__ import annotations

from flows.editions.model import Kind
from tests import factories
from tests.factories import DAY
from tests.subscribers.readers import URL, Visited, tree_of
from tests.subscribers.web.routes.test_archive_pages import NEXT, SUNDAY


async def test_search_engines_learn_the_editions_and_to_leave_readers_links_alone(visited: Visited) -> None:
    await visited.publish()
    await visited.publish(visited.edition(day=SUNDAY, kind=Kind.WEEKLY, listed=factories.papers(2), number=1))
    await visited.publish(visited.edition(newsletter="sample", day=NEXT, listed=factories.papers(2)))
    robots = (await visited.page("/robots.txt")).splitlines()
    assert robots[0] == "User-agent: *"
    for path in ("unsubscribe", "manage", "act", "confirm", "private", "preview"):
        assert f"Disallow: /{path}" in robots
    assert f"Sitemap: {URL}/sitemap.xml" in robots
    tree = tree_of((await visited.page("/sitemap.xml")).encode())
    assert [loc.text for loc in tree.iter("loc")] == [
        f"{URL}/",
        f"{URL}/archive",
        f"{URL}/search",
        f"{URL}/archive/daily/week/{SUNDAY}",
        f"{URL}/archive/sample/{NEXT}",
        f"{URL}/archive/daily/{DAY}",
    ]
