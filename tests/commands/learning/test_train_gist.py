"""The training of gists: learnt from summaries, always the same, judged on days that it has not seen."""

from __future__ import annotations

import pytest

from flows.commands.learning.train_gist import judge, train
from flows.editions.abstracts.gist_model import unpacked
from flows.editions.gist import choose
from flows.editions.judging.gist_evaluate import Summarised
from flows.outcomes import Problem

HOW = "We study how shepherds {} listen to bells."


def lessons() -> list[Summarised]:
    """Twenty days on which a summary says what rings, never who listens."""
    return [
        Summarised(
            id=f"{day}.{n}",
            title=f"Bell {n}",
            abstract=f"We present bell {n} that rings loudly on hills and farms. {HOW.format(n)}",
            reference=f"Bell {n} rings loudly on hills and farms.",
            day=f"day {day}",
        )
        for day in range(20)
        for n in range(3)
    ]


def test_the_training_learns_what_summaries_say() -> None:
    model = unpacked(train(lessons()))

    assert choose(
        "Bell 7",
        "We present bell 7 that rings loudly on hills and farms. We study how shepherds 7 listen to bells.",
        model,
    ).startswith("We present bell 7")


def test_the_training_gives_the_same_bytes_twice() -> None:
    assert train(lessons()) == train(lessons())


def test_every_paper_is_judged_by_a_model_that_did_not_see_its_day() -> None:
    report, answers = judge(lessons(), 4)

    assert report.papers == 60 == len({paper.id for paper, _ in answers})
    assert report.rouge1.value > 0.5


def test_without_papers_nothing_is_learnt() -> None:
    with pytest.raises(Problem, match="Too few papers"):
        train([])
