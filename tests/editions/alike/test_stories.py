"""Papers of a busy topic on one thing are grouped under a phrase of theirs; where there is a doubt they are not."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from flows.editions.alike.stories import BUSY, stories, together
from flows.editions.model import Entry, Story
from tests.factories import TOPICS, paper

TIDES = [
    ("Tidal Pools of Granite, Surveyed", "Tidal pools keep warm water. We map tidal pools along a granite coast."),
    ("Who Lives in Tidal Pools?", "Crabs and snails share tidal pools. We count them when the water is warm."),
    ("A Year of Tidal Pools", "For a year we watch tidal pools of one coast: crabs, snails, warm and cold water."),
]
OTHERS = [
    ("Gardeners for Hedges", "Hedges are cut by many small machines that agree on one shape before they begin."),
    ("A Lighthouse Log", "The log of a lighthouse is read aloud at night, and its keeper corrects the spelling."),
    ("Swifts, Counted", "One microphone hears every swift that passes over a roof between June and August."),
    ("Folding a Map", "A large map can be folded in one motion, provided that its creases were planned."),
    ("Postcards", "Slow telescopes send postcards, each of which takes a fortnight to be developed."),
    ("Bridges", "A bridge remembers its loads in the colour of its rivets, which anybody can read."),
    ("Quiet Compilers", "Compilers that say nothing are trusted less, though they are wrong as often as others."),
]


def entries(*told: tuple[str, str], topic: str = "agents", **given: object) -> list[Entry]:
    papers = [paper(n, title=title, abstract=text, **given) for n, (title, text) in enumerate(told, start=1)]
    return [Entry(paper=one, topic=topic, score=float(len(papers) - n)) for n, one in enumerate(papers)]


def found(listed: Sequence[Entry], **others: Sequence[Entry]) -> tuple[Story, ...]:
    ordered: Mapping[str, Sequence[Entry]] = {"agents": listed, **others}
    return stories(ordered, TOPICS, {}).get("agents", ())


def mixed() -> list[Entry]:
    """The third, sixth and last of ten papers are about one thing."""
    return entries(*OTHERS[:2], TIDES[0], *OTHERS[2:4], TIDES[1], *OTHERS[4:], TIDES[2])


def test_papers_on_one_thing_are_a_story_under_a_phrase_as_they_write_it() -> None:
    listed = mixed()
    (story,) = found(listed)
    assert story.phrase == "Tidal Pools"
    assert [int(identity[-5:]) for identity in story.papers] == [3, 6, 10]


def test_those_of_a_story_stand_together_where_its_best_one_stood() -> None:
    listed = mixed()
    shown = [int(entry.paper.id[-5:]) for entry in together(listed, found(listed))]
    assert shown == [1, 2, 3, 6, 10, 4, 5, 7, 8, 9]


def test_a_topic_with_few_papers_has_no_stories() -> None:
    listed = entries(*TIDES, *OTHERS[: BUSY - len(TIDES)])
    assert len(found(listed)) == 1
    assert found(listed[:-1]) == ()


def test_two_papers_are_no_story() -> None:
    assert found(entries(*TIDES[:2], *OTHERS)) == ()


def test_papers_that_share_no_phrase_are_no_story() -> None:
    """They are alike word for word, but nothing that a reader would understand is in a title of theirs."""
    listed = entries(*(("", text.replace("tidal pools", "water")) for _, text in TIDES), *OTHERS)
    assert found([replace(entry, paper=replace(entry.paper, title="Untitled")) for entry in listed]) == ()


def test_what_the_whole_topic_is_about_is_no_story() -> None:
    listed = entries(*TIDES, *((f"{title} and Tidal Pools", text) for title, text in OTHERS))
    assert [story.phrase for story in found(listed)] == []


def test_the_name_of_a_topic_names_no_story() -> None:
    renamed = [
        (title.replace("Tidal Pools", "Video Agents"), text.replace("tidal pools", "video agents"))
        for title, text in TIDES
    ]
    assert found(entries(*renamed, *OTHERS)) == ()


def test_a_phrase_with_markup_or_without_end_names_no_story() -> None:
    for hostile in ("<b>Tidal</b> Pools", "$Tidal$ Pools", "Tidal" + "a" * 80 + " Pools"):
        swapped = [(title.replace("Tidal Pools", hostile), text) for title, text in TIDES]
        assert all(story.phrase.replace(" ", "").isalpha() for story in found(entries(*swapped, *OTHERS)))
        assert all(len(story.phrase) <= 60 for story in found(entries(*swapped, *OTHERS)))


def test_keywords_may_name_a_story() -> None:
    untitled = [("Untitled", text) for _, text in TIDES]
    assert found(entries(*untitled, *OTHERS)) == ()
    (story,) = found(entries(*untitled, *OTHERS, keywords=("tidal pools",))[:3] + entries(*untitled, *OTHERS)[3:])
    assert story.phrase == "Tidal pools"


@given(st.randoms(use_true_random=False))
def test_only_the_papers_matter_and_their_rank(shuffled: random.Random) -> None:
    listed, expected = mixed(), found(mixed())
    shuffled.shuffle(listed)
    (story,) = found(listed)
    assert set(story.papers) == set(expected[0].papers)
    assert story.papers == tuple(e.paper.id for e in listed if e.paper.id in expected[0].papers)
    shown = together(listed, [story])
    assert sorted(entry.paper.id for entry in shown) == sorted(entry.paper.id for entry in listed)


@given(
    st.lists(st.lists(st.sampled_from(["tidal pools", "lamp", "Deep Fern", "map", "swift"]), max_size=8), max_size=30)
)
def test_any_texts_can_be_looked_through(said: list[list[str]]) -> None:
    listed = entries(*((" ".join(words[:3]) or "Untitled", " ".join(words)) for words in said))
    told = found(listed)
    inside = [identity for story in told for identity in story.papers]
    assert len(inside) == len(set(inside))
    assert all(len(story.papers) >= 3 and story.phrase for story in told)
    assert len(together(listed, told)) == len(listed)
