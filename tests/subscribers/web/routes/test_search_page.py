"""The search page."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.papers.model import Collected
from flows.storage.search import PAGE
from tests import factories
from tests.factories import DAY
from tests.subscribers.readers import NOON, Visited, is_sent_once, tree_of


def results(page: str) -> list[str]:
    return [path.removeprefix("/paper/") for path in tree_of(page).xpath("//ol//h3/a/@href")]


async def test_the_form_comes_alone_at_first(visited: Visited) -> None:
    await visited.publish()
    page = await visited.page("/search")
    assert tree_of(page).xpath("//form/@action") == ["/search"]
    assert not results(page)
    assert '<meta name="robots" content="noindex, follow">' in page
    await is_sent_once(visited, "/search")


async def test_what_was_found_is_shown_with_its_words_marked(visited: Visited) -> None:
    await visited.publish(visited.edition(listed=factories.papers(5)))
    page = await visited.page("/search?q=swifts+island")
    tree = tree_of(page)
    assert results(page) == ["2606.00002"]
    assert "1 paper" in page
    assert tree.xpath("//h3//mark/text()") == ["Swifts"]
    assert "islands" in tree.xpath("//mark/text()")
    assert tree.xpath("//input[@name='q']/@value") == ["swifts island"]
    await is_sent_once(visited, "/search?q=swifts")


async def test_what_was_scraped_is_escaped_around_the_marks(visited: Visited) -> None:
    hostile = factories.paper(
        1, title="<b>maps</b> & <script>", abstract='<i>maps</i> " onload=x', authors=("<u>A</u>",)
    )
    await visited.publish(visited.edition(listed=[hostile]))
    page = await visited.page("/search?q=maps")
    assert "&lt;b&gt;<mark>maps</mark>&lt;/b&gt; &amp; &lt;script&gt;" in page
    assert "&lt;i&gt;<mark>maps</mark>&lt;/i&gt;" in page
    assert "<script" not in page
    assert "<u>" not in page


async def test_topics_and_days_filter_and_stay_in_the_form_and_in_the_pages(visited: Visited) -> None:
    papers = [factories.paper(n) for n in range(1, PAGE + 4)]
    await visited.publish(visited.edition(listed=papers, topics=factories.TOPICS[:1]))
    address = f"/search?q=islands&topic=agents&from={DAY}&to={DAY}"
    first = await visited.page(address)
    assert len(results(first)) == PAGE
    tree = tree_of(first)
    assert tree.xpath("//option[@selected]/@value") == ["agents"]
    assert tree.xpath("//input[@type='date']/@value") == [str(DAY)] * 2
    (following,) = tree.xpath("//a[@rel='next']/@href")
    second = await visited.page(following)
    assert len(results(second)) == 3
    assert tree_of(second).xpath("//ol/@start") == [str(PAGE + 1)]
    assert not set(results(first)) & set(results(second))
    assert "There are only 2 pages" in await visited.page(f"{address}&page=3")
    assert len(results(await visited.page("/search?topic=agents"))) == PAGE
    assert "No paper holds all of this" in await visited.page("/search?q=islands&topic=video")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("topic=nope", "There is no topic “nope”: choose one from the list."),
        ("from=yesterday", "“yesterday” is no date: write it as 2026-06-09."),
        ("to=2026-02-30", "“2026-02-30” is no date"),
        ("q=x&from=2026-06-10&to=2026-06-09", "The last day, 2026-06-09, lies before the first"),
        ("q=x&page=0", "There is no such page"),
        ("q=x&page=999999999999999999999", "There is no such page"),
        ("q=x&page=%C2%B2", "There is no such page"),
    ],
)
async def test_what_cannot_be_read_is_said_beside_its_field(visited: Visited, query: str, words: str) -> None:
    assert words in await visited.page(f"/search?{query}", 400)


async def test_nothing_to_look_for_is_said(visited: Visited) -> None:
    assert "There is no word to look for" in await visited.page("/search?q=%22%22+*+()")
    assert "the first words counted" in await visited.page("/search?q=" + quote("map " * 3000))


hostile = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ["'; DROP TABLE paper; --", '"', '""', 'a" OR "b', "a AND", "NEAR(a b, 3)", "title:x", "-x", "^x", "x*", "*"]
    ),
    st.sampled_from(["\0", "a\0b", "%", "{}", "{q}", "\\", ":*", "& | !", "<->", "()", "a:b:c", "\ud800"]),
    st.sampled_from(["x" * 10_000, "é" * 1_000]),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["q", "topic", "from", "to", "page", "x"]), hostile, max_size=5))
async def test_no_question_makes_the_search_fail(visited: Visited, fields: dict[str, str]) -> None:
    answer = await visited.browser.get("/search?" + urlencode(fields, errors="surrogatepass"))
    assert answer.status_code in (200, 400)
    for leaked in ("fts5", "syntax error", "tsquery", "Traceback"):
        assert leaked not in answer.text or leaked in str(fields)


async def test_looking_for_something_changes_nothing(visited: Visited) -> None:
    papers = (factories.paper(1),)
    await visited.context.store.keep(Collected(source="huggingface", day=DAY, papers=papers), NOON)
    assert (await visited.browser.post("/search", data={"q": "map"})).status_code == 405
    assert await visited.page("/search?q=island") == await visited.page("/search?q=island")


async def test_a_misspelt_word_is_asked_after_with_all_else_that_was_chosen(visited: Visited) -> None:
    await visited.publish(visited.edition(listed=[factories.paper(n) for n in range(1, 15)]))
    page = await visited.page(f"/search?q=islnads+charts&from={DAY}")
    tree = tree_of(page)
    (link,) = tree.xpath("//p[@class='meant']/a")
    assert link.text_content() == "islands charts"
    assert link.xpath("em/text()") == ["islands"]
    assert link.get("href") == f"/search?q=islands+charts&from={DAY}"
    assert results(await visited.page(link.get("href")))
    assert "Did you mean" not in await visited.page("/search?q=islands")
    await is_sent_once(visited, "/search?q=islnads")


async def test_what_is_typed_beside_a_misspelt_word_stays_text(visited: Visited) -> None:
    await visited.publish(visited.edition(listed=[factories.paper(n) for n in range(1, 15)]))
    page = await visited.page("/search?" + urlencode({"q": '"><script> islnads'}))
    assert "<script" not in page


async def test_the_filters_are_folded_and_tell_how_many_are_set(visited: Visited) -> None:
    await visited.publish()
    plain = tree_of(await visited.page("/search?q=map"))
    assert plain.xpath("//details[@class='filters'][not(@open)]//select")
    assert not plain.xpath("//summary/span")
    chosen = tree_of(await visited.page(f"/search?q=map&topic=agents&from={DAY}"))
    assert chosen.xpath("string(//summary/span)") == "(2 set)"
    wrong = tree_of(await visited.page("/search?q=map&topic=nope", 400))
    assert wrong.xpath("//details[@class='filters'][@open]")
