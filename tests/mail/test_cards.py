"""An edition is rendered once, into fragments that hold whatever a source may give."""

from __future__ import annotations

import dataclasses
import itertools
import json
import zlib
from pathlib import Path

import pytest

from flows.editions.model import Kind
from flows.mail import assemble, cards
from flows.mail.document import canonical
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
    assert "Institute of Invented Islands · 1 upvote · 12 comments" in text
    assert "PDF Discussion Code ★ 1.2k Project" in text
    for link in (listed.url, listed.pdf, listed.discussion, listed.code, listed.project):
        assert f'href="{link}"' in page


def test_what_is_unknown_leaves_nothing_behind() -> None:
    bare = paper(1, authors=(), organisation="", upvotes=None, comments=None, abstract="")
    made = rendered(edition([bare]))
    card = b"".join(made.papers[bare.id].html).decode()
    assert card.count("<p") == 1
    assert "Discussion" not in card
    assert "None" not in assemble.plain(made, digest(edition([bare])))


def test_a_machines_summary_is_marked() -> None:
    listed = [paper(1, ai_summary="An island is charted twice."), paper(2)]
    made = rendered(edition(listed))
    assert b"AI" in b"".join(made.papers[listed[0].id].html)
    assert b"[AI summary]" in b"".join(made.papers[listed[0].id].text)
    assert b"AI" not in b"".join(made.papers[listed[1].id].html)


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


def test_topics_and_groups_are_headings_in_their_order() -> None:
    page = tree(assemble.page(rendered(), digest(edition())))
    assert [h.text_content() for h in page.iter("h2")] == ["Agents", "Code", "Video", "Audio", "Astronomy"]
    assert [g.text_content() for g in page.find_class("group")] == [
        "Agents & code",
        "Vision & media",
        "Science & health",
    ]
    targets = {a.get("href") for a in page.find_class("contents")[0].iter("a")}
    assert targets == {f"#{h.get('id')}" for h in page.iter("h2")}


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
    assert len(document.xpath("//h3")) == len(HOSTILE)
    assert "<script>alert(1)</script>" in document.text_content()
    assert "and 661\u00a0others" in document.text_content()
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


def test_cards_come_back_from_the_store() -> None:
    made = rendered(factories.eventful(edition(HOSTILE)), title="Zeitung für alle")
    packed = cards.pack(made)
    assert cards.unpack(packed) == made
    assert len(packed) < 20_000


@pytest.mark.parametrize("packed", [b"", b"PK\x03\x04", b"{}"])
def test_other_bytes_are_no_cards(packed: bytes) -> None:
    with pytest.raises(ValueError, match="not packed cards"):
        cards.unpack(packed)


def test_the_operators_templates_come_first(tmp_path: Path) -> None:
    look = tmp_path / "email/digest/own"
    look.mkdir(parents=True)
    (look / "digest.html").write_text(
        '{% extends "email/digest/classic/digest.html" %}{% block masthead %}<h1>Our own head</h1>{% endblock %}'
        "{% block style %}{% include 'email/digest/classic/style.css' %}{% endblock %}"
    )
    (look / "digest.txt").write_text('{% extends "email/digest/classic/digest.txt" %}')
    made = cards.render(
        edition(), factories.newsletter(look="own"), factories.TOPICS, factories.site(), [tmp_path, SHIPPED]
    )
    assert ">Our own head</h1>" in assemble.page(made, digest(edition()))


def test_a_look_may_be_a_style_sheet_alone(tmp_path: Path) -> None:
    look = tmp_path / "email/digest/own"
    look.mkdir(parents=True)
    (look / "style.css").write_text('{% include "shipped/email/digest/classic/style.css" %} h1 { color: #123456; }')
    made = cards.render(
        edition(), factories.newsletter(look="own"), factories.TOPICS, factories.site(), [tmp_path, SHIPPED]
    )
    assert tree(assemble.page(made, digest(edition()))).find(".//h1").get("style").count("color:#123456") == 1
    assert "PAPERROUND" in assemble.plain(made, digest(edition()))


def test_a_card_with_a_place_of_the_readers_is_refused(tmp_path: Path) -> None:
    look = tmp_path / "email/digest/own"
    look.mkdir(parents=True)
    (look / "digest.html").write_text(
        '{% extends "email/digest/classic/digest.html" %}{% block card %}<p>{{ slot.papers }}</p>{% endblock %}'
        "{% block style %}{% endblock %}"
    )
    (look / "digest.txt").write_text('{% extends "email/digest/classic/digest.txt" %}')
    with pytest.raises(ValueError, match="no place for what is the reader"):
        cards.render(
            edition(), factories.newsletter(look="own"), factories.TOPICS, factories.site(), [tmp_path, SHIPPED]
        )


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
    levels = [0, *(int(heading.tag[1]) for heading in document.xpath("//h1 | //h2 | //h3 | //h4"))]
    assert all(deeper - level <= 1 for level, deeper in itertools.pairwise(levels))
    assert "prefers-color-scheme: dark" in page
    assert all(words in page and words.lower() in text.lower() for words in ("The day’s best", "In focus", "+120"))
    assert "<!--[if mso]>" in page
    assert len(page.encode()) < 13_000 + 1_500 * of.size + 600 * len(of.sections)


def test_canonical_html_has_no_idle_white_space() -> None:
    assert canonical("\n  <p>a\n  b</p>\n\n\t<p>c</p>") == "<p>a\nb</p>\n<p>c</p>\n"


def test_what_rose_says_so() -> None:
    of = factories.eventful(edition())
    assert "▲\u00a0+120\u00a0upvotes since last shown" in assemble.page(rendered(of), digest(of))
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


def test_cards_of_an_earlier_format_are_still_read() -> None:
    made = rendered(edition())
    held = json.loads(zlib.decompress(cards.pack(made)))
    topics = {key: [group, *line, block] for key, (group, *line, block, _, _) in held["topics"].items()}
    held = {key: value for key, value in held.items() if key not in ("best", "around_best", "contents")}
    second = zlib.compress(json.dumps({**held, "format": 2, "topics": topics}).encode())
    message = assemble.assemble(cards.unpack(second), digest(edition()), factories.reader())
    assert all(entry.paper.url in body(message, "html") for entry in edition().entries)


def test_only_cards_of_this_format_are_known_to_be_in_the_form_that_is_signed() -> None:
    packed = cards.pack(rendered(edition()))
    third = zlib.compress(json.dumps({**json.loads(zlib.decompress(packed)), "format": 3}).encode())
    assert cards.unpack(packed).relaxed
    assert not cards.unpack(third).relaxed
