"""An editor's note and an operator's subject in a mail, hostile or not."""

from __future__ import annotations

import re
from email.header import decode_header, make_header

import pytest

from flows.mail.assemble import assemble, page, plain
from flows.mail.model import Opening
from flows.mail.note import html
from flows.mail.note import plain as as_text
from tests import factories
from tests.mail.made import body, read, rendered, tree

NOTE = (
    "Good morning.\nTwo lines & one <thing>.\n\nSee [our page](https://example.org/a?b=c&d) or https://example.org/x."
)


def test_paragraphs_line_ends_and_links_are_kept() -> None:
    assert html(NOTE) == (
        "Good morning.<br>\nTwo lines &amp; one &lt;thing&gt;.<br>\n<br>\n"
        'See <a href="https://example.org/a?b=c&amp;d">our page</a> or '
        '<a href="https://example.org/x">https://example.org/x</a>.'
    )
    assert as_text(NOTE) == (
        "Good morning.\nTwo lines & one <thing>.\n\n"
        "See our page (https://example.org/a?b=c&d) or https://example.org/x."
    )


@pytest.mark.parametrize(
    "note",
    [
        "<script>alert(1)</script>",
        "[press](javascript:alert(1))",
        '[a](https://example.org/"onmouseover="x)',
        "https://example.org/'><img src=x onerror=alert(1)>",
        "[<b>x</b>](https://example.org/)",
        "\u202eevil\u0000\x07 text\u2066",
        "<!--m0123 card x-->",
    ],
)
def test_nothing_but_text_and_web_links_comes_of_a_note(note: str) -> None:
    found = tree(f"<p>{html(note)}</p>")
    assert {element.tag for element in found.iter()} <= {"p", "a", "br"}
    for element in found.iter("a"):
        assert set(element.attrib) == {"href"}
        assert element.get("href").startswith("https://example.org/")
    assert not set("\u202e\u2066\0\x07") & set(str(html(note)) + as_text(note))


@pytest.mark.parametrize("look", ["classic", "compact"])
def test_it_stands_above_the_papers_in_both_forms_and_on_the_page(look: str) -> None:
    edition = factories.edition(note=NOTE, subject="Read this first: Größe")
    cards = rendered(edition, look=look)
    message = assemble(cards, factories.digest(edition), factories.reader())
    assert read(message)["Subject"] == "Read this first: Größe"
    shown, text = body(message, "html"), body(message, "plain")
    assert "Good morning." in shown[: shown.index("<h2")]
    assert text.index("our page (https://example.org/a?b=c&d)") < text.index("Gardeners")
    assert "<title>Read this first: Gr&#246;&#223;e</title>" in shown
    assert "Good morning." in page(cards, factories.digest(edition))
    assert "Good morning." in plain(cards, factories.digest(edition))


@pytest.mark.parametrize("subject", ["", "Plain words", "Größe " * 20, "=?utf-8?q?no?=", "x" * 150])
def test_a_marked_subject_keeps_its_words_and_its_lines(subject: str) -> None:
    edition = factories.edition(subject=subject)
    opening = Opening(html=b"", text=b"", size=0, mark=b"[Test]")
    digest, reader = factories.digest(edition), factories.reader()
    marked = assemble(rendered(edition), digest, reader, opening)
    unmarked = assemble(rendered(edition), digest, reader)
    said, plain_ = (str(make_header(decode_header(str(read(one)["Subject"])))) for one in (marked, unmarked))
    assert said == f"[Test] {plain_}"
    field = re.search(rb"^Subject:.*(?:\r\n .*)*", marked.content, re.MULTILINE)
    assert field is not None
    assert all(len(line) <= 78 for line in field[0].split(b"\r\n"))
