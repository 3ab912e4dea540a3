"""Papers as reference managers read them: parsed back by libraries that are not ours."""

from __future__ import annotations

from urllib.parse import parse_qsl

import bibtexparser
import pytest
import rispy
from bibtexparser.bparser import BibTexParser
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.maths import text
from flows.papers.model import Paper, PaperId
from subscribers.web.citations import AUTHORS, AUTHORS_OF_MANY, bibtex, context_object, ris, tags
from tests import factories

URL = "https://papers.example.org"
PRINTED = factories.paper(
    1, id=PaperId("10.1234/maps.7"), title="Maps", journal="Annals of Maps", authors=("Ada Brook",), upvotes=None
)


def entries(source: str) -> list[dict[str, str]]:
    return list(bibtexparser.loads(source, BibTexParser(common_strings=True)).entries)


def plain(value: str) -> str:
    """What BibTeX prints of a field of ours."""
    for command, sign in (
        (r"\textbackslash{}", "\0"),
        (r"\textbraceleft{}", "\1"),
        (r"\textbraceright{}", "\2"),
        (r"\textasciicircum{}", "^"),
        (r"\textasciitilde{}", "~"),
    ):
        value = value.replace(command, sign)
    for sign in "$&%#_":
        value = value.replace(f"\\{sign}", sign)
    return value.replace("{", "").replace("}", "").translate({0: "\\", 1: "{", 2: "}"})


def test_a_paper_of_arxiv_is_an_entry_with_its_number() -> None:
    paper = factories.paper(
        1, title=r"GPUs for $\mathcal{O}(n^2)$ Hedges & 100% of maps", doi="10.1/x_y", categories=("cs.CL", "cs.AI")
    )
    (entry,) = entries(bibtex([paper]))
    assert (entry["ENTRYTYPE"], entry["ID"]) == ("misc", "arXiv:2606.00001")
    assert entry["title"] == r"{GPUs} for 𝒪(n²) Hedges \& 100\% of maps"
    assert entry["author"] == "Ada Brook and Ben Carrow and Cleo Dunmore and Dov Elster and Eve Farrow"
    assert (entry["year"], entry["month"]) == ("2026", "June")
    assert (entry["eprint"], entry["archiveprefix"], entry["primaryclass"]) == ("2606.00001", "arXiv", "cs.CL")
    assert (entry["doi"], entry["url"]) == ("10.1/x_y", paper.url)


def test_a_paper_of_a_journal_is_an_article() -> None:
    (entry,) = entries(bibtex([PRINTED]))
    assert (entry["ENTRYTYPE"], entry["ID"], entry["journal"]) == ("article", "doi:10.1234/maps.7", "Annals of Maps")
    assert "eprint" not in entry
    (record,) = rispy.loads(ris([PRINTED]))
    assert (record["type_of_reference"], record["doi"]) == ("JOUR", "10.1234/maps.7")
    assert ("citation_journal_title", "Annals of Maps") in tags(PRINTED, URL)


def test_a_record_has_last_names_first() -> None:
    paper = factories.paper(1, authors=("Ada Brook", "Jan van der Meer", "Plato", "Brook, Ada", "Van Gogh"))
    (record,) = rispy.loads(ris([paper]))
    assert record["type_of_reference"] == "UNPB"
    assert record["authors"] == ["Brook, Ada", "van der Meer, Jan", "Plato", "Brook, Ada", "Gogh, Van"]
    assert (record["year"], record["date"]) == ("2026", "2026/06/09")
    assert record["urls"] == [paper.url]
    assert record["title"] == text(paper.title)


@pytest.mark.parametrize("name", ["Rock and Roll Group", "Acme, Inc.", "AND", "x} and {y"])
def test_a_name_that_bibtex_would_take_for_two_is_one(name: str) -> None:
    (entry,) = entries(bibtex([factories.paper(1, authors=("Ada Brook", name))]))
    first, rest = entry["author"].split(" and ", 1)
    assert first == "Ada Brook"
    assert (rest[0], rest[-1]) == ("{", "}")


@pytest.mark.parametrize(
    "title", [r"A lone \rbrace of $x$", r"$\lbrace$ Opened", r"Sets \{x\}, or \} and \{", "&#125;, year = {1}"]
)
def test_a_brace_in_a_title_ends_nothing(title: str) -> None:
    (entry,) = entries(bibtex([factories.paper(1, title=title)]))
    assert plain(entry["title"]) == text(title)
    assert depth(entry["title"]) == 0
    assert entry["year"] == "2026"


HOSTILE = st.text(
    st.sampled_from("{}\\%$&#_^~@,=\"'\n\r\0\u2028 andER-xé機\u202e;") | st.characters(exclude_categories=["Cs"]),
    max_size=40,
)


@given(st.lists(st.tuples(HOSTILE, HOSTILE, st.lists(HOSTILE, max_size=3)), min_size=1, max_size=3))
def test_whatever_papers_say_as_many_come_back_and_say_the_same(said: list[tuple[str, str, list[str]]]) -> None:
    papers = [
        factories.paper(
            n,
            title=title,
            abstract=abstract,
            authors=tuple(names),
            keywords=tuple(names),
            journal=abstract,
            doi=title,
            categories=(title,),
        )
        for n, (title, abstract, names) in enumerate(said)
    ]
    for paper, entry in zip(papers, entries(bibtex(papers)), strict=True):
        assert plain(entry["title"]) == (text(paper.title) or paper.id)
        assert plain(entry.get("abstract", "")) == text(paper.abstract)
        assert entry["url"] == paper.url
        for value in entry.values():
            assert depth(value) == 0
    for paper, record in zip(papers, rispy.loads(ris(papers)), strict=True):
        assert record["title"].strip() == (text(paper.title) or paper.id).strip()
        assert record["urls"] == [paper.url]


def depth(value: str) -> int:
    """How many braces are open at the end; BibTeX counts every one."""
    level = 0
    for letter in value:
        level += {"{": 1, "}": -1}.get(letter, 0)
        assert level >= 0
    return level


@given(HOSTILE, HOSTILE, st.lists(HOSTILE, max_size=30))
def test_a_context_object_is_read_as_it_was_meant(title: str, doi: str, names: list[str]) -> None:
    """As it is read there: apart at every &, each part in two at its =."""
    paper = factories.paper(1, title=title, doi=doi, authors=tuple(names))
    made = context_object(paper)
    parts = [part.split("=") for part in made.split("&")]
    assert all(len(part) == 2 for part in parts)
    read = parse_qsl(made, strict_parsing=True, errors="strict")
    known = dict(read)
    assert known["rft_val_fmt"] == "info:ofi/fmt:kev:mtx:dc"
    assert known["rft.type"] == "preprint"
    assert known["rft.title"] == (text(title) or paper.id)
    assert known["rft.identifier"] == paper.url
    assert len([name for name, _ in read if name == "rft.creator"]) <= AUTHORS_OF_MANY


def test_the_head_names_what_zotero_and_scholar_read() -> None:
    """One tag an author, none of whom is taken for two at a semicolon or a comma; a date with slashes."""
    paper = factories.paper(
        1,
        title="On $x^2$",
        authors=("Zoë Marsh", "Rock; Roll, Inc", " "),
        keywords=("slow; maps", "tides"),
        doi="10.1/x",
    )
    found = tags(paper, URL)
    assert [content for name, content in found if name == "citation_author"] == ["Zoë Marsh", "Rock Roll Inc"]
    known = dict(found)
    assert known["citation_title"] == known["DC.title"] == "On x²"
    assert known["citation_publication_date"] == "2026/06/09"
    assert known["citation_arxiv_id"] == "2606.00001"
    assert known["citation_pdf_url"] == paper.pdf
    assert known["citation_keywords"] == "slow maps; tides"
    assert known["citation_doi"] == "10.1/x"
    assert known["DC.date"] == "2026-06-09"
    assert "citation_journal_title" not in known


def test_of_thousands_of_authors_a_bounded_number_is_tagged() -> None:
    crowd: Paper = factories.paper(1, authors=tuple(f"Ada Brook{n}" for n in range(3000)))
    assert len([1 for name, _ in tags(crowd, URL) if name == "citation_author"]) == AUTHORS
    assert len(entries(bibtex([crowd]))[0]["author"].split(" and ")) == 3000
