"""What an operator decides, applied to an edition."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flows.editions.decisions import Decisions, decided, decisions, unknown
from flows.editions.model import Edition, NoEdition
from flows.outcomes import Problem
from flows.papers.model import PaperId
from tests import factories


def made(**given: object) -> Edition:
    """The edition after these decisions; there is one."""
    found = decided(whole(), decisions(**given))  # type: ignore[arg-type]
    assert isinstance(found, Edition)
    return found


def whole() -> Edition:
    told = (PaperId("2606.00001"), PaperId("2606.00006"))
    return replace(
        factories.eventful(factories.edition(factories.papers(20))), told="Two are on islands.", told_of=told
    )


def ids(edition: Edition) -> list[str]:
    return [entry.paper.id for entry in edition.entries]


def test_no_decision_changes_nothing() -> None:
    assert decided(whole(), Decisions()) == whole()


def test_a_dropped_paper_stands_nowhere_any_more() -> None:
    first = whole()
    gone = first.sections[0].stories[0].papers[0]
    after = made(drop=[gone, first.best[0]])
    assert set(ids(first)) - set(ids(after)) == {gone, first.best[0]}
    assert gone not in repr(after)
    assert first.best[0] not in repr(after)
    # of a story of three two are left; a sentence that counts papers would be wrong now
    assert len(after.sections[0].stories[0].papers) == 2
    assert (after.told, after.told_of) == ("", ())


def test_a_topic_without_papers_is_gone_and_an_edition_without_topics_is_none() -> None:
    mine = [entry.paper.id for entry in whole().sections[0].entries]
    assert made(drop=mine).sections == whole().sections[1:]
    found = decided(whole(), decisions(drop=ids(whole())))
    assert isinstance(found, NoEdition)
    assert "dropped by the operator" in found.reason


@pytest.mark.parametrize("number", [0, 7, 19])
def test_the_lead_is_the_best_of_all_and_first_of_its_topic(number: int) -> None:
    chosen = ids(whole())[number]
    after = made(lead=chosen)
    assert sorted(ids(after)) == sorted(ids(whole()))
    best = max(after.entries, key=lambda entry: entry.score)
    assert (best.paper.id, best.rose) == (chosen, 0)
    (section,) = [one for one in after.sections if chosen in [entry.paper.id for entry in one.entries]]
    assert section.entries[0].paper.id == chosen
    assert after.best[0] == chosen
    for story in section.stories:
        # a story's papers still stand together
        places = [n for n, entry in enumerate(section.entries) if entry.paper.id in story.papers]
        assert places == list(range(places[0], places[0] + len(places)))


def test_what_the_edition_does_not_hold_is_passed_over_and_named() -> None:
    wanted = decisions(drop=["2606.99999"], lead="2606.88888")
    assert decided(whole(), wanted) == whole()
    assert unknown(whole(), wanted) == ("2606.99999", "2606.88888")


def test_the_same_decisions_twice_make_the_same_edition() -> None:
    wanted = decisions("A subject", "A note", [ids(whole())[3]], ids(whole())[9])
    once = decided(whole(), wanted)
    assert isinstance(once, Edition)
    assert decided(once, wanted) == replace(once, sections=decided(once, wanted).sections)  # type: ignore[union-attr]
    assert (once.subject, once.note) == ("A subject", "A note")


def test_identifiers_are_read_as_people_write_them() -> None:
    read = decisions(drop=["arXiv:2606.00001v2", " 2606.00002: Some Title: With More", ""], lead="")
    assert read.dropped == ("2606.00001", "2606.00002")
    assert read.lead is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"drop": ["the first one"]}, "drop: 'the first one' names no paper: write its identifier, such as 2606.10651"),
        ({"lead": "x"}, "lead: 'x' names no paper"),
        ({"lead": "2606.00001", "drop": ["2606.00001"]}, "can't lead the edition and be dropped"),
        ({"subject": "x" * 151}, "The subject has 151 characters: 150 at most"),
        ({"note": "x" * 2001}, "The note has 2,001 characters: 2,000 at most"),
    ],
)
def test_what_can_not_be_meant_is_refused_in_words(given: dict[str, object], words: str) -> None:
    with pytest.raises(Problem, match=words.replace("(", r"\(")):
        decisions(**given)  # type: ignore[arg-type]
