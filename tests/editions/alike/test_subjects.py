"""What several papers of a topic are about has the name of one term; where there is a doubt it has none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.alike.stories import stories, told
from flows.editions.alike.subjects import AMONG, COMPARED, subjects
from flows.editions.model import Edition, Entry, Story
from flows.papers.model import Paper
from tests import factories
from tests.editions.alike.test_stories import OTHERS as OTHER_TEXTS
from tests.editions.alike.test_stories import TIDES
from tests.factories import edition, papers

BIRDS = replace(
    factories.topic("audio"), terms={"nest": 2.0, "swift": 2.0, "song": 4.0, "gps": 2.0, "what": 2.0, "benchmark": 2.0}
)
OTHERS = ("Bridges", "Hedges", "Maps", "Lamps", "Postcards", "Rivets", "Compilers", "Tides")


def listed(*titles: str, first: int = 1) -> list[Paper]:
    """Papers whose abstracts say what their titles say."""
    return [factories.paper(n, title=title, abstract=f"We look at {title}.") for n, title in enumerate(titles, first)]


def names(*titles: str, lately: list[Paper] | None = None) -> list[str]:
    return [story.phrase for story in subjects(listed(*titles), lately or [], BIRDS)]


NESTS = ("A Year of Nests", "The Warm Nest: a Survey", "Nests without Birds")


def test_what_several_titles_and_abstracts_are_about_is_a_story_under_their_word_for_it() -> None:
    (story,) = subjects(listed(OTHERS[0], *NESTS, *OTHERS[1:4]), [], BIRDS)
    assert story == Story(phrase="Nests", papers=tuple(one.id for one in listed(OTHERS[0], *NESTS)[1:]))


def test_too_few_papers_are_no_story() -> None:
    assert names(*NESTS, *OTHERS[: AMONG - 4]) == []
    assert names(*NESTS[:2], *OTHERS) == []
    assert names(*NESTS, *OTHERS, *(f"{title} Again" for title in OTHERS)) == []  # three of nineteen


def test_what_the_topic_was_always_about_is_no_story() -> None:
    usual = listed(*NESTS, *OTHERS, first=100)
    assert names(*NESTS, *OTHERS, lately=usual) == []
    assert names(*NESTS, *OTHERS, lately=listed(*OTHERS, first=100)) == ["Nests"]
    assert names(*NESTS, *OTHERS, lately=usual + COMPARED * listed("Rain", first=200)) == ["Nests"]
    assert names(*NESTS, *OTHERS, lately=COMPARED * listed("Rain", first=200) + 99 * usual) == ["Nests"]


def test_a_word_that_only_describes_others_is_none_but_an_acronym_is() -> None:
    assert names("Nest Cameras", "Nest Boxes", "A Nest Builder", *OTHERS[:4]) == []
    assert names("GPS Trackers", "GPS-Guided Kites", "A GPS Error", *OTHERS[:4]) == ["GPS"]


@pytest.mark.parametrize("term", ["benchmark", "what", "swift"])
def test_a_kind_of_paper_a_filler_and_a_word_of_the_topics_name_name_nothing(term: str) -> None:
    birds = replace(BIRDS, name="Swifts & co")
    assert subjects(listed(*(f"{title} and its {term}" for title in OTHERS)), [], birds, {"what"}) == []


def test_a_title_alone_does_not_make_a_paper_about_something() -> None:
    silent = [replace(paper, abstract="Of other things.") for paper in listed(*NESTS)]
    assert subjects([*silent, *listed(*OTHERS, first=10)], [], BIRDS) == []


def test_no_paper_is_in_two_and_the_larger_story_stays() -> None:
    both = ("Songs of the Nest", "A Nest of Songs", "Nests and Songs", "Song, Heard")
    assert names(*both, *OTHERS[:4]) == ["Songs"]


def test_a_term_that_has_all_papers_of_a_phrase_and_others_is_the_name() -> None:
    pools = replace(BIRDS, terms={"pool": 4.0})
    rain = ("Pools of Rain", "Pools of rain dry within a day.")
    found = []
    for texts in ([*TIDES, *OTHER_TEXTS[:5]], [*TIDES, rain, *OTHER_TEXTS[:5]]):
        ours = [factories.paper(n, title=title, abstract=text) for n, (title, text) in enumerate(texts)]
        (story,) = stories({"audio": [Entry(paper=one, topic="audio") for one in ours]}, [pools], {})["audio"]
        found.append((story.phrase, len(story.papers)))
    assert found == [("Tidal Pools", 3), ("Pools", 4)]


def titled(of: Edition, *stories: Story) -> Edition:
    return replace(of, sections=(replace(of.sections[0], stories=stories),))


def test_an_edition_tells_of_its_largest_story_if_it_stands_out() -> None:
    of, longer = (edition(papers(count), factories.TOPICS[:1]) for count in (15, 16))
    ids = [entry.paper.id for entry in of.entries]
    few, many = Story(phrase="GUI Agents", papers=tuple(ids[:3])), Story(phrase="Songs", papers=tuple(ids[4:9]))
    assert told(titled(of, few, many).sections) == ("Five of today’s 15 papers on agents are about songs", many.papers)
    assert told(titled(of, few).sections) == ("Three of today’s 15 papers on agents are about GUI agents", few.papers)
    assert told(titled(longer, few).sections) == told(of.sections) == ("", ())


@given(st.lists(st.text(alphabet="nest songGPS:,-'&(ß", max_size=40), max_size=12), st.integers(0, 5))
def test_any_titles_can_be_looked_through(titles: list[str], old: int) -> None:
    today = listed(*titles)
    found = subjects(today, today[:old], BIRDS)
    inside = [identity for story in found for identity in story.papers]
    assert len(inside) == len(set(inside))
    assert all(len(story.papers) >= 3 and story.phrase for story in found)
