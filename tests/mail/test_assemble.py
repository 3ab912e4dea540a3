"""A reader's message is joined from an edition's cards, and is what a mail library would have made."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.editions.choose import choose
from flows.editions.model import FOR_YOU, Digest, Edition, Interests, Kind, Part, Reason
from flows.mail import assemble
from flows.mail.model import Message
from flows.sending import dkim
from tests import factories
from tests.factories import digest, edition, eventful, paper, papers, reader
from tests.mail.made import body, read, rendered, tree

EDITION = eventful(edition(papers(23)))
CARDS = rendered(EDITION)


def message(of: Digest | None = None, **own: Any) -> Message:
    return assemble.assemble(CARDS, of or digest(EDITION), reader(**own))


def test_headers() -> None:
    parsed = read(message())
    assert parsed["From"] == "Paperround <digest@example.org>"
    assert parsed["To"] == "reader@example.net"
    assert parsed["Subject"] == "Counting Swifts with One Microphone, Part 2 and 22 more · 9 June"
    assert parsed["Date"].datetime == reader().date
    assert parsed["Message-ID"] == "<7.reader@papers.example.org>"
    assert parsed["MIME-Version"] == "1.0"
    assert parsed["List-ID"] == "Paperround <daily.papers.example.org>"
    assert parsed["Auto-Submitted"] == "auto-generated"
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
    assert parsed["Subject"] == "Ünter dem Leuchtturm 灯台 and 1 more · 9 June"
    assert parsed["From"] == "Zeitung für alle <digest@example.org>"
    assert parsed["List-ID"].startswith("Zeitung für alle")


def test_one_paper_alone() -> None:
    of = Digest(parts=(Part(topic="code", papers=(EDITION.sections[1].entries[0].paper.id,)),))
    made = message(of)
    assert read(made)["Subject"] == "Counting Swifts with One Microphone, Part 2 · 9 June"
    assert "· 1 paper ·" in body(made, "plain")


def test_a_subject_offers_the_names_of_the_first_papers_as_far_as_they_have_room() -> None:
    titles = ("PhiZero: Learning From Nothing", "Metis: A Memory", "AskChem: Ask a Chemist", "Another: One")
    of = edition([paper(n, title=title) for n, title in enumerate(titles, 1)])
    made = assemble.assemble(rendered(of), digest(of), reader())
    assert read(made)["Subject"] == "PhiZero, Metis and AskChem · 9 June"
    (title,) = tree(body(made, "html")).xpath("//title")
    assert title.text == "PhiZero, Metis and AskChem · 9 June"
    of = edition([paper(n, title=f"{'Long' * 7}{n}: {title}") for n, title in enumerate(titles, 1)])
    subject = read(assemble.assemble(rendered(of), digest(of), reader()))["Subject"]
    assert subject == f"{'Long' * 7}1, {'Long' * 7}2 and 2 more · 9 June"


def test_the_preheader_says_what_the_first_paper_did() -> None:
    (shown,) = tree(body(message(), "html")).xpath("//div[@class='h']")
    assert shown.text == "We ask what a small model learns when nobody tells it what to look for."
    assert "display:none" in shown.get("style")


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


LONG = edition(papers(140, abstract=factories.paper().abstract[:400], code="https://example.org/" + "c" * 200))
LONG_CARDS = rendered(LONG)


@pytest.mark.parametrize("count", [1, 60, 70, 80, 100, 140])
def test_a_mail_is_never_clipped_and_keeps_the_best(count: int) -> None:
    ranked = [entry.paper.id for entry in sorted(LONG.entries, key=lambda entry: -entry.score)][:count]
    of = _among(LONG, ranked)
    made = assemble.assemble(LONG_CARDS, of, reader())
    page, text = body(made, "html"), body(made, "plain")
    shown = [listed for listed in ranked if f"/abs/{listed}" in page]
    assert len(page.replace("\r\n", "\n").encode()) <= len(page.encode()) <= assemble.LIMIT
    assert shown == ranked[: len(shown)]
    assert [listed for listed in ranked if f"/abs/{listed}" in text] == shown
    assert page.rstrip().endswith("</html>")
    assert "/unsubscribe/" in page
    left = count - len(shown)
    assert f"· {len(shown)} paper" in text
    assert (f"{left} more papers on the web" in page) == (left > 0)
    if left:
        assert len(page.encode()) > assemble.LIMIT - 8_000
        assert f"{len(shown)} of {count} here. On the web: " in " ".join(text.split())
    assert set(re.findall("/abs/([0-9.]+)", assemble.page(LONG_CARDS, of))) == set(ranked)


def test_what_is_left_out_is_told_by_topic() -> None:
    told = {"agents": 9, "code": 5, "video": 1, "astronomy": 2}
    of = replace(_among(EDITION, [entry.paper.id for entry in EDITION.entries][:3]), left=told, chosen=True)
    text = " ".join(body(message(of), "plain").split())
    assert "3 of 20 here, as you chose. On the web: 9 more on Agents, 5 more on Code and 3 on other topics." in text
    shown = tree(body(message(of), "html")).xpath("//p[@class='i'][1]")[0].text_content()
    assert shown.startswith("3 of 20 here, as you chose. On the web: 9 more on Agents, 5 more on Code and 3")


def _among(of: Edition, papers: Collection[str]) -> Digest:
    parts = (
        Part(topic=section.topic, papers=tuple(e.paper.id for e in section.entries if e.paper.id in papers))
        for section in of.sections
    )
    return Digest(parts=tuple(part for part in parts if part.papers))


def digests(of: Edition) -> st.SearchStrategy[Digest]:
    """Some papers of an edition, under their topics; of some of them the reader follows something."""
    listed = [entry.paper.id for entry in of.entries]

    def chosen(picked: list[int]) -> Digest:
        kept = [paper for paper, how in zip(listed, picked, strict=True) if how]
        followed = tuple(paper for paper, how in zip(listed, picked, strict=True) if how == 2)
        others = _among(of, set(kept) - set(followed)).parts
        why = {paper: (Reason("swifts"),) for paper in followed}
        mine = (Part(topic=FOR_YOU, papers=followed, reasons=why),) if followed else ()
        return Digest(parts=(*mine, *others))

    marks = st.lists(st.sampled_from([0, 1, 1, 1, 2]), min_size=len(listed), max_size=len(listed))
    return marks.filter(any).map(chosen)


@settings(max_examples=40, deadline=None)
@given(digests(EDITION))
def test_every_message_is_fit_for_the_wire(of: Digest) -> None:
    content = message(of).content
    assert content.isascii()
    assert content.endswith(b"--\r\n")
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", content)
    _, _, bodies = content.partition(b"\r\n\r\n")
    text, _, html = bodies.partition(b"Content-Type: text/html")
    assert max(map(len, text.split(b"\r\n"))) <= 76
    assert max(map(len, html.split(b"\r\n"))) <= 998
    for line in bodies.split(b"\r\n"):
        assert not line.startswith((b".", b"From "))
    assert message(of).relaxed
    assert dkim.digest(bodies, relaxed=True) == dkim.digest(bodies)


@settings(max_examples=60, deadline=None)
@given(digests(EDITION))
def test_the_best_lead_and_every_paper_has_one_card(of: Digest) -> None:
    """Whatever a reader chose: each of their papers stands once as a card, those that they follow first, then the best
    three of the others, then the others by group; every count that is told is that of the cards below it."""
    made = message(of)
    page = tree(body(made, "html"))
    cards = [link.get("href").rpartition("/")[2] for link in page.xpath("//h3/a | //h4/a")]
    followed = list(of.parts[0].papers) if of.parts[0].topic == FOR_YOU else []
    others = {paper for part in of.parts for paper in part.papers} - set(followed)
    assert sorted(cards) == sorted([*followed, *others])
    assert cards[: len(followed)] == followed
    rank = {entry.paper.id: -entry.score for entry in EDITION.entries if not entry.rose}
    leads = sorted((paper for paper in others if paper in rank), key=lambda paper: rank[paper])[:3]
    assert cards[len(followed) :][: len(leads)] == leads
    text = body(made, "plain").replace("\r\n", "\n")
    assert f"· {of.size} paper" in text
    for heading in page.xpath("//h2[span] | //h3[span]"):
        stop = ("h2",) if heading.tag == "h2" else ("h2", "h3")
        below = 0
        for element in heading.itersiblings():
            if element.tag in stop and element.get("class") != "k j":
                break
            if element.tag == "h3" and element.get("class") == "k j" and heading.tag == "h3":
                break
            below += element.tag in ("h3", "h4") and element.get("class") != "k j"
        assert int(heading.xpath("span")[0].text) == below
    assert all(text.count(f"/abs/{paper}\n") == 1 for paper in cards)


@settings(max_examples=20, deadline=None)
@given(digests(EDITION))
def test_headings_go_down_a_step_at_a_time(of: Digest) -> None:
    levels = [int(h.tag[1]) for h in tree(body(message(of), "html")).xpath("//h1 | //h2 | //h3 | //h4")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def only(*topics: str) -> Digest:
    return Digest(parts=tuple(part for part in digest(EDITION).parts if part.topic in topics))


def test_a_topic_has_a_heading_from_three_papers_on_and_a_label_before() -> None:
    page = tree(body(message(), "html"))
    headed = {heading.text.strip() for heading in page.xpath("//h3[@class='k j']")}
    labelled = {label.text for label in page.xpath("//p[@class='k']")}
    assert headed
    assert labelled
    assert not headed & labelled


def test_few_papers_need_no_groups() -> None:
    few = _among(EDITION, [entry.paper.id for entry in EDITION.entries][:7])
    assert [h.text for h in tree(body(message(few), "html")).xpath("//h2")] == ["Best of the day", "Also today"]
    three = _among(EDITION, [entry.paper.id for entry in EDITION.entries][1:3])
    assert [h.text for h in tree(body(message(three), "html")).xpath("//h2")] == ["Best of the day"]


def test_who_was_voted_up_as_well_is_named_in_order_of_votes() -> None:
    of = edition([paper(n, upvotes=100 - n) for n in range(1, 20)])
    page = tree(body(message_of(of), "html"))
    assert [h.text for h in page.xpath("//h2")][:2] == ["Voted up most", "Also voted up"]
    shown = [row.text_content() for row in page.xpath("//table[@class='u']//td[@class='v']")]
    assert shown == [f"▲\u00a0{100 - n}" for n in range(4, 10)]


def test_leads_are_called_voted_up_most_where_their_votes_bear_it_out() -> None:
    """None of the others has more, and each has as many as the next one."""
    assert "Voted up most" in body(message_of(edition([paper(n, upvotes=40 - n) for n in range(1, 20)])), "html")
    for votes in (range(1, 20), [50, 20, 30, *[1] * 16], [50, 30, 20, 21, *[1] * 15]):
        of = edition([paper(n, upvotes=its) for n, its in enumerate(votes, 1)])
        assert "Best of the day" in body(message_of(of), "html")


def likely(of: Edition) -> Edition:
    sections = tuple(
        replace(section, entries=tuple(replace(entry, likely=True) for entry in section.entries))
        for section in of.sections
    )
    return replace(of, sections=sections)


@pytest.mark.parametrize(("votes", "said"), [(None, "Likely to be picked"), (0, "Likely to be voted up")])
def test_what_a_forecast_puts_high_says_so_once(votes: int | None, said: str) -> None:
    """What was picked already is likely to be voted up; under a heading that says it, no lead says it again."""
    made = message_of(likely(edition([paper(n, upvotes=votes) for n in range(1, 20)])))
    page = body(made, "html")
    assert page.count(f"{said}</h2>") == 1
    assert page.count(f" &#183; {said}</p>") == 16
    assert page.count("is a forecast from title and abstract") == 1
    text = body(made, "plain")
    assert text.count(said) == 16
    assert text.count(said.upper()) == 1
    assert "is a forecast" in text
    assert "forecast" not in body(message_of(edition([paper(n) for n in range(1, 20)])), "html")


def test_leads_that_nobody_could_vote_on_are_called_likely() -> None:
    of = edition([paper(n, upvotes=None, sources=("arxiv",)) for n in range(1, 20)])
    page = body(message_of(likely(of)), "html")
    assert "Likely to be picked</h2>" in page
    assert "Also voted up" not in page


def test_the_one_thing_worth_saying_is_said_to_who_gets_all_of_its_papers() -> None:
    told = tuple(entry.paper.id for entry in EDITION.sections[0].entries[:3])
    cards = rendered(replace(EDITION, told="Three of today's agent papers are about <swifts>.", told_of=told))
    for of, shown in ((digest(EDITION), True), (only("agents"), True), (only("code"), False)):
        made = assemble.assemble(cards, of, reader())
        assert ("about &lt;swifts&gt;" in body(made, "html")) == shown
        assert ("about <swifts>" in body(made, "plain")) == shown


def test_a_week_is_ten_papers_and_the_titles_of_ten_more() -> None:
    of = edition(papers(40), kind=Kind.WEEKLY)
    made = assemble.assemble(rendered(of), choose(of, Interests()), reader())
    page = tree(body(made, "html"))
    assert len(page.xpath("//h3/a | //h4/a")) == 10
    assert len(page.xpath("//table[@class='u']//a")) == 10
    votes = [int(cell.text.partition("\u00a0")[2]) for cell in page.xpath("//table[@class='u']//td[@class='v']")]
    assert votes == sorted(votes, reverse=True)
    assert len(re.findall(r"^\[\d+\] [^h]", body(made, "plain"), re.MULTILINE)) == 10
    assert str(read(made)["Subject"]).endswith("week to 9 June")


def message_of(of: Edition) -> Message:
    return assemble.assemble(rendered(of), digest(of), reader())
