"""The mail that corrects an edition: words alone, or a mark on the corrected one; hostile words stay words."""

from __future__ import annotations

import re
from typing import Any

import pytest

from flows.editions.model import Edition, Kind
from flows.mail import correction
from flows.mail.assemble import assemble
from flows.mail.model import Message
from tests import factories
from tests.mail.made import body, read, rendered, tree

NOTE = "The third paper is from 2019.\nWe took it out: see https://example.org/why."


def corrected(of: Edition, language: str = "", **newsletter: Any) -> Message:
    made, site, say = rendered(of, language=language), factories.site(), factories.phrases(language=language)
    wanted = factories.newsletter(**newsletter)
    return correction.words(made, factories.reader(), of, wanted, site.public_url, say)


def lines(message: Message) -> list[str]:
    return [line for line in body(message, "plain").splitlines() if line]


def test_words_alone_say_what_was_wrong_and_lead_to_the_edition_and_away() -> None:
    message = corrected(factories.edition(note=NOTE))
    said, text, page = read(message), lines(message), tree(body(message, "html"))
    leave = f"https://papers.example.org/unsubscribe/{factories.reader().unsubscribe}"
    archived = "https://papers.example.org/archive/daily/2026-06-09"
    assert said["Subject"] == "Correction: Paperround, 9 June"
    assert said["List-Unsubscribe"] == f"<{leave}>"
    assert [a.get("href") for a in page.iter("a")] == ["https://example.org/why", archived, leave]
    assert text == [
        "Correction: Paperround, 9 June",
        "The third paper is from 2019.",
        "We took it out: see https://example.org/why.",
        "The edition of 9 June:",
        archived,
        f"Unsubscribe: {leave}",
    ]


@pytest.mark.parametrize(
    ("of", "subject", "archived"),
    [
        ({"subject": "About Größe"}, "Correction: About Größe", "archive/daily/2026-06-09"),
        ({"kind": Kind.WEEKLY}, "Correction: Paperround, 9 June", "archive/daily/week/2026-06-09"),
    ],
)
def test_an_editions_own_subject_is_marked_and_a_week_is_found_as_a_week(
    of: dict[str, Any], subject: str, archived: str
) -> None:
    message = corrected(factories.edition(note=NOTE, **of))
    assert read(message)["Subject"] == subject
    assert tree(body(message, "html")).findtext(".//h1") == subject
    assert f"https://papers.example.org/{archived}" in lines(message)


def test_it_is_in_the_readers_language() -> None:
    message = corrected(factories.edition(note=NOTE), "de")
    assert read(message)["Subject"] == "Berichtigung: Paperround, 9. Juni"
    page = tree(body(message, "html"))
    assert page.get("lang") == "de"
    assert "Die Ausgabe vom 9. Juni" in page.text_content()


HOSTILE = (
    "</p></body><script>alert(1)</script> {0} %s <!--m0123 card x-->\n\u202e.\nFrom here "
    + "longer " * 900
    + "x" * 3_000
)


def test_hostile_words_are_shown_and_do_nothing() -> None:
    title = '<img src=x onerror="x">\r\nBcc: x@example.org {1}'
    message = corrected(factories.edition(note=HOSTILE), title=title)
    page = tree(body(message, "html"))
    assert not page.xpath("//script | //img | //comment()[normalize-space()] | //*[@onerror]")
    assert "<script>alert(1)</script> {0} %s" in page.text_content()
    assert read(message)["Bcc"] is None
    assert "{1}, 9 June" in page.findtext(".//h1")
    assert message.content.isascii()
    for line in message.content.split(b"\r\n"):
        assert len(line) < 998
        assert not re.match(rb"\.|From ", line)
        assert b"\n" not in line


def test_a_corrected_edition_is_marked_in_its_subject_alone() -> None:
    of = factories.edition()
    made = rendered(of)
    plain, marked = (
        assemble(made, factories.digest(of), factories.reader(), opening)
        for opening in (None, correction.marked(factories.phrases()))
    )
    assert read(marked)["Subject"] == f"Correction: {read(plain)['Subject']}"
    assert lines(marked) == lines(plain)
