"""The training of topics: always the same, judged on papers that it has not seen."""

from __future__ import annotations

import dataclasses

import pytest

from flows.commands.learning.train_topics import judge, lessons, train
from flows.editions.judging.evaluate import Example
from flows.editions.linear import unpacked
from flows.editions.model import OTHER
from flows.editions.words import word_counts
from flows.outcomes import Problem
from flows.papers.model import PaperId
from tests.editions.test_linear import BEES, SHEEP, paper


def examples() -> list[Example]:
    return [
        Example(paper(f"{title} {n}", abstract), label)
        for n in range(6)
        for (title, abstract), label in ((SHEEP, "health"), (BEES, "physics"))
    ]


def test_training_twice_gives_the_same_bytes_and_learns() -> None:
    data = train(lessons(examples()))
    model = unpacked(data)

    assert data == train(lessons(examples()))
    assert model.topics == ("health", "physics")
    health, physics = model.logits(model.values(word_counts(paper(*SHEEP))))
    assert health > physics


def test_a_fold_is_judged_by_a_model_that_has_not_seen_it() -> None:
    both, few = judge(lessons(examples()), [examples(), examples()[:4]], folds=6)

    assert both.papers == 12
    assert few.papers == 4
    with pytest.raises(Problem, match="left to train with"):
        judge(lessons(examples()), [examples()], folds=1)
    twins = [Example(dataclasses.replace(paper(*SHEEP), id=PaperId(name)), "health") for name in ("one", "two")]
    with pytest.raises(Problem, match="left to train with"):
        judge(lessons(twins), [twins], folds=2)


def test_what_has_no_topic_teaches_nothing() -> None:
    assert not lessons([Example(paper(*SHEEP), OTHER)])
