"""Which papers does a text name? In every form that reference managers export, and in any other."""

from __future__ import annotations

import json
import time

import bibtexparser
import pytest
import rispy
from bibtexparser.bparser import BibTexParser
from hypothesis import given
from hypothesis import strategies as st

from flows.papers.model import paper_id
from subscribers.web import citations
from subscribers.web.teaching import bibtex_text
from subscribers.web.teaching.bibliographies import ENTRIES, LONGEST_TITLE, Named, named, said_in
from tests import factories

BIBTEX = r"""% a comment of mine
@string{cvpr = "Proc. of CVPR"}
@comment{jabref-meta: 2606.99999}
@article{vaswani, title={{Attention} is {All} You Need}, journal = {arXiv preprint arXiv:1706.03762}, year=2017}
@inproceedings{one, title = "A {"}Quoted{"} Title of Words", booktitle = cvpr # { 2024}, eprint = {2606.00001},
  archivePrefix = {arXiv}, abstract = {We follow arXiv:2605.11111 @ home}}
@misc(two, doi = {10.48550/arXiv.2606.00002}, title={Three Words Here})
@article{dblp, volume={abs/2606.00003}, journal={CoRR}}
@article{theirs, doi = {10.1145/2606.00009}, title = {Maps of M{\"u}nchen's Hedges}}
@article{open, title = {Never closed at all,
  url={https://arxiv.org/abs/hep-th/9901001v2}
@article{last, url = {https://arxiv.org/abs/math.GT/0309136}}
and 2606.00004 by hand
"""
RIS = """TY  - JOUR
TI  - Maps of Hedges Everywhere
AB  - as in arXiv:2605.11111
DO  - 10.1000/182
ER  -

TY  - PREP
T1  - Slow Telescopes Look Back
UR  - https://arxiv.org/abs/2606.00002v1
"""
CSV = (
    '\ufeff"Key","Item Type","Publication Year","Author","Title","Publication Title","DOI","Url","Abstract Note",'
    '"Extra"\r\n'
    '"AB","preprint","2026","Brook, Ada","Slow, Telescopes and More","","10.48550/arXiv.2606.00001","","2605.11111",""'
    "\r\n"
    '"CD","journalArticle","2026","","Maps of Hedges Everywhere","","10.1000/182","https://example.org","",""\r\n'
    '"EF","preprint","2026","","A title\nof lines","","","","","arXiv:2606.00002 [cs]"\r\n'
)
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:z="http://www.zotero.org/namespaces/export#"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"
 xmlns:bib="http://purl.org/net/biblio#">
 <bib:Article rdf:about="http://arxiv.org/abs/2606.00001"><z:itemType>preprint</z:itemType>
  <dc:title>Slow Telescopes Look Back</dc:title><dcterms:abstract>2605.11111</dcterms:abstract></bib:Article>
 <rdf:Description rdf:about="#item_2"><dc:title>Maps of Hedges Everywhere</dc:title>
  <dc:identifier>DOI 10.1000/182</dc:identifier></rdf:Description>
 <z:Attachment rdf:about="#item_3"><dc:title>Full Text of the PDF</dc:title></z:Attachment>
</rdf:RDF>"""
CSL = json.dumps(
    [
        {"id": "a", "title": "Slow Telescopes Look Back", "DOI": "10.48550/arXiv.2606.00001", "abstract": "2605.11111"},
        {"id": "b", "title": "Maps of Hedges Everywhere", "URL": "https://example.org/2606.00005"},
        {"id": "c", "number": "arXiv:2606.00002", "title": 7},
        "nonsense",
    ]
)


@pytest.mark.parametrize(
    ("text", "numbers", "titles", "nameless"),
    [
        (
            BIBTEX,
            "1706.03762 2606.00001 2606.00002 2606.00003 hep-th/9901001 math/0309136 2606.00004",
            ["Maps of München's Hedges"],
            0,
        ),
        (RIS, "2606.00002", ["Maps of Hedges Everywhere"], 0),
        (CSV, "2606.00001 2606.00002", ["Maps of Hedges Everywhere"], 0),
        (CSV.replace(",", ";").replace("Slow;", "Slow,"), "2606.00001 2606.00002", ["Maps of Hedges Everywhere"], 0),
        (RDF, "2606.00001", ["Maps of Hedges Everywhere"], 0),
        (CSL, "2606.00001 2606.00002", ["Maps of Hedges Everywhere"], 0),
        (json.dumps({"items": json.loads(CSL)}), "2606.00001 2606.00002", ["Maps of Hedges Everywhere"], 0),
        ("https://arxiv.org/pdf/2606.00001v2, 2606.00002", "2606.00001 2606.00002", [], 0),
        ("@misc{x, title={Introduction}}\n@misc{y}", "", [], 2),
        ("TY  - JOUR\nER  - \n2606.00001", "2606.00001", [], 1),
        ("", "", [], 0),
    ],
    ids=["bibtex", "ris", "csv", "semicolons", "rdf", "csl", "items", "links", "nameless", "ris-and-more", "nothing"],
)
def test_the_papers_of_every_form_are_found(text: str, numbers: str, titles: list[str], nameless: int) -> None:
    assert named(text) == Named(tuple(map(paper_id, numbers.split())), tuple(titles), nameless)


def test_a_paper_without_and_with_its_number_is_one() -> None:
    twice = (
        "@misc{a, title={Slow Telescopes Look Back}}\n@misc{b, title={slow telescopes look {B}ack}, eprint=2606.00001}"
    )
    assert named(twice) == Named((paper_id("2606.00001"),), ())


def test_what_is_beyond_the_bound_is_said() -> None:
    one = "@misc{{x, eprint={{26{:02}.{:05}}}}}\n"
    text = "".join(one.format(1 + n % 12, n) for n in range(ENTRIES + 5))
    assert (len(named(text).numbers), named(text).more) == (ENTRIES, True)
    assert not named(one.format(1, 1) * ENTRIES).more


def test_what_other_readers_of_bibtex_and_ris_read_is_read_the_same() -> None:
    papers = [factories.paper(n, title=title) for n, title in enumerate(("A {B} C", "$x^2$ & more\\", "Ünder »q«"), 1)]
    written = citations.bibtex(papers)
    theirs = bibtexparser.loads(written, BibTexParser(common_strings=True)).entries
    ours = bibtex_text.read(written, 10).entries
    assert [one["title"] for one in ours] == [one["title"] for one in theirs]
    assert [one["eprint"] for one in ours] == [one["eprint"] for one in theirs]
    assert named(citations.ris(papers)).numbers == tuple(paper.id for paper in papers)
    assert len(rispy.loads(citations.ris(papers))) == len(papers)


SIGNS = st.lists(
    st.sampled_from(
        [
            *("@a{", "@", "{", "}", '"', "=", ",", "#", "\\", "\n", " ", "title", "eprint", "2606.00001", "TY  - "),
            *(
                "ER  - ",
                "TI  - ",
                "DO  - ",
                "<rdf:RDF ",
                "<",
                ">",
                "[",
                "]",
                "DOI",
                "Title",
                ";",
                "\0",
                "é",
                "\u2028",
                "𝒳",
            ),
        ]
    ),
    max_size=60,
).map("".join)


@given(SIGNS | st.text(max_size=300) | st.builds("{}{}".format, st.sampled_from([BIBTEX, RIS, CSV, RDF, CSL]), SIGNS))
def test_any_text_names_papers_that_can_be_looked_for(text: str) -> None:
    found = named(text)
    assert all(paper_id(one) == one for one in found.numbers)
    assert len(set(found.numbers)) == len(found.numbers)
    for title in found.titles:
        assert said_in(title)
        assert len(title) <= LONGEST_TITLE
        assert title.splitlines() == [title]


@given(st.sampled_from([BIBTEX, RIS, CSV, RDF, CSL]), st.integers(0, 800), st.integers(0, 800))
def test_a_file_that_is_cut_is_read_as_far_as_it_goes(text: str, begin: int, end: int) -> None:
    assert set(named(text[begin:end]).numbers) <= {*named(text).numbers, *map(paper_id, NOT_THEIRS)}


NOT_THEIRS = ("2605.11111", "2606.00005", "2606.00009", "2606.99999")
"""Of other papers: without what stands before them they are numbers as any."""


@pytest.mark.parametrize(
    "piece",
    [
        "{",
        "@",
        "@a{",
        "@a{\n",
        "@a{b,c={",
        "@a{b,",
        "@a{t=x # ",
        "a=",
        '"',
        '@a{t="{',
        "@comment{}",
        "@a   ",
        "@a{t={x}}",
        *("TY  - \n", "TI  - x\n", "TY  - J\nER  - \n", 'Title,DOI\n"', "Title,DOI\n", "[", '{"a":', "<rdf:RDF "),
        *("\u2028", "@a{t={\\", "title ", "@a{b\n=", "@a{" + "x" * 70 + "\n"),
    ],
)
@pytest.mark.parametrize("before", ["", "@misc{x,", "TY  - JOUR\n", "Title,DOI,Url\n", '["', "<rdf:RDF>"])
def test_a_hostile_file_is_read_in_no_time(before: str, piece: str) -> None:
    text = before + piece * (1_000_000 // len(piece))
    begun = time.process_time()
    named(text)
    assert time.process_time() - begun < 6
