"""How good forecasts are: figures that were made by hand, and files that people give."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.judging.forecast_report import CheckedForecast, read, report
from flows.outcomes import Problem


def test_the_figures_of_a_small_case_are_those_made_by_hand() -> None:
    found = report(CheckedForecast(score, hit) for score, hit in ((0.9, True), (0.8, False), (0.7, True), (0.1, False)))

    assert found.auc == 0.75
    assert found.average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert (found.papers, found.picked, found.chance, found.days) == (4, 2, 0.5, 1)
    assert found.first == found.first_by_chance == 2


def test_forecasts_that_are_all_alike_are_worth_what_chance_is_worth() -> None:
    found = report(CheckedForecast(0.05, n % 20 == 0, f"day {n % 3}") for n in range(1200))

    assert found.auc == 0.5
    assert found.average_precision == pytest.approx(found.chance) == 0.05
    assert found.first_by_chance == pytest.approx(1.0)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=60))
def test_the_area_under_the_curve_is_the_share_of_pairs_in_the_right_order(pairs: list[tuple[float, bool]]) -> None:
    hits, misses = ([score for score, hit in pairs if hit is wanted] for wanted in (True, False))
    if not (hits and misses):
        with pytest.raises(Problem, match="nothing to compare"):
            report(CheckedForecast(*pair) for pair in pairs)
        return
    right = sum((hit > miss) + (hit == miss) / 2 for hit in hits for miss in misses)
    found = report(CheckedForecast(*pair) for pair in pairs)

    assert math.isclose(found.auc, right / (len(hits) * len(misses)))
    assert 0 < found.average_precision <= 1
    assert sum(one.papers for one in found.bins) == found.papers == len(pairs)
    assert 0 <= found.calibration_error <= 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a JSON object"),
        ('{"title": "A"}', "picked must be true or false"),
        ('{"title": "A", "picked": []}', "picked must be true or false"),
        ('{"title": " ", "picked": true}', "title must be a text"),
        ('{"title": "A", "picked": true, "authors": 7}', "authors must be a list"),
        ('{"title": "A", "picked": true, "abstract": 7}', "abstract must be a text"),
    ],
)
def test_a_bad_line_is_told_with_its_number(line: str, words: str) -> None:
    with pytest.raises(Problem, match=f"Line 2.*{words}"):
        read(['{"title": "A", "picked": false, "comment": null}', line])


def test_an_empty_file_is_told() -> None:
    with pytest.raises(Problem, match="holds no papers"):
        read(["", " "])
