"""A reader's message is joined from an edition's cards, and is what a mail library would have made."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.editions.model import FOR_YOU, Digest, Edition, Part
from flows.mail import assemble, document
from flows.mail.model import Message, Slot
from flows.sending import dkim
from tests import factories
from tests.factories import TOPICS, digest, edition, eventful, paper, papers, reader
from tests.mail.made import SHIPPED, body, read, rendered

EDITION = eventful(edition(papers(23)))
CARDS = rendered(EDITION)


def message(of: Digest | None = None, **own: Any) -> Message:
    return assemble.assemble(CARDS, of or digest(EDITION), reader(**own))


def test_headers() -> None:
    parsed = read(message())
    assert parsed["From"] == "Paperround <digest@example.org>"
    assert parsed["To"] == "reader@example.net"
    assert parsed["Subject"] == "Paperround, 9 June: A Lighthouse That Reads Its Own Log, Part 1 and 22 more"
    assert parsed["Date"].datetime == reader().date
    assert parsed["Message-ID"] == "<7.reader@papers.example.org>"
    assert parsed["MIME-Version"] == "1.0"
    assert parsed["List-ID"] == "Paperround <daily.papers.example.org>"
    assert parsed["List-Unsubscribe"] == f"<https://papers.example.org/unsubscribe/{reader().unsubscribe}>"
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert parsed["List-Archive"] == "<https://papers.example.org/archive>"
    assert parsed["List-Post"] == "NO"
    assert len(set(parsed.keys())) == len(parsed.keys())


def test_the_envelope() -> None:
    made = message()
    assert (made.sender, made.recipient) == ("bounces@example.org", "reader@example.net")


def test_the_parser_finds_nothing_wrong() -> None:
    parsed = read(message())
    assert [part.get_content_type() for part in parsed.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert not [defect for part in parsed.walk() for defect in part.defects]
    assert not [defect for value in parsed.values() for defect in value.defects]


def test_a_lone_address_as_host_gets_a_local_list_id() -> None:
    made = assemble.assemble(rendered(EDITION, site={"public_url": "http://127.0.0.1:8000"}), digest(EDITION), reader())
    assert read(made)["List-ID"] == "Paperround <daily.localhost>"


def test_names_beyond_ascii() -> None:
    of = edition([paper(1, title="Ünter dem Leuchtturm 灯台"), paper(2)])
    made = rendered(of, title="Zeitung für alle", site={"sender": "Zeitung für alle <digest@example.org>"})
    parsed = read(assemble.assemble(made, digest(of), reader()))
    assert parsed["Subject"] == "Zeitung für alle, 9 June: Ünter dem Leuchtturm 灯台 and 1 more"
    assert parsed["From"] == "Zeitung für alle <digest@example.org>"
    assert parsed["List-ID"].startswith("Zeitung für alle")


def test_one_paper_alone() -> None:
    of = Digest(parts=(Part(topic="code", papers=(EDITION.sections[1].entries[0].paper.id,)),))
    made = message(of)
    assert read(made)["Subject"] == "Paperround, 9 June: Counting Swifts with One Microphone, Part 2"
    assert "1 paper in 1 topic" in body(made, "plain")


def test_the_preheader_names_the_next_best() -> None:
    shown = re.search(r'<div class="preheader"[^>]*>([^<]*)<', body(message(), "html"))
    assert shown is not None
    assert shown[1].startswith("Counting Swifts with One Microphone, Part 2 · How to Fold")


def test_what_is_the_readers_own_stands_in_both_bodies() -> None:
    link = f"https://papers.example.org/unsubscribe/{reader().unsubscribe}"
    assert f'href="{link}"' in body(message(), "html")
    assert link in body(message(), "plain").split()


def test_nothing_personal_is_on_the_page() -> None:
    for shown in (assemble.page(CARDS, digest(EDITION)), assemble.plain(CARDS, digest(EDITION))):
        assert "/unsubscribe/" not in shown
        assert "subscribe at" in shown


ADDRESSES = [
    "a@example.org\r\nBcc: b@example.org",
    "a b@example.org",
    "a@",
    "",
    "a@b,c@d",
    "<a@b>",
    "jörg@example.org",
    "a@b@c",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not a plain ASCII address"):
        message(address=address)


@pytest.mark.parametrize("address", ["o'neil+papers@example.org", '"a b"@example.org', "a@[127.0.0.1]", "x@localhost"])
def test_unusual_addresses_are_left_as_they_are(address: str) -> None:
    assert read(message(address=address))["To"] == address


@pytest.mark.parametrize("own", [{"unsubscribe": "a.b"}, {"unsubscribe": ""}, {"message_id": "a>\r\nX: y"}])
def test_values_that_no_header_can_hold_are_refused(own: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"a token is base64url|a Message-ID is printable"):
        message(**own)


def test_an_empty_digest_makes_no_message() -> None:
    with pytest.raises(ValueError, match="nothing matches"):
        message(Digest(parts=(), reason="nothing matches your topics"))


def test_any_zone_of_the_clock() -> None:
    date = dt.datetime(2026, 6, 9, 7, 0, 5, 250, tzinfo=dt.timezone(dt.timedelta(hours=-3, minutes=-30)))
    assert read(message(date=date))["Date"] == "Tue, 09 Jun 2026 07:00:05 -0330"


LONG = edition(papers(140, abstract=factories.paper().abstract[:400], code="https://example.org/" + "c" * 90))
LONG_CARDS = rendered(LONG)


@pytest.mark.parametrize("count", [1, 60, 70, 80, 100, 140])
def test_a_mail_is_never_clipped_and_never_cut_in_the_middle(count: int) -> None:
    whole = digest(LONG)
    order = [(part.topic, listed) for part in whole.parts for listed in part.papers][:count]
    of = Digest(
        parts=tuple(
            Part(topic=part.topic, papers=mine)
            for part in whole.parts
            if (mine := tuple(listed for topic, listed in order if topic == part.topic))
        )
    )
    made = assemble.assemble(LONG_CARDS, of, reader())
    page, text = body(made, "html"), body(made, "plain")
    shown = [listed for _, listed in order if f"/abs/{listed}" in page]
    assert len(page.encode()) <= assemble.LIMIT
    assert shown == [listed for _, listed in order][: len(shown)]
    assert all(f"/abs/{listed}" in text for listed in shown)
    assert sum(text.count(f"/abs/{listed}") for _, listed in order) == len(shown)
    assert page.rstrip().endswith("</html>")
    assert "/unsubscribe/" in page
    more = f"{len(order) - len(shown)} more papers on the web"
    assert (more in page) == (len(shown) < count)
    if len(shown) < count:
        assert len(page.encode()) > assemble.LIMIT - 6_000
    assert len(re.findall("/abs/", assemble.page(LONG_CARDS, of))) == count


def digests(of: Edition) -> st.SearchStrategy[Digest]:
    """Some papers of an edition, under their topics."""
    listed = [(section.topic, entry.paper.id) for section in of.sections for entry in section.entries]

    def chosen(picked: list[bool]) -> Digest:
        kept = [pair for pair, wanted in zip(listed, picked, strict=True) if wanted]
        topics = dict.fromkeys(topic for topic, _ in kept)
        return Digest(
            parts=tuple(Part(topic=topic, papers=tuple(p for t, p in kept if t == topic)) for topic in topics)
        )

    return st.lists(st.booleans(), min_size=len(listed), max_size=len(listed)).filter(any).map(chosen)


@settings(max_examples=40, deadline=None)
@given(digests(EDITION))
def test_every_message_is_fit_for_the_wire(of: Digest) -> None:
    content = message(of).content
    assert content.isascii()
    assert content.endswith(b"--\r\n")
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", content)
    _, _, bodies = content.partition(b"\r\n\r\n")
    for line in bodies.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
    assert message(of).relaxed
    assert dkim.digest(bodies, relaxed=True) == dkim.digest(bodies)


@settings(max_examples=15, deadline=None)
@given(digests(EDITION))
def test_a_joined_message_is_what_the_slow_way_makes(of: Digest) -> None:
    fast, slow = read(message(of)), slowly(of)
    for name in ("From", "To", "Subject", "List-ID", "List-Unsubscribe"):
        assert fast[name] == slow[name]
    for kind in ("plain", "html"):
        one, other = fast.get_body((kind,)), slow.get_body((kind,))
        assert one is not None
        assert other is not None
        assert one.get_content().replace("\r\n", "\n") == other.get_content()


def in_their_places(parts: dict[tuple[str, str], str], alone: Edition) -> dict[tuple[str, str], str]:
    """The fragments, a story's two before and after those of its papers that there are, or nowhere."""
    placed = {key: part for key, part in parts.items() if not key[0].startswith("story")}
    listed = [entry.paper.id for entry in alone.entries]
    for section in alone.sections:
        for i, story in enumerate(section.stories):
            told = [paper for paper in listed if paper in story.papers]
            if len(told) < 2:
                continue
            key = f"{section.topic}-{i}"
            ordered = list(placed)
            ordered.insert(ordered.index(("card", told[0])), ("story", key))
            ordered.insert(ordered.index(("card", told[-1])) + 1, ("story_end", key))
            placed = {one: placed.get(one) or parts[one] for one in ordered}
    return placed


def slowly(of: Digest) -> EmailMessage:
    """The digest rendered for this reader alone, as an edition of only these papers, built by the standard library."""
    kept = {listed for part in of.parts for listed in part.papers}
    listed = [entry.paper for entry in EDITION.entries if entry.paper.id in kept]
    sections = tuple(
        replace(section, entries=mine)
        for section in EDITION.sections
        if (mine := tuple(entry for entry in section.entries if entry.paper.id in kept))
    )
    best = tuple(paper for paper in EDITION.best if paper in kept)[: len(kept) // 3]
    alone = edition(listed, sections=sections, best=best)
    groups = document.outline(alone, TOPICS)
    site, newsletter = factories.site(), factories.newsletter()
    made = document.documents(alone, newsletter, groups, site, [SHIPPED])
    ranked = sorted(alone.entries, key=lambda entry: -entry.score)
    names = [entry.paper.title for entry in ranked]
    count = {section.topic: str(len(section.entries)) for section in sections}
    bodies = []
    escapes: tuple[Callable[[str], str], ...] = (html.escape, str)
    for source, escape in zip(made, escapes, strict=True):
        parts = in_their_places(dict(document.cut(source, document.mark(alone))), alone)
        values = {
            Slot.PAPERS: f"{len(names)} paper{'s' if len(names) > 1 else ''}",
            Slot.TOPICS: f"{len(sections)} topic{'s' if len(sections) > 1 else ''}",
            Slot.OPENING: "",
            Slot.UNSUBSCRIBE: reader().unsubscribe,
            Slot.MANAGE: reader().manage,
            Slot.NAMES: " · ".join(escape(name) for name in names[1:4] or names),
        }
        shown = ""
        for (kind, key), fragment in parts.items():
            if kind in ("more", "page_foot", "why") or key == FOR_YOU or (kind.startswith("best") and len(best) < 3):
                continue
            filled = document.canonical(fragment) if escape is html.escape else fragment
            for slot, value in {**values, Slot.COUNT: count.get(key, "")}.items():
                filled = filled.replace(f"{document.mark(alone)}_{slot.value}_", value)
            shown += filled
        bodies.append(shown)
    slow = EmailMessage()
    slow["From"], slow["To"] = site.sender, reader().address
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    slow["Subject"] = f"{newsletter.title}, 9 June: {names[0]}{more}"
    slow["List-ID"] = f"{newsletter.title} <{newsletter.slug}.{urlsplit(site.public_url).hostname}>"
    slow["List-Unsubscribe"] = f"<{site.public_url}/unsubscribe/{reader().unsubscribe}>"
    slow.set_content(bodies[1])
    slow.add_alternative(bodies[0], subtype="html")
    return slow


def only(*topics: str) -> Digest:
    return Digest(parts=tuple(part for part in digest(EDITION).parts if part.topic in topics))


def test_the_days_best_are_those_that_the_reader_gets() -> None:
    made = message(only("agents", "code", "astronomy"))
    for kind, label in (("html", "The day’s best"), ("plain", "THE DAY’S BEST")):
        shown = body(made, kind)
        above = shown[shown.index(label) : shown.index('class="contents"' if kind == "html" else "CONTENTS")]
        assert [listed for listed in EDITION.best if f"/abs/{listed}" in above] == [
            section.entries[0].paper.id
            for section in EDITION.sections
            if section.topic in ("agents", "code", "astronomy")
        ]


@pytest.mark.parametrize("of", [only("agents", "code"), digest(eventful(edition(papers(8))))])
def test_few_papers_have_no_best(of: Digest) -> None:
    made = message(of)
    assert "THE DAY’S BEST" not in body(made, "plain")
    assert "The day’s best" not in body(made, "html")


def test_the_best_are_at_most_a_third() -> None:
    few = Digest(parts=tuple(Part(topic=part.topic, papers=part.papers[:2]) for part in digest(EDITION).parts))
    assert len(re.findall("<li", body(message(few), "html"))) == few.size // 3 == 3


STORY = EDITION.sections[0].stories[0]


def test_a_story_stands_together() -> None:
    shown = body(message(only("agents")), "plain")
    _, _, story = shown.partition("In focus: invented islands")
    inside, _, after = story.partition("· · ·")
    assert [listed for listed in STORY.papers if f"/abs/{listed}" in inside] == list(STORY.papers)
    assert not any(f"/abs/{listed}" in after for listed in STORY.papers)
    assert "/abs/" in after
    assert body(message(only("agents")), "html").count('<div class="story"') == 1


def test_one_paper_of_a_story_alone_is_none() -> None:
    (part,) = only("agents").parts
    for left_out in (STORY.papers, STORY.papers[1:]):
        kept = tuple(listed for listed in part.papers if listed not in left_out)
        assert "In focus" not in body(message(Digest(parts=(Part(topic="agents", papers=kept),))), "plain")


def test_a_story_that_is_cut_short_is_closed() -> None:
    of = eventful(edition(papers(90, abstract=factories.paper().abstract[:400]), topics=TOPICS[:1]))
    told = replace(of.sections[0].stories[0], papers=tuple(entry.paper.id for entry in of.entries))
    of = replace(of, sections=(replace(of.sections[0], stories=(told,)),))
    made = message_of(of)
    page = body(made, "html")
    assert "more papers on the web" in page
    assert len(page.encode()) <= assemble.LIMIT
    assert page.count("<div") == page.count("</div>") == 2
    assert page.index("</div>", page.index('<div class="story"')) < page.index("more papers on the web")


def message_of(of: Edition) -> Message:
    return assemble.assemble(rendered(of), digest(of), reader())
