"""The taps of a mail: one press each."""

from __future__ import annotations

import re

from subscribers.tokens import Purpose
from tests import factories
from tests.factories import DAY
from tests.subscribers.site import SCRIPT, Site, act, collect, link
from tests.subscribers.web.routes.test_manage import WEEK, settings_of


async def test_a_topic_is_muted_by_one_press(site: Site) -> None:
    reader = await site.reader()
    path = act(reader.id, "mute/agents")
    asked = await site.browser.get(path)
    assert "Mute Agents?" in asked.text
    assert (await site.now(reader.id)).interests.muted == frozenset()
    for _ in range(2):
        answer = await site.browser.post(path)
        assert "Agents is muted" in answer.text
        assert 'name="do" value="undo"' in answer.text
    muted = await site.now(reader.id)
    assert (set(muted.interests.muted), muted.revision) == ({"agents"}, reader.revision + 1)
    assert (await site.browser.get(act(reader.id, "mute/nope"))).status_code == 404
    where = re.findall(r'action="(/manage/[^"]+)"', answer.text)[0]
    await site.browser.post(where, data={"do": "undo", "revision": str(muted.revision)})
    assert (await site.now(reader.id)).interests.muted == frozenset()


async def test_the_only_topic_is_not_muted(site: Site) -> None:
    reader = await site.reader()
    await site.browser.post(link(Purpose.MANAGE, reader.id), data=settings_of(site, reader, topics=["agents"]))
    before = await site.everything()
    answer = await site.browser.post(act(reader.id, "mute/agents"))
    assert (answer.status_code, "nothing would be left" in answer.text) == (200, True)
    assert await site.everything() == before


async def test_pause_and_frequency_by_one_press(site: Site) -> None:
    reader = await site.reader()
    for action, words in (("pause", "Tuesday, 16 June 2026"), ("weekly", "Once a week"), ("daily", "Every day")):
        before = await site.now(reader.id)
        assert words in (await site.browser.get(act(reader.id, action))).text
        assert await site.now(reader.id) == before
        for _ in range(2):
            assert words in (await site.browser.post(act(reader.id, action))).text
        assert (await site.now(reader.id)).revision == before.revision + (
            1 if action != "daily" or before.frequency != "daily" else 0
        )
    assert (await site.now(reader.id)).paused_until == DAY + WEEK


async def test_more_like_a_paper_follows_what_is_ticked_and_what_it_offers_alone(site: Site) -> None:
    paper = factories.paper(1, keywords=("neural hedges", SCRIPT, "a;b", "x" * 90))
    others = [factories.paper(n, keywords=("neural hedge", SCRIPT)) for n in range(2, 6)]
    await collect(site, paper, *others)
    await site.publish(factories.edition([paper, *others]))
    reader = await site.reader()
    path = act(reader.id, "more/2606.00001")
    page = (await site.browser.get(path)).text
    assert "<script" not in page
    assert 'name="keywords" value="neural hedges" checked' in page
    assert "4 papers a month" in page
    assert 'value="Ada Brook">' in page
    nothing = await site.browser.post(path, data={"keywords": "something else", "topics": "__proto__"})
    assert "Nothing was ticked" in nothing.text
    for _ in range(2):
        await site.browser.post(path, data={"keywords": ["neural hedges", "forged"], "authors": "Ada Brook"})
    now = await site.now(reader.id)
    assert (now.interests.keywords, now.interests.authors) == (("neural hedges",), ("Ada Brook",))
    assert now.revision == reader.revision + 1
    for unknown in ("2606.99999", "nonsense", "%00", "../x"):
        assert (await site.browser.get(act(reader.id, f"more/{unknown}"))).status_code == 404


async def test_less_like_a_paper_leaves_out_what_is_ticked_and_what_it_offers_alone(site: Site) -> None:
    paper = factories.paper(1, keywords=("neural hedges", SCRIPT))
    await collect(site, paper, *(factories.paper(n, keywords=("neural hedge",)) for n in range(2, 6)))
    listed = [paper, *(factories.paper(n, keywords=("neural hedge",)) for n in range(2, 6))]
    frozen = await site.publish(factories.edition(listed))
    topic = next(entry.topic for entry in frozen.edition.entries if entry.paper.id == paper.id)
    reader = await site.reader()
    await site.browser.post(link(Purpose.MANAGE, reader.id), data=settings_of(site, reader, keywords="Neural hedges"))
    before, path = await site.everything(), act(reader.id, "less/2606.00001")
    page = (await site.browser.get(path)).text
    assert await site.everything() == before
    assert "<script" not in page
    assert 'name="keywords" value="neural hedges">' in page
    assert " checked" not in page  # a word may take away more than a reader thinks
    assert "4 papers a month" in page
    await site.browser.post(path, data={"keywords": "forged", "authors": "__proto__", "topics": "nope"})
    assert await site.everything() == before
    for _ in range(2):
        sent = {"keywords": ["neural hedges", "forged"], "authors": "Ada Brook", "topics": topic}
        answer = await site.browser.post(path, data=sent)
    now = await site.now(reader.id)
    assert (now.interests.keywords, now.interests.leave_out) == ((), ("neural hedges", "Ada Brook"))
    assert (set(now.interests.muted), now.revision) == ({topic}, reader.revision + 2)
    assert "Papers that match “neural hedges” no longer come." in answer.text
    assert 'name="do" value="undo"' in answer.text
    assert "checked disabled" in (await site.browser.get(path)).text


async def test_less_like_a_paper_that_is_all_one_follows_is_refused(site: Site) -> None:
    listed = [factories.paper(n, keywords=("neural hedges",)) for n in range(1, 6)]
    await collect(site, *listed)
    await site.publish(factories.edition(listed))
    reader = await site.reader()
    only = settings_of(site, reader, topics=[], keywords="neural hedges")
    await site.browser.post(link(Purpose.MANAGE, reader.id), data=only)
    before = await site.everything()
    answer = await site.browser.post(act(reader.id, "less/2606.00001"), data={"keywords": "neural hedges"})
    assert (answer.status_code, "no mail would ever come" in answer.text) == (422, True)
    assert await site.everything() == before


async def test_what_other_papers_do_not_hold_is_not_offered(site: Site) -> None:
    listed = [factories.paper(n, title=f"Neural Hedges, Part {n}") for n in range(1, 4)]
    await collect(site, *listed)
    await site.publish(factories.edition(listed))
    reader = await site.reader()
    page = (await site.browser.get(act(reader.id, "more/2606.00001"))).text
    assert 'name="keywords"' not in page
    assert 'name="authors"' in page
