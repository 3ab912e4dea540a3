"""What an edition says of itself: its size, its lead, and why there is none."""

from __future__ import annotations

from dataclasses import replace

from flows.editions.model import Kind, NoEdition
from tests.factories import DAY, digest, edition, papers


def test_an_edition_and_a_digest_count_their_papers() -> None:
    made = edition(papers(7))
    assert (made.size, digest(made).size, len(list(made.entries))) == (7, 7, 7)


def test_an_edition_is_named_by_its_best_paper_of_any_topic() -> None:
    listed = papers(7)
    made = edition(listed)
    assert made.lead == listed[0]
    assert replace(made, best=(listed[4].id, listed[0].id)).lead == listed[4]
    assert replace(made, sections=()).lead is None


def test_everybody_is_told_the_reason_that_is_for_them() -> None:
    none = NoEdition(newsletter="daily", kind=Kind.DAILY, day=DAY, reason="PAPERROUND_X is wrong.")
    assert none.public == "PAPERROUND_X is wrong."
    assert replace(none, told="A source was away.").public == "A source was away."
