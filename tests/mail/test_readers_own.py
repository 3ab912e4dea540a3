"""What is one reader's own in their mail: the links that act, what they follow, and nothing of it on the web."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.choose import choose
from flows.editions.model import EVERY, FOR_YOU, Interests
from flows.mail.assemble import assemble, page, plain
from flows.mail.model import Message
from flows.sending import dkim
from tests import factories
from tests.mail.made import body, read, rendered, tree

EDITION = factories.edition(factories.papers(10))
CARDS = rendered(EDITION)
READER = factories.reader()
SITE = "https://papers.example.org"


def message(interests: Interests) -> Message:
    return assemble(CARDS, choose(EDITION, interests), READER)


@pytest.mark.parametrize("kind", ["html", "plain"])
def test_every_link_that_acts_bears_the_readers_token(kind: str) -> None:
    shown = body(message(Interests()), kind)
    act = f"{SITE}/act/{READER.manage}"
    for path in ("tune/daily/2026-06-09", "pause", "weekly"):
        assert f"{act}/{path}" in shown
    assert f"{SITE}/manage/{READER.manage}" in shown
    assert f"{SITE}/unsubscribe/{READER.unsubscribe}" in shown


def test_the_web_shows_no_link_that_acts() -> None:
    everything = choose(EDITION, Interests(keywords=("telescope",)))
    for shown in (page(CARDS, everything), plain(CARDS, everything)):
        assert "/act/" not in shown
        assert "/manage/" not in shown
        assert "/unsubscribe/" not in shown


def test_what_a_reader_follows_comes_first_once_and_says_why() -> None:
    interests = Interests(keywords=("slow telescopes",), authors=("A. Brook",), topics=frozenset({"video"}))
    digest = choose(EDITION, interests)
    assert digest.parts[0].topic == FOR_YOU
    listed = [paper for part in digest.parts for paper in part.papers]
    assert len(listed) == len(set(listed)) == 10  # Ada Brook wrote all of them
    text = body(message(Interests(keywords=("slow telescopes",))), "plain")
    assert text.index("FOR YOU") < text.index("] Postcards from a Slow Telescope") < text.index("AGENTS & CODE (")
    assert "slow telescopes" in text
    assert text.count("] Postcards from a Slow Telescope, Part 4") == 1


def test_muted_topics_stay_away_but_for_what_is_followed() -> None:
    muted = choose(EDITION, Interests(muted=frozenset({"video", "audio"})))
    assert {part.topic for part in muted.parts} == {"agents", "code", "astronomy"}
    nothing_else = choose(EDITION, Interests(muted=frozenset({EVERY}), keywords=("microphone",)))
    assert [part.topic for part in nothing_else.parts] == [FOR_YOU]
    nothing = choose(EDITION, Interests(muted=frozenset({EVERY}), keywords=("zeppelin",)))
    assert (nothing.parts, nothing.reason) == ((), "nothing that the reader follows")


def test_what_a_reader_has_got_already_does_not_come_again() -> None:
    first = [entry.paper.id for entry in EDITION.entries][:4]
    left = choose(EDITION, Interests(keywords=("telescope",)), without=first)
    assert not set(first) & {paper for part in left.parts for paper in part.papers}
    none = choose(EDITION, Interests(), without=[entry.paper.id for entry in EDITION.entries])
    assert (none.parts, none.reason) == ((), "the reader has got all of it already")


def test_a_size_takes_what_is_followed_before_what_is_ranked_best() -> None:
    digest = choose(EDITION, Interests(keywords=("telescope",), size=2))
    assert digest.size == 2
    assert digest.parts[0].topic == FOR_YOU


@given(st.text("<>&\"'=%.\r\n\t\0 \u202e\ud83d\U0001f600", max_size=40))
def test_a_keyword_can_break_no_mail(hostile: str) -> None:
    """What is not a word is nothing to look for, so that each of these matches and is shown as its reader wrote it."""
    made = message(Interests(keywords=(f"telescope{hostile}", f"<script>{hostile} telescope")))
    assert all(len(line) <= 998 for line in made.content.split(b"\r\n"))
    assert not re.search(rb"[^\r]\n|\r[^\n]|\r\n\.", made.content)
    _, _, bodies = made.content.partition(b"\r\n\r\n")
    assert dkim.digest(bodies, relaxed=made.relaxed) == dkim.digest(bodies)
    shown = tree(body(made, "html"))
    assert not shown.xpath("//script")
    assert "telescope" in shown.text_content()


def test_where_a_mailbox_is_read_it_takes_unsubscriptions_too() -> None:
    with_mailbox = rendered(EDITION, site={"unsubscribe_mailbox": "bounces@example.org"})
    offered = str(read(assemble(with_mailbox, choose(EDITION, Interests()), READER))["List-Unsubscribe"])
    https, mailto = offered.split(", ")
    assert https == f"<{SITE}/unsubscribe/{READER.unsubscribe}>"
    assert mailto == f"<mailto:bounces@example.org?subject=unsubscribe%20{READER.unsubscribe}>"
