"""The page behind "Tune this mail": one press each, nothing by looking, and an undo."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from subscribers.web.suggestions import TICKED
from tests import factories
from tests.factories import DAY
from tests.subscribers.readers import tree_of
from tests.subscribers.site import Site, act, collect

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

PAGE = f"tune/daily/{DAY}"


async def test_the_page_shows_the_editions_topics_and_the_readers_papers(site: Site) -> None:
    frozen = await site.publish()
    reader = await site.reader()
    before = await site.everything()
    page = tree_of((await site.browser.get(act(reader.id, PAGE))).content)
    assert await site.everything() == before
    assert page.xpath("//button[@name='mute']/@value") == [section.topic for section in frozen.edition.sections]
    assert sorted(page.xpath("//button[@name='more']/@value")) == sorted(e.paper.id for e in frozen.edition.entries)
    assert "Tuesday, 9 June 2026" in page.text_content()
    less = page.xpath("//a[@class='less']/@href")
    assert sorted(less) == sorted(act(reader.id, f"less/{entry.paper.id}") for entry in frozen.edition.entries)


async def test_a_press_mutes_a_topic_a_second_brings_it_back_and_each_can_be_undone(site: Site) -> None:
    await site.publish()
    reader = await site.reader()
    path = act(reader.id, PAGE)
    page = tree_of((await site.browser.post(path, data={"mute": "agents"})).content)
    assert "Papers of Agents no longer come." in page.text_content()
    assert (await site.now(reader.id)).interests.muted == {"agents"}
    assert page.xpath("//button[@name='unmute']/@value") == ["agents"]
    assert page.xpath("//form[contains(@action, '/manage/')]//input[@name='do']/@value") == ["undo"]
    page = tree_of((await site.browser.post(path, data={"unmute": "agents"})).content)
    assert "Papers of Agents come from now on." in page.text_content()
    assert (await site.now(reader.id)).interests.muted == frozenset()


async def test_more_like_a_paper_follows_its_best_terms_and_says_which(site: Site) -> None:
    listed = [factories.paper(n, keywords=("neural hedges", "slow telescopes")) for n in range(1, 6)]
    await collect(site, *listed)
    await site.publish(factories.edition(listed))
    reader = await site.reader()
    page = tree_of((await site.browser.post(act(reader.id, PAGE), data={"more": listed[0].id})).content)
    followed = (await site.now(reader.id)).interests.keywords
    assert 1 <= len(followed) <= TICKED
    assert all(word in page.text_content() for word in ("You follow", *followed))


async def test_a_paper_whose_terms_no_other_has_offers_none(site: Site) -> None:
    paper = factories.paper(1, title="Gazebos", abstract="Nothing.", keywords=("gazebos",))
    await site.publish(factories.edition([paper]))
    reader = await site.reader()
    answer = await site.browser.post(act(reader.id, PAGE), data={"more": paper.id})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "no words of its own" in answer.text


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (f"tune/arxiv/{DAY}", {}),
        ("tune/daily/2026-06-08", {}),
        ("tune/daily/yesterday", {}),
        (f"tune/daily/week/{DAY}", {}),
        (PAGE, {"mute": "knitting"}),
        (PAGE, {"more": "2606.99999"}),
        (PAGE, {"no": "such button"}),
    ],
)
async def test_what_the_page_does_not_have_is_not_there(site: Site, path: str, data: dict[str, str]) -> None:
    await site.publish()
    reader = await site.reader()
    before = await site.everything()
    asked = site.browser.post(act(reader.id, path), data=data) if data else site.browser.get(act(reader.id, path))
    assert (await asked).status_code == HTTPStatus.NOT_FOUND
    assert await site.everything() == before
