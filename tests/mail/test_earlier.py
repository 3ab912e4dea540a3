"""Cards that an earlier version packed are read, delivered and shown."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

from flows.editions.choose import choose
from flows.editions.model import FOR_YOU, Interests
from flows.mail import assemble, cards
from flows.mail.model import COUNT_ROOM
from flows.papers.model import PaperId
from tests import factories
from tests.factories import digest, edition
from tests.mail.made import body, read, rendered, tree

EARLIER = Path(__file__).parent / "format4.cards"
"""What a version before packed of `edition()`: quoted-printable, a heading for each topic."""


def test_cards_of_an_earlier_format_are_still_read() -> None:
    held = json.loads(zlib.decompress(EARLIER.read_bytes()))
    topics = {key: [group, *line, block] for key, (group, *line, block, _, _) in held["topics"].items()}
    older = {key: value for key, value in held.items() if key not in ("best", "around_best", "contents")}
    second = zlib.compress(json.dumps({**older, "format": 2, "topics": topics}).encode())
    for packed in (EARLIER.read_bytes(), second):
        made = cards.unpack(packed)
        message = assemble.assemble(made, digest(edition()), factories.reader())
        page = body(message, "html")
        assert all(f'href="{entry.paper.url}"' in page for entry in edition().entries)
        assert "/mute/agents" in page
        assert factories.reader().manage in page
        assert [h.text for h in tree(page).iter("h2")] == ["Agents", "Code", "Video", "Audio", "Astronomy"]
        assert page.count("<table") == page.count("</table>")
        assert str(read(message)["Subject"]).endswith("· 9 June")
        assert "1. \r\n" not in body(message, "plain")
        for_you = choose(edition(), Interests(keywords=("swifts",)))
        assert "Matches" in body(assemble.assemble(made, for_you, factories.reader()), "html")
        assert "/mute/" not in assemble.page(made, digest(edition()))


def test_cards_of_the_first_format_have_what_their_readers_follow_below_the_plainest_heading() -> None:
    held = json.loads(zlib.decompress(EARLIER.read_bytes()))
    topics = {slug: its[:5] for slug, its in held["topics"].items() if slug != FOR_YOU}
    for block in (*held["groups"].values(), *(its[-1] for its in topics.values()), *held["papers"].values()):
        # it had no links with a reader's token
        block.update({form: "x".join(block[form]) for form in ("html", "text")})
    for card in held["papers"].values():
        del card["topic"]
    lacking = ("mailbox", "why", "contents", "best", "around_best")
    first = {key: value for key, value in held.items() if key not in lacking}
    made = cards.unpack(zlib.compress(json.dumps(first | {"format": 1, "topics": topics}).encode()))
    for_you = choose(edition(), Interests(keywords=("swifts",)))
    message = assemble.assemble(made, for_you, factories.reader())
    page, text = body(message, "html"), body(message, "plain")
    assert [h.text for h in tree(page).iter("h2")] == ["For you", "Agents", "Code", "Video", "Audio", "Astronomy"]
    assert "Matches" in page
    assert "Matches “swifts”" in text
    assert all(entry.paper.url in page for entry in edition().entries)
    assert not made.relaxed
    assert made.for_you.size == 20 + COUNT_ROOM  # as it said itself, and what a count may take
    assert made.papers[PaperId("2606.00001")].teaser == b"A Lighthouse That Reads Its Own Log, Part 1"


def test_a_long_edition_of_an_earlier_format_is_never_clipped() -> None:
    held = json.loads(zlib.decompress(EARLIER.read_bytes()))
    for card in held["papers"].values():
        card.update(html=[piece.replace("</h3>", "</h3>" + "x=\r\n" * 20_000) for piece in card["html"]], size=60_000)
    made = cards.unpack(zlib.compress(json.dumps(held).encode()))
    assert len(body(assemble.assemble(made, digest(edition()), factories.reader()), "html")) < assemble.LIMIT


def test_only_cards_that_are_in_the_form_that_is_signed_are_known_to_be() -> None:
    held = json.loads(zlib.decompress(EARLIER.read_bytes()))
    third = zlib.compress(json.dumps({**held, "format": 3}).encode())
    assert cards.unpack(EARLIER.read_bytes()).relaxed
    assert cards.unpack(cards.pack(rendered(edition()))).relaxed
    assert not cards.unpack(third).relaxed
