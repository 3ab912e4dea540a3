"""The training of forecasts: learnt from what was picked, always the same, judged on days that it has not seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.commands.learning.train_forecast import ForecastLesson, Judged, announced, calibration, judge, picked, train
from flows.editions.forecast import probability, unpacked
from flows.editions.judging.forecast_report import report
from flows.outcomes import Problem


def lessons(days: int = 10) -> list[ForecastLesson]:
    """Papers on bees are picked, those on sheep are announced."""
    bees, sheep = "Nectar and hive: a swarm of bees dances in summer.", "A flock of sheep is shorn for wool in spring."
    return [
        ForecastLesson(f"{text[:3]}-{day}-{n}", f"Counting, part {n}", text, 2 + n, f"2026-06-{day:02}", text is bees)
        for day in range(1, days + 1)
        for text in (bees, sheep)
        for n in range(3)
    ]


def test_training_twice_gives_the_same_bytes_and_learns() -> None:
    data = train(lessons())
    model = unpacked(data)

    assert data == train(lessons())
    assert model.logit("Bees", "Nectar, hive and swarm.", 3) > model.logit("Sheep", "Wool and flock.", 3)


def test_without_both_kinds_there_is_nothing_to_learn() -> None:
    for few in ([], [each for each in lessons() if each.picked], [each for each in lessons() if not each.picked]):
        with pytest.raises(Problem, match="nothing to learn"):
            train(few)
    with pytest.raises(Problem, match="no word stands in"):
        train(lessons(1)[2:4])


def test_a_day_is_judged_by_models_that_have_not_seen_it_with_one_picked_paper_for_nineteen() -> None:
    judged = judge(lessons())
    answers = list(judged.answers())

    assert {lesson.id for lesson, _ in judged.scores} == {lesson.id for lesson in lessons()}
    assert report(answers).auc == 1.0
    for day in {answer.day for answer in answers}:
        assert [answer.picked for answer in answers if answer.day == day] == [False] * 3 + [True]


def test_scores_are_calibrated_so_that_one_announced_paper_in_twenty_is_expected() -> None:
    low, high = [n / 100 - 4 for n in range(95)], [n / 5 for n in range(5)]
    slope, shift = calibration(high, low + high)

    likely = [probability(slope * score + shift) for score in low + high]
    assert sum(likely) / len(likely) == pytest.approx(0.05, abs=0.001)
    assert likely[-1] > 0.5
    assert likely[0] < 0.01


def test_a_paper_that_was_picked_is_not_counted_among_the_announced(tmp_path: Path) -> None:
    (tmp_path / "2026-06-09.json").write_text(
        json.dumps([{"paper": {"id": name, "title": "Bees"}} for name in ("2606.00001", "2606.00002", "2606.00001")])
    )
    line = {"title": "Sheep", "summary": "Wool\n and pasture.", "authors": ["A", "B"], "comment": None}
    (tmp_path / "2026-06-08.jsonl").write_text(
        "\n".join(json.dumps({"id": name, **line}) for name in ("2606.00001", "2606.00003", "2606.00003"))
    )
    ours = list(picked([tmp_path / "2026-06-09.json"], {"2606.00001"}))
    others = list(announced([tmp_path / "2026-06-08.jsonl"], {"2606.00001"}))

    assert [(each.id, each.day) for each in ours] == [("2606.00001", "2026-06-09")]
    assert others == [ForecastLesson("2606.00003", "Sheep", "Wool and pasture.", 2, "2026-06-08", picked=False)]


def test_a_day_without_enough_picked_papers_has_those_that_there_are() -> None:
    lesson = lessons()[0]
    other = ForecastLesson("other", "Sheep", "Wool", 1, lesson.day, picked=False)
    answers = list(Judged(((lesson, 1.0), (other, -1.0)), 1.0, 0.0).answers())

    assert [(answer.picked, round(answer.forecast, 3)) for answer in answers] == [(False, 0.269), (True, 0.731)]
