"""An edition is rendered once, into fragments that hold whatever a source may give."""

from __future__ import annotations

import dataclasses
import itertools
import re
from pathlib import Path

import pytest

from flows.editions.model import Kind
from flows.mail import assemble
from flows.outcomes import Problem
from flows.papers.model import PaperId
from tests import factories
from tests.factories import digest, edition, paper, papers
from tests.mail.made import SHIPPED, body, read, rendered, tree

HOSTILE = (
    paper(
        1, title="<script>alert(1)</script> & \"quotes\" <img src=x onerror='x'>", abstract="</td></table><b>{{ 7*7 }}"
    ),
    paper(2, authors=tuple(f"Author Number{n}" for n in range(664)), title="Six hundred authors"),
    paper(3, title="x" * 900, abstract="y" * 20_000, organisation="z" * 900, authors=("w" * 900,)),
    paper(4, title="🎉 Emoji 👩‍👩‍👧‍👦 all day", abstract="😀 " * 400, authors=("Émilie Ünïcode", "王小明")),
    paper(5, title="تعلم الآلة في الحديقة", abstract="ملخص قصير. " * 30, authors=("محمد علي", "דוד כהן")),
    paper(
        6,
        title=r"Unbalanced $\frac{1}{2 TeX $$ \alpha_{i^{2 %",
        abstract=r"An $O(n^2 bound, \textbf{bold 100% of $$y$.",
    ),
    paper(7, title="", abstract="", authors=("", " "), organisation="", upvotes=None, comments=None),
    paper(
        8, title="Nul\x00 \x1b \ud800 \u202eesrever\ufffe", authors=("Line\r\nBcc: x@example.org",), abstract="a\x0bb"
    ),
    paper(9, title=". a dot first", abstract=".\n.\nFrom here\n."),
    paper(10, project="javascript:alert(1)", code='https://example.org/"onmouseover="x', title="Ümlaut =?utf-8?q?x?="),
)


def test_a_paper_shows_what_is_known_of_it() -> None:
    listed = paper(
        3, upvotes=1, comments=12, code="https://example.org/code", stars=1234, project="https://example.org/project"
    )
    page = assemble.page(rendered(edition([listed])), digest(edition([listed])))
    text = " ".join(tree(page).text_content().split())
    assert "How to Fold a Map of Everything, Part 3" in text
    assert "Ada Brook, Ben Carrow, Cleo Dunmore and 2 others" in text
    assert "and 2 others · Institute of Invented Islands ▲ 1 PDF Code ★ 1.2k" in text
    assert "comment" not in text
    for link in (listed.url, listed.pdf, listed.discussion, listed.code):
        assert f'href="{link}"' in page


def test_what_is_unknown_leaves_nothing_behind() -> None:
    bare = paper(1, authors=(), organisation="", upvotes=None, comments=None, abstract="")
    made = rendered(edition([bare]))
    card = b"".join(made.papers[bare.id].lead.html).decode()
    assert card.count("<p") == 1
    assert "&#9650;" not in card
    assert "None" not in assemble.plain(made, digest(edition([bare])))


def test_a_machines_words_are_marked_and_the_mark_is_explained_once() -> None:
    listed = [paper(1, ai_summary="An island is charted twice."), paper(2)]
    made = rendered(edition(listed))
    page, text = (form(made, digest(edition(listed))) for form in (assemble.page, assemble.plain))
    assert "An island is charted twice.&#160;&#176;" in page
    assert "An island is charted twice. °" in text
    assert [page.count("&#176;"), text.count("°")] == [2, 1]
    assert "° Written by a model" in body(assemble.assemble(made, digest(edition(listed)), factories.reader()), "plain")
    alone = assemble.page(rendered(edition(listed[:1])), digest(edition(listed[:1])))
    assert "&#176;" not in alone
    assert "written by a model" in alone
    assert "written by a model" not in assemble.page(rendered(edition(listed[1:])), digest(edition(listed[1:])))


def test_a_summary_of_one_long_sentence_is_whole() -> None:
    listed = paper(1, ai_summary=f"An island is charted {'and drawn ' * 29}twice.")
    assert "drawn twice." in assemble.page(rendered(edition([listed])), digest(edition([listed])))


def test_an_organisation_that_is_an_author_is_named_once() -> None:
    listed = paper(1, authors=("Chart Lab", "Ada Brook"), organisation="Chart Lab")
    page = assemble.page(rendered(edition([listed])), digest(edition([listed])))
    assert ">Chart Lab, Ada Brook<" in page


def test_a_summary_of_long_words_alone_gives_way_to_the_abstract() -> None:
    salad = "Spectral reasoning through continual multimodal cartographic supervision strategies everywhere."
    listed = paper(1, ai_summary=salad)
    assert "We ask what a small model learns" in assemble.plain(rendered(edition([listed])), digest(edition([listed])))


def test_notices_stand_above_the_papers() -> None:
    of = edition(missing=("arXiv answered 503 five times.",))
    page = assemble.page(rendered(of, notice="All of this is invented."), digest(of))
    assert page.index("All of this is invented.") < page.index("arXiv answered 503") < page.index("<h2")


def test_a_draft_has_no_number() -> None:
    assert "No." not in assemble.plain(rendered(edition(number=0)), digest(edition()))
    assert "No. 7" in assemble.plain(rendered(), digest(edition()))


def test_a_weekly_edition_says_so() -> None:
    of = edition(kind=Kind.WEEKLY)
    message = assemble.assemble(rendered(of), digest(of), factories.reader())
    assert "week to 9 June" in read(message)["Subject"]


HEADED = ["Agents 3", "Code 3", "Video 3", "Audio 4", "Astronomy 4"]


def test_topics_and_groups_are_headings_in_their_order() -> None:
    of = edition(papers(20))
    page = tree(assemble.page(rendered(of), digest(of)))
    shown = [h.text_content().strip() for h in page.iter("h2")][2:]
    assert shown == ["Agents & code 6", "Vision & media 7", "Science & health 4"]
    assert "Below: Agents & code 6, Vision & media 7, Science & health 4." in " ".join(page.text_content().split())
    assert [h.text_content().strip() for h in page.find_class("j")] == HEADED
    assert not page.xpath("//a[starts-with(@href, '#')]")


def test_a_second_choice_has_its_heading_ready() -> None:
    of = edition(papers(1), topics=factories.TOPICS[:1])
    entry = dataclasses.replace(of.sections[0].entries[0], second="audio")
    of = dataclasses.replace(of, sections=(dataclasses.replace(of.sections[0], entries=(entry,)),))
    assert "audio" in rendered(of).topics


def test_a_hostile_edition_is_a_correct_mail() -> None:
    of = edition(HOSTILE)
    made = rendered(of)
    message = assemble.assemble(made, digest(of), factories.reader())
    page = body(message, "html")
    document = tree(page)
    assert len(page.encode()) < 30_000
    assert not document.xpath("//script | //img | //*[@onerror or @onmouseover]")
    assert not [link for link in document.xpath("//a/@href") if not link.startswith(("https://", "#"))]
    assert len(document.xpath("//h3/a | //h4/a")) == len(HOSTILE)
    assert [h.get("dir") for h in document.xpath("//h3") if "تعلم" in h.text_content()] == ["rtl"]
    assert "<script>alert(1)</script>" in document.text_content()
    assert "and 661 others" in document.text_content()
    assert "\x00" not in page
    assert "\u202e" not in page
    assert read(message).get_all("Bcc") is None
    assert "7*7" in body(message, "plain")


def test_text_keeps_to_72_columns_but_for_links() -> None:
    of = edition([paper for paper in HOSTILE if paper.id != PaperId("2606.00003")])
    for line in assemble.plain(rendered(of, notice="word " * 60), digest(of)).splitlines():
        assert len(line) <= 72 or "://" in line


def test_nothing_in_an_edition_can_forge_a_place() -> None:
    marks = "<!--m0123 card x--> m0123_unsubscribe_ {{ slot.unsubscribe }} {% raw %}"
    of = edition([paper(1, title=marks, abstract=marks)])
    message = assemble.assemble(rendered(of), digest(of), factories.reader())
    assert body(message, "plain").count(factories.reader().unsubscribe) == 1


def test_the_operators_templates_come_first(tmp_path: Path) -> None:
    look = tmp_path / "email/digest/own"
    look.mkdir(parents=True)
    (look / "digest.html").write_text(
        '{% extends "email/digest/classic/digest.html" %}{% block masthead %}<h1>Our own head</h1>{% endblock %}'
    )
    (look / "digest.txt").write_text('{% extends "email/digest/classic/digest.txt" %}')
    made = rendered(look="own", folders=(tmp_path, SHIPPED))
    assert "<h1>Our own head</h1>" in assemble.page(made, digest(edition()))


def test_a_look_may_be_a_style_sheet_alone(tmp_path: Path) -> None:
    look = tmp_path / "email/digest/own"
    look.mkdir(parents=True)
    (look / "style.css").write_text('{% include "shipped/email/digest/classic/style.css" %} h1 { color: #123456; }')
    made = rendered(look="own", folders=(tmp_path, SHIPPED))
    (look / "inline.css").write_text(".s { font-size: 17px; }")
    page = tree(assemble.page(made, digest(edition())))
    assert "h1 { color: #123456; }" in "".join(style.text for style in page.iter("style") if style.text)
    assert "PAPERROUND" in assemble.plain(made, digest(edition()))


def test_a_card_with_a_place_of_the_readers_is_refused(tmp_path: Path) -> None:
    look = tmp_path / "email/digest/own"
    look.mkdir(parents=True)
    (look / "digest.html").write_text(
        '{% extends "email/digest/classic/digest.html" %}{% block alone %}<p>{{ slot.papers }}</p>{% endblock %}'
    )
    (look / "digest.txt").write_text('{% extends "email/digest/classic/digest.txt" %}')
    with pytest.raises(ValueError, match="no place for what is the reader"):
        rendered(look="own", folders=(tmp_path, SHIPPED))


@pytest.mark.parametrize(
    "site",
    [
        {"sender": "Paperround"},
        {"sender": "A <a@example.org>\r\nBcc: b@example.org"},
        {"return_path": ""},
        {"public_url": "https://example.org\n"},
        {"public_url": "https://zeitung-für-alle.example"},
    ],
)
def test_a_sender_that_no_header_can_hold_is_refused(site: dict[str, str]) -> None:
    with pytest.raises(Problem, match=r"no address|cannot stand in a mail's header"):
        rendered(site=site)


def test_a_look_or_an_accent_that_is_none_is_named() -> None:
    with pytest.raises(Problem, match="newsletter daily has the look 'baroque'"):
        rendered(look="baroque")
    with pytest.raises(Problem, match="newsletter daily has an accent"):
        rendered(accent="teal")


@pytest.mark.parametrize("look", sorted(folder.name for folder in (SHIPPED / "email/digest").iterdir()))
def test_every_shipped_look_makes_a_whole_mail(look: str) -> None:
    of = edition(papers(16, code="https://example.org/code"), missing=("arXiv answered 503 five times.",))
    of = factories.eventful(of)
    message = assemble.assemble(rendered(of, look=look), digest(of), factories.reader())
    page, text = body(message, "html"), body(message, "plain")
    document = tree(page)
    assert document.get("lang") == "en"
    assert document.findtext(".//title")
    assert all(listed.paper.url in page and listed.paper.url in text for listed in of.entries)
    assert not document.xpath("//img | //script | //form | //iframe | //link")
    assert all(table.get("role") == "presentation" for table in document.iter("table"))
    for tag in ("table", "tr", "td", "div", "p", "h2", "h3"):
        assert len(re.findall(rf"<{tag}[ >]", page)) == page.count(f"</{tag}>")
    levels = [0, *(int(heading.tag[1]) for heading in document.xpath("//h1 | //h2 | //h3 | //h4"))]
    assert all(deeper - level <= 1 for level, deeper in itertools.pairwise(levels))
    assert "prefers-color-scheme:dark" in page
    for style in document.iter("style"):
        assert len(style.text or "") < 8_192  # what is longer Gmail drops
    assert all(words in page and words.lower() in text.lower() for words in ("Best of the day", "Below", "120"))
    assert "<!--[if mso]>" in page
    assert len(message.content) < 12_000 + 1_300 * of.size


def test_what_rose_says_so() -> None:
    of = factories.eventful(edition())
    assert "&#9650;&#160;+120&#160;upvotes since last shown" in assemble.page(rendered(of), digest(of))
    assert "+120 upvotes since last shown" in assemble.plain(rendered(of), digest(of))
    assert "since last shown" not in assemble.plain(rendered(edition()), digest(edition()))


PICTURE = "https://cdn.example.org/papers/1.png"


def test_pictures_are_shown_where_a_newsletter_wants_them_and_never_on_the_web() -> None:
    of = edition([paper(1, thumbnail=PICTURE), paper(2)])
    wanted, plain = rendered(of, thumbnails=True), rendered(of)
    (image,) = tree(body(assemble.assemble(wanted, digest(of), factories.reader()), "html")).iter("img")
    assert (image.get("src"), image.get("width"), image.get("height")) == (PICTURE, "120", "63")
    assert image.get("alt") == "A Lighthouse That Reads Its Own Log, Part 1"
    assert "<img" not in body(assemble.assemble(plain, digest(of), factories.reader()), "html")
    assert "<img" not in assemble.page(wanted, digest(of))


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "http://cdn.example.org/1.png", PICTURE + "?reader=7", PICTURE + '"onerror="x', "", "x"],
)
def test_what_is_no_plain_picture_is_not_shown(address: str) -> None:
    of = edition([paper(1, thumbnail=address)])
    made = rendered(of, thumbnails=True)
    assert "<img" not in body(assemble.assemble(made, digest(of), factories.reader()), "html")
