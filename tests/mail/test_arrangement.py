"""What every mail keeps, whatever its reader chose and however long it would be."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.editions import week
from flows.editions.choose import choose
from flows.editions.model import EVERY, FOR_YOU, Edition, Entry, Interests, Kind
from flows.mail.assemble import LIMIT, assemble
from flows.mail.model import Cards
from flows.papers.model import PaperId
from tests.factories import TOPICS, edition, paper, reader
from tests.mail.made import body, rendered, tree

WORDS = ("tulips", "lanterns", "harbours", "swifts")


def made(count: int, **given: Any) -> Edition:
    """Papers whose order of rank is neither that of their votes nor that of their topics; some are shown again, some
    have no votes, and half of them are long, so that a long day has no room for all."""
    listed = [
        paper(
            n,
            title=f"{WORDS[n % 4].capitalize()} in Winter, Part {n}",
            abstract=f"We count {WORDS[n * 3 % 4]} by hand. They are as many as we thought there were.",
            upvotes=None if n % 11 == 0 else n * 37 % 101,
            code=f"https://example.org/{n * 7919:0450d}" if n % 2 else "",
            authors=tuple(f"Author Number{n}{i}" for i in range(n % 6)),
        )
        for n in range(1, count + 1)
    ]
    of = edition(listed, **given)
    sections = tuple(replace(section, entries=tuple(map(_scored, section.entries))) for section in of.sections)
    return replace(of, sections=sections)


def _scored(entry: Entry) -> Entry:
    n = int(entry.paper.id[-5:])
    return replace(entry, score=n * 53 % 211 / 100 + n / 1e6, rose=9 if n % 17 == 0 else 0)


EDITIONS = {
    "day": made(24),
    "long day": made(150),
    "short day": made(5),
    "week": made(40, kind=Kind.WEEKLY),
}
CARDS: dict[tuple[str, str], Cards] = {}


def cards_of(name: str, look: str) -> Cards:
    if (name, look) not in CARDS:
        CARDS[name, look] = rendered(EDITIONS[name], look=look)
    return CARDS[name, look]


def interests() -> st.SearchStrategy[Interests]:
    slugs = st.frozensets(st.sampled_from([topic.slug for topic in TOPICS]), max_size=4)
    sizes = st.none() | st.integers(1, 30)
    follows = st.lists(st.sampled_from([*WORDS, "counts", "Author Number7 0"]), max_size=3, unique=True).map(tuple)
    by_topic = st.builds(Interests, topics=slugs, keywords=follows, size=sizes)
    without = st.builds(Interests, muted=slugs, keywords=follows, size=sizes)
    followed = st.builds(Interests, muted=st.just(frozenset({EVERY})), keywords=follows, size=sizes)
    return by_topic | without | followed


def cards_in(page: Any) -> list[PaperId]:
    return [PaperId(link.get("href").rpartition("/")[2]) for link in page.xpath("//h3/a | //h4/a")]


@pytest.mark.parametrize("look", ["classic", "compact"])
@pytest.mark.parametrize("name", list(EDITIONS))
@settings(max_examples=25, deadline=None)
@given(wants=interests())
def test_the_lead_is_in_every_mail_no_card_twice_and_counts_told_are_counts_held(
    name: str, look: str, wants: Interests
) -> None:
    of, cards = EDITIONS[name], cards_of(name, look)
    digest = choose(of, wants)
    if not digest.size:
        return
    message = assemble(cards, digest, reader())
    page, text = tree(body(message, "html")), " ".join(body(message, "plain").split())
    shown = cards_in(page)
    titles = [PaperId(link.get("href").rpartition("/")[2]) for link in page.xpath("//table[@class='u']//a")]
    assert len(body(message, "html")) <= LIMIT
    assert len(set(shown)) == len(shown)

    rank = {one.paper.id: place for place, one in enumerate(sorted(of.entries, key=lambda one: -one.score))}
    theirs = {entry.paper.id for entry in of.entries if _wanted(entry, wants)}
    followed = digest.parts[0].papers if digest.parts[0].topic == FOR_YOU else ()
    best = min((*theirs, *followed), key=rank.__getitem__)
    if wants.size != 1:
        assert best in shown

    held = {*shown, *titles}
    assert held <= {paper for part in digest.parts for paper in part.papers}
    told = page.xpath("string(//p[@class='d'])")
    assert f"{len(held)} paper{'s' * (len(held) != 1)}" in told.replace("\u00a0", " ")
    missing = digest.size + sum(digest.left.values()) - len(held)
    left = page.xpath("string(//p[@class='i'][contains(., ' here')])")
    assert bool(left) == bool(missing)
    if missing:
        assert f"{len(held)} of {len(held) + missing} here" in left
        assert f"{len(held)} of {len(held) + missing} here" in text
        most = week.SHOWN if of.kind is Kind.WEEKLY else None
        assert ("as you chose" in left) == (wants.size == len(held) != most)
        assert sum(map(int, re.findall(r"(\d+) (?:more )?on ", left))) == missing
    for heading in page.xpath("//h2[span[@class='n']]"):
        below = heading.xpath("following::h3/a | following::h4/a")
        after = heading.xpath("following::h2")
        theirs_below = len(below) - len(after[0].xpath("following::h3/a | following::h4/a") if after else [])
        # what else has no count stands above the groups, or at the end
        assert int(heading.xpath("span")[0].text) == theirs_below
    below = page.xpath("string(//p[@class='i'][contains(., 'Below')])")
    groups = page.xpath("//h2[span[@class='n']][not(contains(., 'For you'))]")
    if below:
        listed = re.findall(r"(\S[^,.:]*?)\u00a0(\d+)[,.]", below.partition("Below:")[2])
        headed = [(h.text.strip(), h.xpath("span")[0].text) for h in groups]
        assert [(name.strip(), count) for name, count in listed] == headed


def _wanted(entry: Entry, wants: Interests) -> bool:
    if wants.topics:
        return entry.topic in wants.topics
    return EVERY not in wants.muted and entry.topic not in wants.muted


def test_a_reader_who_follows_half_of_a_long_day_gets_the_best_three_of_the_others_too() -> None:
    of = EDITIONS["long day"]
    digest = choose(of, Interests(keywords=("harbours", "swifts", "lanterns")))
    followed, others = digest.parts[0].papers, [paper for part in digest.parts[1:] for paper in part.papers]
    page = tree(body(assemble(cards_of("long day", "classic"), digest, reader()), "html"))
    shown = cards_in(page)
    assert len(shown) < len(followed) + len(others)
    score = {entry.paper.id: entry.score for entry in of.entries if not entry.rose}
    best = sorted((paper for paper in others if paper in score), key=lambda paper: -score[paper])[:3]
    assert [paper for paper in shown if paper not in followed][:3] == best
