"""Papers that a reader pastes or uploads: what they share is offered, and of each that was not found it is said."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from flows.papers.model import PaperId
from flows.processes.serve import services
from flows.storage.database import Database
from subscribers.tokens import Purpose
from subscribers.web.suggestions import TAUGHT
from subscribers.web.teaching.teach_page import ASKED, SHOWN
from tests import factories
from tests.context import context_of
from tests.papers.server import Reply, Server, running
from tests.papers.shapes import atom, entry
from tests.subscribers.site import NEW, OTHER_DAY, SCRIPT, Site, act, collect, link, served

AWAY = "2606.00009"
"""Nobody collected it: arXiv has it."""


@pytest.fixture
def arxiv() -> Iterator[Server]:
    """Stands where arXiv's API is: what it is not told to answer it answers with 404."""
    with running() as server:
        yield server


def asked(*ids: str) -> str:
    """The path of arXiv's API at which these papers are asked for."""
    return f"/api/query?id_list={','.join(ids)}&start=0&max_results={len(ids)}"


def has_it() -> Reply:
    by_ada = "<author><name>Ada Brook</name></author>"
    return Reply(atom(entry(AWAY, extra=by_ada).replace("A tide table\n for $n$ moons", "Maps of Neural Hedges")))


@pytest.fixture
async def asking(database: Database, tmp_path: Path, arxiv: Server) -> AsyncIterator[Site]:
    """A site with two papers of Ada Brook's in its archive, and four others of a month that hold the same words."""
    context = context_of(
        database, tmp_path, secret_key=NEW, public_url="https://papers.example.org", arxiv_url=f"{arxiv.url}/api/query"
    )
    made = services(context)
    app, browser = served(made)
    alike = [factories.paper(n, title="Maps of Neural Hedges", authors=("Ada Brook", f"B{n} Foster")) for n in (1, 2)]
    others = [factories.paper(n, title="Neural Hedges", authors=("Ada Brook",)) for n in range(3, 7)]
    async with browser:
        site = Site(context, made, app, browser)
        await collect(site, *alike, *others)
        await site.publish(factories.edition([*alike, *others]))
        yield site


async def test_what_papers_share_is_offered_and_what_is_ticked_is_followed(asking: Site, arxiv: Server) -> None:
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


async def test_a_file_teaches_by_numbers_and_by_titles_and_what_is_not_found_is_named(
    asking: Site, arxiv: Server
) -> None:
    arxiv.says(asked(AWAY, "2606.00777"), has_it())
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


async def test_a_paper_of_the_archive_that_is_not_arxivs_teaches_by_its_title(asking: Site, arxiv: Server) -> None:
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


async def test_arxiv_that_refuses_is_said_and_the_rest_is_offered(asking: Site, arxiv: Server) -> None:
    arxiv.says(asked(AWAY), Reply(b"no", 403))
    reader = await asking.reader()
    page = (await asking.browser.post(act(reader.id, "teach"), data={"papers": f"2606.00001 {AWAY}"})).text
    assert "Looked at 1 paper." in page
    assert f"arXiv could not be asked for {AWAY}. Try again in a few minutes." in page
    assert 'name="keywords" value="Neural Hedges">' in page


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_arxiv_that_is_busy_holds_no_page_for_long_and_its_answer_is_there_later(
    asking: Site, arxiv: Server
) -> None:
    arxiv.says(asked(AWAY), Reply(b"slow down", 429, {"Retry-After": "10"}), has_it())
    reader = await asking.reader()
    answer = await asking.browser.post(act(reader.id, "teach"), data={"papers": f"2606.00001 {AWAY}"})
    assert f"arXiv is still being asked for {AWAY}." in answer.text
    again = re.findall(r'href="([^"]+)">Look again', answer.text)[0].replace("&amp;", "&")
    assert len(arxiv.asked) == 1
    async with asyncio.timeout(60):
        while "still being asked" in (page := (await asking.browser.get(again)).text):  # noqa: ASYNC110 - pages have no event
            await asyncio.sleep(0.5)
    assert "Looked at 2 papers. 1 of them is not in our archive; arXiv told us about it." in page
    assert arxiv.paths() == [asked(AWAY)] * 2


async def test_one_reader_has_arxiv_asked_so_often(asking: Site, arxiv: Server) -> None:
    reader = await asking.reader()
    path = act(reader.id, "teach")
    for n in range(ASKED + 3):
        page = (await asking.browser.post(path, data={"papers": f"2606.{n + 501:05}"})).text
    assert len(arxiv.asked) == ASKED
    assert "arXiv could not be asked for" in page  # it is 404 for the others, and this one was not asked for
    assert asked("2606.00523") not in arxiv.paths()


async def test_of_many_the_newest_are_learnt_from(asking: Site, arxiv: Server) -> None:
    reader = await asking.reader()
    many = " ".join(["hep-th/9901001", *(f"2605.{n:05}" for n in range(TAUGHT)), "2606.00001"])
    page = (await asking.browser.post(act(reader.id, "teach"), data={"papers": many})).text
    assert f"{TAUGHT + 2} papers are named, of which the newest {TAUGHT} were looked for." in page
    (path,) = arxiv.paths()
    ids = parse_qs(urlsplit(path).query)["id_list"][0].split(",")
    assert len(ids) == TAUGHT - 1
    assert not {"hep-th/9901001", "2605.00000", "2606.00001"} & set(ids)
