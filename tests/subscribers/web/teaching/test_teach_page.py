"""Papers that a reader pastes or uploads: what they share is offered, and of each that was not found it is said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from flows.papers.by_number import ByNumber
from flows.papers.failures import Unreachable
from flows.papers.model import Paper, PaperId
from subscribers.tokens import Purpose
from subscribers.web.suggestions import TAUGHT
from subscribers.web.teaching.teach_page import ASKED, SHOWN
from tests import factories
from tests.subscribers.site import OTHER_DAY, SCRIPT, Site, act, collect, link, served

AWAY = factories.paper(9, title="Maps of Neural Hedges", authors=("Ada Brook", "C Hill"))
"""Nobody collected it: arXiv has it."""


class Arxiv:
    """Stands in for arXiv: it has one paper that we have not."""

    def __init__(self) -> None:
        self.asked: list[list[PaperId]] = []
        self.away = False

    async def __call__(self, ids: Sequence[PaperId]) -> list[Paper]:
        self.asked.append(list(ids))
        if self.away:
            raise Unreachable("arXiv is away.")
        return [AWAY] if AWAY.id in ids else []


@pytest.fixture
def arxiv() -> Arxiv:
    return Arxiv()


@pytest.fixture
async def asking(site: Site, arxiv: Arxiv) -> AsyncIterator[Site]:
    """A site with two papers of Ada Brook's in its archive, and four others of a month that hold the same words."""
    alike = [factories.paper(n, title="Maps of Neural Hedges", authors=("Ada Brook", f"B{n} Foster")) for n in (1, 2)]
    others = [factories.paper(n, title="Neural Hedges", authors=("Ada Brook",)) for n in range(3, 7)]
    await collect(site, *alike, *others)
    await site.publish(factories.edition([*alike, *others]))
    made = replace(site.services, arxiv=ByNumber(arxiv))
    app, browser = served(made)
    async with browser:
        yield replace(site, services=made, app=app, browser=browser)


async def test_what_papers_share_is_offered_and_what_is_ticked_is_followed(asking: Site, arxiv: Arxiv) -> None:
    reader = await asking.reader()
    assert f'href="{act(reader.id, "teach")}"' in (await asking.browser.get(link(Purpose.MANAGE, reader.id))).text
    before, path = await asking.everything(), act(reader.id, "teach")
    assert "Teach it by papers" in (await asking.browser.get(path)).text
    pasted = f"""@article{{a, url = {{https://arxiv.org/abs/2606.00001v3}}, note = {{{SCRIPT}}}}}
    DO  - 10.48550/arXiv.2606.00002"""
    page = (await asking.browser.post(path, data={"papers": pasted})).text
    assert await asking.everything() == before
    assert arxiv.asked == []
    assert "<script" not in page
    assert "Looked at 2 papers." in page
    assert 'name="keywords" value="Neural Hedges">' in page
    assert 'name="authors" value="Ada Brook">' in page
    assert "Foster" not in page  # nobody wrote both
    sent = {"papers": "2606.00001 2606.00002", "keywords": ["Neural Hedges", "forged"], "authors": "Ada Brook"}
    for _ in range(2):
        await asking.browser.post(path, data={**sent, "follow": "yes"})
    now = await asking.now(reader.id)
    assert (now.interests.keywords, now.interests.authors) == (("Neural Hedges",), ("Ada Brook",))
    assert now.revision == reader.revision + 1
    for nothing in ("", "no number at all", "9" * 5000):
        page = (await asking.browser.post(path, data={"papers": nothing})).text
        assert "No paper is named in it." in page
        assert "Looked at" not in page


async def test_a_file_teaches_by_numbers_and_by_titles_and_what_is_not_found_is_named(asking: Site) -> None:
    reader = await asking.reader()
    library = "".join(
        f"TY  - JOUR\nTI  - {title}\nDO  - {doi}\nER  - \n"
        for title, doi in (
            ("Maps of Neural Hedges", "10.1145/3"),  # in the archive, twice under this title
            ("Another", "10.48550/arXiv.2606.00009"),  # arXiv has it
            ("Nobody's", "10.48550/arXiv.2606.00777"),
            (f"A Title That {SCRIPT} Nobody Has", "10.1000/182"),
            *((f"One of Many Unknown Titles {n}", "") for n in range(SHOWN)),
            ("", ""),
        )
    )
    path = act(reader.id, "teach")
    page = (await asking.browser.post(path, files={"file": ("library.ris", library.encode())})).text
    assert "Looked at 2 papers. 1 of them is not in our archive; arXiv told us about it." in page
    assert "Neither in our archive nor at arXiv: 2606.00777." in page
    assert "A Title That &lt;script&gt;" in page
    assert "And 1 more." in page
    assert "1 entry has neither a number nor a title." in page
    assert 'name="authors" value="Ada Brook">' in page


async def test_a_paper_of_the_archive_that_is_not_arxivs_teaches_by_its_title(asking: Site, arxiv: Arxiv) -> None:
    paper = factories.paper(8, id=PaperId("10.1000/hedges"), title="Hedges of Another House", authors=("Ada Brook",))
    await collect(asking, paper)
    await asking.publish(factories.edition([paper], day=OTHER_DAY))
    reader = await asking.reader()
    path = act(reader.id, "teach")
    library = "TY  - JOUR\nTI  - Hedges of Another House\nER  - \n"
    page = (await asking.browser.post(path, files={"file": ("library.ris", library.encode())})).text
    assert "Looked at 1 paper." in page
    sent = {"papers": "10.1000/hedges x", "authors": "Ada Brook", "follow": "yes"}
    await asking.browser.post(path, files={field: (None, value) for field, value in sent.items()})
    assert (await asking.now(reader.id)).interests.authors == ("Ada Brook",)
    assert arxiv.asked == []


async def test_arxiv_that_is_away_is_said_and_the_rest_is_offered(asking: Site, arxiv: Arxiv) -> None:
    arxiv.away = True
    reader = await asking.reader()
    sent = {"papers": "2606.00001 2606.00009"}
    page = (await asking.browser.post(act(reader.id, "teach"), data=sent)).text
    assert "Looked at 1 paper." in page
    assert "arXiv could not be asked for 2606.00009. Try again in a few minutes." in page
    assert 'name="keywords" value="Neural Hedges">' in page


async def test_one_reader_has_arxiv_asked_so_often(asking: Site, arxiv: Arxiv) -> None:
    reader = await asking.reader()
    path = act(reader.id, "teach")
    for n in range(ASKED + 3):
        page = (await asking.browser.post(path, data={"papers": f"2606.{n + 501:05}"})).text
    assert len(arxiv.asked) == ASKED
    assert "arXiv could not be asked for" in page


async def test_of_many_the_newest_are_learnt_from(asking: Site, arxiv: Arxiv) -> None:
    reader = await asking.reader()
    many = " ".join(["hep-th/9901001", *(f"2605.{n:05}" for n in range(TAUGHT)), "2606.00001"])
    page = (await asking.browser.post(act(reader.id, "teach"), data={"papers": many})).text
    assert f"{TAUGHT + 2} papers are named, of which the newest {TAUGHT} were looked for." in page
    (asked,) = arxiv.asked
    assert len(asked) == TAUGHT - 1
    assert not {"hep-th/9901001", "2605.00000", "2606.00001"} & set(asked)
