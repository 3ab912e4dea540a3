from __future__ import annotations

import bibtexparser
import pytest
import rispy

from flows.editions.model import Kind
from flows.papers.model import Collected, PaperId
from tests import factories
from tests.factories import DAY
from tests.subscribers.readers import NOON, Visited, is_sent_once, tree_of

SCRIPT = "<script>alert(1)</script>"


async def test_a_paper_is_there_as_bib_and_ris_and_its_page_leads_to_both(visited: Visited) -> None:
    await visited.publish(visited.edition(listed=[factories.paper(1, title=f"Maps {SCRIPT}")]))
    tree = tree_of(await visited.page("/paper/2606.00001"))
    links = tree.xpath("//ul[@class='ways']//a/@href")
    assert {"/paper/2606.00001.bib", "/paper/2606.00001.ris"} <= set(links)
    assert tree.xpath("//link[@type='application/x-bibtex']/@href") == ["/paper/2606.00001.bib"]
    assert tree.xpath("//meta[@name='citation_title']/@content") == [f"Maps {SCRIPT}"]
    assert len(tree.xpath("//meta[@name='citation_author']")) == 5
    answer = await visited.browser.get("/paper/2606.00001.bib")
    assert answer.headers["Content-Type"] == "application/x-bibtex; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="2606.00001.bib"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert bibtexparser.loads(answer.text).entries[0]["title"] == f"Maps {SCRIPT}"
    answer = await visited.browser.get("/paper/2606.00001.ris")
    assert answer.headers["Content-Type"] == "application/x-research-info-systems; charset=utf-8"
    assert rispy.loads(answer.text)[0]["title"] == f"Maps {SCRIPT}"
    await is_sent_once(visited, "/paper/2606.00001.bib")


async def test_an_edition_is_there_as_a_whole(visited: Visited) -> None:
    papers = factories.papers(7)
    await visited.publish(visited.edition(listed=papers))
    await visited.publish(visited.edition(listed=papers[:2], kind=Kind.WEEKLY, number=1))
    for path, count in ((f"/archive/daily/{DAY}", 7), (f"/archive/daily/week/{DAY}", 2)):
        tree = tree_of(await visited.page(path))
        assert len(tree.xpath("//main//span[contains(@class, 'Z3988')]/@title")) == count
        assert tree.xpath("//p[@class='cite']/a/@href") == [f"{path}.bib", f"{path}.ris"]
        assert tree.xpath("//meta[@name='DC.date']/@content") == [str(DAY)]
        # a page of many papers must not be taken for one of them
        assert not tree.xpath("//meta[starts-with(@name, 'citation_')]")
        assert len(bibtexparser.loads((await visited.browser.get(f"{path}.bib")).text).entries) == count
        assert len(rispy.loads((await visited.browser.get(f"{path}.ris")).text)) == count
        await is_sent_once(visited, f"{path}.ris")


async def test_a_paper_of_the_old_form_has_a_file_name_without_a_slash(visited: Visited) -> None:
    old = factories.paper(id=PaperId("math/0301001"))
    await visited.context.store.keep(Collected(source="arxiv", day=DAY, papers=(old,)), NOON)
    answer = await visited.browser.get("/paper/math/0301001.bib")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="math-0301001.bib"'


@pytest.mark.parametrize(
    "path",
    [
        "/paper/2606.99999.bib",
        "/paper/.bib",
        "/paper/x.ris",
        "/paper/arXiv:2606.00001.bib",
        "/paper/2606.00001v2.bib",
        f"/archive/daily/{DAY}.bib",
        "/archive/daily/x.bib",
        "/archive/nobody/2026-06-09.ris",
        f"/archive/daily/week/{DAY}.ris",
        "/archive/daily/0000-00-00.ris",
    ],
)
async def test_what_is_not_there_is_not_found(visited: Visited, path: str) -> None:
    await visited.context.store.keep(Collected(source="arxiv", day=DAY, papers=(factories.paper(1),)), NOON)
    await visited.context.store.keep_draft(factories.edition(), NOON)
    assert (await visited.browser.get(path)).status_code == 404
