"""Letters: every one in the shipped words, what a header and a wire can hold, and what is refused."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.editions.model import Newsletter
from flows.mail.assemble import LIMIT, assemble
from flows.mail.letters import KINDS, Addressee, Letters
from flows.mail.model import Message
from flows.outcomes import Problem
from subscribers.model import Letter
from tests import factories
from tests.mail.made import SHIPPED, body, read, rendered, tree

TOKEN = "Zm9yLXRoZS1yZWFkZXItYWxvbmUt_-01"
WORDS = ("subject", "title", "text", "button", "note", "why")


def letters(folders: Sequence[Path] = (SHIPPED,), **site: Any) -> Letters:
    return Letters(factories.site(**site), factories.phrases(*folders), folders, {"days": 7, "hours": 2})


def addressee(**given: Any) -> Addressee:
    made: dict[str, Any] = {
        "address": "reader@example.net",
        "path": f"confirm/{TOKEN}",
        "message_id": "confirm.7.3@papers.example.org",
        "date": dt.datetime(2026, 6, 9, 7, 0, 5, tzinfo=dt.UTC),
    }
    return Addressee(**(made | given))


SHARED = letters()


def letter(kind: str = "confirm", of: Newsletter | None = None, **given: Any) -> Message:
    return SHARED.write(kind, of or factories.newsletter(), addressee(**given))


def test_every_kind_of_letter_has_its_words_and_no_other_has() -> None:
    assert set(KINDS) == {kind.value for kind in Letter}
    words = {key for key in factories.phrases() if key.startswith("letter.")}
    shared = {
        "letter.copy",
        "letter.unsubscribe",
        "letter.never",
        "letter.welcome.edition",
        "letter.welcome.with_edition",
    }
    assert words == {f"letter.{kind}.{word}" for kind in KINDS for word in WORDS} | shared


@pytest.mark.parametrize("kind", KINDS)
def test_a_letter_has_one_button_and_says_the_same_in_plain_text(kind: str) -> None:
    made = letter(kind, path=f"{kind}/{TOKEN}")
    said, page, text = read(made), body(made, "html"), body(made, "plain")
    assert [part.get_content_type() for part in said.iter_parts()] == ["text/plain", "text/html"]
    assert said["Auto-Submitted"] == "auto-generated"
    assert said["Message-ID"] == "<confirm.7.3@papers.example.org>"
    assert said["Date"].datetime == dt.datetime(2026, 6, 9, 7, 0, 5, tzinfo=dt.UTC)
    assert (said["From"], said["To"]) == ("Paperround <digest@example.org>", "reader@example.net")
    assert made.sender == "bounces@example.org"
    assert "List-Unsubscribe" not in said
    assert "Paperround" in str(said["Subject"])
    link = f"https://papers.example.org/{kind}/{TOKEN}"
    # the button, the same to copy, and what a stranger wants who did not ask for it
    never = [f"{link}/never"] if kind in ("confirm", "address") else []
    assert [a.get("href") for a in tree(page).iterfind(".//a")] == [link, link, *never]
    assert (f"{link}/never" in text) == bool(never)
    assert link in text
    assert len(tree(page).find_class("button")) == 1
    assert "1 Example Street, Sampletown" in text
    assert not re.search(r"[{}]|place[0-9a-f]{20}", text)
    assert not re.search(r"place[0-9a-f]{20}", page)


def test_a_confirmation_says_for_what_and_how_long_and_what_to_do_if_it_was_somebody_else() -> None:
    text = " ".join(body(letter(of=factories.newsletter(title="Evening Papers")), "plain").split())
    assert "asked at papers.example.org for Evening Papers to be sent to this address" in text
    assert "works for 7 days" in text
    assert "If it was not you, do nothing" in text


def test_who_is_subscribed_can_unsubscribe_with_one_click() -> None:
    made = letter("welcome", unsubscribe=TOKEN)
    link = f"https://papers.example.org/unsubscribe/{TOKEN}"
    assert read(made)["List-Unsubscribe"] == f"<{link}>"
    assert read(made)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link in body(made, "plain")
    assert link in body(made, "html")


@pytest.mark.parametrize(
    "title", ["Bücher & <b>Brot</b>", "日報" * 30, "A" * 200, "Ordinary words " * 12, "=?utf-8?q?x?="]
)
def test_any_title_stands_in_subject_and_body(title: str) -> None:
    made = letter(of=factories.newsletter(title=title))
    assert read(made)["Subject"] == f"Please confirm: {title.strip()}"
    assert title.strip() in tree(body(made, "html")).text_content()
    assert "".join(title.split()) in "".join(body(made, "plain").split())
    _fit(made)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    token=st.from_regex(r"[A-Za-z0-9_-]{1,60}", fullmatch=True),
    address=st.from_regex(r"[a-z.+]{0,50}[a-z]@[a-z]{1,60}\.example", fullmatch=True),
    title=st.text(st.characters(exclude_categories=("Cs", "Cc", "Co", "Cn")), min_size=1, max_size=80),
)
def test_every_letter_is_fit_for_the_wire(kind: str, token: str, address: str, title: str) -> None:
    made = letter(kind, factories.newsletter(title=title), path=f"{kind}/{token}", address=address, unsubscribe=token)
    _fit(made)
    assert f"/{kind}/{token}" in body(made, "plain")


def _fit(made: Message, longest: int = 76) -> None:
    content = made.content
    assert content.isascii()
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", content)
    head, _, bodies = content.partition(b"\r\n\r\n")
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    for line in bodies.split(b"\r\n"):
        assert len(line) <= longest
        assert not line.startswith((b".", b"From "))
    assert not read(made).defects


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": "bücher@example.org"},
        {"address": "a@example.org\r\nBcc: b@example.org"},
        {"path": "confirm/../x"},
        {"path": "confirm/a\r\nb"},
        {"unsubscribe": "<script>"},
        {"message_id": "a b"},
        {"message_id": "a>\r\nSubject: x"},
    ],
)
def test_what_a_header_or_a_link_cannot_hold_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"address|base64url"):
        letter(**wrong)


def test_a_sender_that_is_none_is_told() -> None:
    with pytest.raises(Problem, match="no address such as"):
        letters(sender="nobody").write("confirm", factories.newsletter(), addressee())


def test_the_operators_words_and_template_come_first(tmp_path: Path) -> None:
    (tmp_path / "words.toml").write_text('[letter.confirm]\nsubject = "Bitte bestätigen: {newsletter}"\n')
    (tmp_path / "email" / "letter").mkdir(parents=True)
    (tmp_path / "email" / "letter" / "letter.txt").write_text("{{ say(words ~ '.button') }}: {{ link }}\n")
    made = letters([tmp_path, SHIPPED]).write("confirm", factories.newsletter(), addressee())
    assert read(made)["Subject"] == "Bitte bestätigen: Paperround"
    assert body(made, "plain").strip() == f"Confirm the subscription: https://papers.example.org/confirm/{TOKEN}"


def test_an_opening_stands_above_the_papers_and_a_digest_with_it_is_never_clipped() -> None:
    of = factories.edition(factories.papers(140, abstract=factories.paper().abstract[:400]))
    opening = SHARED.opening(factories.newsletter(), factories.DAY, TOKEN)
    made = assemble(rendered(of), factories.digest(of), factories.reader(), opening)
    page, text = body(made, "html"), body(made, "plain")
    assert read(made)["Subject"] == "Welcome to Paperround: the edition of 9 June"
    assert len(page.encode()) <= LIMIT
    for form, first in ((page, "<h2"), (text, "[1] ")):
        assert form.index("Welcome to Paperround.") < form.index(first)
        assert f"https://papers.example.org/manage/{TOKEN}" in form
    assert len(tree(page).find_class("o")) == 1
    _fit(made, 998)


def test_an_opening_takes_a_token_alone() -> None:
    with pytest.raises(ValueError, match="base64url"):
        SHARED.opening(factories.newsletter(), factories.DAY, '"><script>')


@pytest.mark.parametrize("look", sorted(folder.name for folder in (SHIPPED / "email/digest").iterdir()))
def test_mails_name_the_language_of_their_words(tmp_path: Path, look: str) -> None:
    (tmp_path / "words.toml").write_text('[site]\nlang = "de"\n')
    folders = (tmp_path, SHIPPED)
    digest = assemble(rendered(look=look, folders=folders), factories.digest(factories.edition()), factories.reader())
    written = letters(folders).write("confirm", factories.newsletter(), addressee())
    assert [tree(body(made, "html")).get("lang") for made in (digest, written)] == ["de", "de"]
