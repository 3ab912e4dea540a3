"""The page of one paper."""

from __future__ import annotations

import datetime as dt

import pytest

from flows.editions.model import Kind
from flows.papers.model import Collected, PaperId
from tests import factories
from tests.factories import DAY
from tests.subscribers.readers import NOON, URL, Visited, is_sent_once, tree_of

OLD = PaperId("math/0301001")


async def test_a_paper_shows_what_it_is_its_topic_and_where_it_stood(visited: Visited) -> None:
    paper = factories.paper(
        1,
        title=r"On $\mathcal{O}(n^2)$ Hedges",
        code="https://code.example.org/x",
        keywords=("slow maps",),
        doi="10.1/x",
    )
    await visited.publish(visited.edition(listed=[paper]))
    sunday = dt.date(2026, 6, 14)
    await visited.publish(visited.edition(listed=[paper], day=sunday, kind=Kind.WEEKLY, number=1))
    page = await visited.page(f"/paper/{paper.id}")
    tree = tree_of(page)
    assert "<sup>2</sup>" in page
    assert "Ada Brook" in page
    assert "eleven invented islands" in page
    assert set(tree.xpath("//ul[@class='ways']//a/@href")) == {
        paper.url,
        paper.pdf,
        paper.discussion,
        paper.code,
        "https://doi.org/10.1/x",
        f"/paper/{paper.id}.bib",
        f"/paper/{paper.id}.ris",
    }
    facts = tree.xpath("//dl//a/@href")
    assert "/search?topic=agents" in facts
    assert "/search?q=%22slow%20maps%22" in facts
    assert [path for path in facts if path.startswith("/archive")] == [
        f"/archive/daily/week/{sunday}",
        f"/archive/daily/{DAY}",
    ]
    assert tree.xpath("//meta[@property='og:title']/@content") == ["On 𝒪(n²) Hedges"]
    assert tree.xpath("//link[@rel='canonical']/@href") == [f"{URL}/paper/{paper.id}"]
    await is_sent_once(visited, f"/paper/{paper.id}")


async def test_a_paper_of_the_old_form_has_a_slash_in_its_address(visited: Visited) -> None:
    await visited.context.store.keep(Collected(source="arxiv", day=DAY, papers=(factories.paper(id=OLD),)), NOON)
    assert "math/0301001" in await visited.page("/paper/math/0301001")


@pytest.mark.parametrize("written", ["2606.00001v3", "arXiv:2606.00001", "arxiv:2606.00001v2"])
async def test_a_paper_has_one_address(visited: Visited, written: str) -> None:
    answer = await visited.browser.get(f"/paper/{written}", follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (308, "/paper/2606.00001")


@pytest.mark.parametrize(
    "written",
    [
        "2606.99999",
        "math/0000000",
        "",
        "x",
        "2606.00001/",
        "%00",
        "2606.00001%00",
        "2606.00001%0d%0aX-Injected:%20yes",
        "%22%3E%3Cscript%3E",
        "__proto__",
        "9" * 5000,
        "//example.com/2606.00001",
    ],
)
async def test_what_is_no_paper_is_not_found(visited: Visited, written: str) -> None:
    await visited.publish()
    answer = await visited.browser.get(f"/paper/{written}")
    assert answer.status_code == 404
    assert "X-Injected" not in answer.headers
    assert "<script" not in answer.text


async def test_a_hostile_paper_is_shown_as_text_and_leads_to_web_addresses_alone(visited: Visited) -> None:
    script = "<script>alert(1)</script>"
    hostile = factories.paper(
        1,
        title=script,
        abstract=f"{script} \0 {{{{ 7 * 7 }}}}",
        authors=(script,) * 60,
        keywords=(script, '"; --'),
        organisation=script,
        note=script,
        journal=script,
        categories=(script,),
        code="javascript:alert(1)",
        project="data:text/html,x",
        doi='10.1/"><script>',
    )
    await visited.context.store.keep(Collected(source="huggingface", day=DAY, papers=(hostile,)), NOON)
    page = await visited.page("/paper/2606.00001")
    assert "<script" not in page
    assert "javascript:" not in page
    assert "data:text" not in page
    assert "49" not in page
    assert "and 20 others" in page


async def test_a_paper_that_stood_in_no_edition_has_no_topic(visited: Visited) -> None:
    await visited.context.store.keep(Collected(source="arxiv", day=DAY, papers=(factories.paper(1),)), NOON)
    page = await visited.page("/paper/2606.00001")
    assert "/search?topic=" not in page
    assert "/archive/daily" not in page


async def test_each_author_leads_to_what_else_they_wrote(visited: Visited) -> None:
    papers = [factories.paper(1, authors=('Zoë "Z" Marsh', "Ada Brook")), factories.paper(2, authors=("Zoe Z Marsh",))]
    await visited.publish(visited.edition(listed=papers))
    (zoe, ada) = tree_of(await visited.page("/paper/2606.00001")).xpath("//p[@class='lead']/a/@href")
    assert ada == "/search?q=%22Ada%20Brook%22"
    found = tree_of(await visited.page(zoe)).xpath("//ol//h3/a/@href")
    assert set(found) == {"/paper/2606.00001", "/paper/2606.00002"}


async def test_papers_on_the_same_subject_are_named(visited: Visited) -> None:
    about = [factories.paper(n, title="Neural Hedges", abstract=f"Number {n}.") for n in (1, 2, 3)]
    far = factories.paper(8, title="Neural Hedges", day=DAY - dt.timedelta(days=300))
    await visited.publish(visited.edition(listed=[far], day=far.day, number=1))
    await visited.publish(visited.edition(listed=[*about, factories.paper(9, title="The Quiet Compiler")]))
    found = tree_of(await visited.page("/paper/2606.00001")).xpath("//ul[@class='related']//a/@href")
    assert found == ["/paper/2606.00003", "/paper/2606.00002"]
    assert not tree_of(await visited.page("/paper/2606.00009")).xpath("//ul[@class='related']")
