from __future__ import annotations

from flows.editions.concerns import concerns
from tests import factories

LIMIT = 100_000


def of(papers: int = 20, **given: object) -> tuple[str, ...]:
    usual: dict[str, object] = {"usual": [20, 22, 18, 20], "size": 50_000, "limit": LIMIT, "without_gist": 0}
    edition = factories.edition(factories.papers(papers), missing=given.pop("missing", ()))
    return concerns(edition, **(usual | given))  # type: ignore[arg-type]


def test_an_edition_as_usual_worries_nobody() -> None:
    assert of() == of(12) == of(3, usual=[30, 30]) == ()


def test_far_fewer_papers_than_usual_are_told() -> None:
    assert of(11) == ("It has 11 papers, 45 % fewer than is usual (20).",)


def test_a_missing_source_the_clip_and_missing_gists_are_told() -> None:
    assert of(missing=("arXiv could not be reached.",)) == ("arXiv could not be reached.",)
    assert "near the 100 of a mail" in of(size=91_000)[0]
    assert "who takes every topic gets the best of it" in of(size=130_000)[0]
    assert of(without_gist=5) == ("5 of 20 papers have no sentence that says what they did.",)
