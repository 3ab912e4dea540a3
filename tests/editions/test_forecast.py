"""The forecast: a likelihood whatever it is given, learnt from words and numbers, and honest about how good it is."""

from __future__ import annotations

import json
import math
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.commands.learning import forecast_judge
from flows.commands.learning.train_forecast import Judged, Lesson, announced, calibration, judge, picked, train
from flows.editions.forecast import TRAITS, forecast, packaged, packed, probability, terms, traits, unpacked
from flows.editions.judging.forecast_report import Answer, read, report
from flows.outcomes import Problem

AGENT = (
    "ClickBench: Can Agents Use Any Computer?",
    "We introduce an open benchmark of long-horizon tasks for multimodal agents. Reinforcement learning lifts the "
    "success rate of a vision-language model. Code is at https://github.com/example/click.",
)
ENTROPY = (
    "On the entropy of a binary channel with memory",
    "Bounds on the capacity of a channel are derived, and a prototype for clinical signals is discussed.",
)
TEXT = st.text(max_size=300) | st.sampled_from(["$" * 300, "\\" * 99, "a_{" * 99, "http://" * 50, ":" * 400, "\ud800"])


@given(TEXT, TEXT, st.lists(TEXT, max_size=5), TEXT)
def test_a_forecast_is_a_likelihood_and_always_the_same(
    title: str, abstract: str, authors: list[str], comment: str
) -> None:
    likely = forecast(title, abstract, authors, comment)

    assert 0 <= likely <= 1
    assert likely == forecast(title, abstract, authors, comment)


@pytest.mark.parametrize(
    "piece", ["$", "$x$ ", "word ", "http://a.b/", "github.com/", ": ", "\\frac{", "é", "\n", "aa_"]
)
def test_a_text_without_end_is_read_to_a_limit(piece: str) -> None:
    assert 0 <= forecast(piece * 300_000, piece * 300_000, [piece] * 10_000, piece * 300_000) <= 1


def test_what_people_pick_is_likelier_than_what_they_pass_over() -> None:
    assert forecast(*AGENT, ["A"] * 12) > 0.2
    assert forecast(*ENTROPY, ["A"]) < 0.02


def test_names_of_authors_say_nothing_but_their_number_does() -> None:
    assert forecast(*AGENT, ["Ann", "Ben"]) == forecast(*AGENT, ["Cy", "Di"]) != forecast(*AGENT, ["Cy"] * 20)


def test_a_link_counts_in_the_comment_as_in_the_abstract_and_once() -> None:
    title, abstract = ENTROPY
    link = "Code: https://github.com/example/channel"
    without, commented = forecast(title, abstract, ["A"]), forecast(title, abstract, ["A"], link)

    assert commented > without
    assert forecast(title, abstract, ["A"], "12 pages, 3 figures") == without
    assert forecast(title, f"{abstract} {link}", ["A"], link) == forecast(title, f"{abstract} {link}", ["A"])


@given(st.lists(st.sampled_from([" ", "\n", "\t", "  ", "\n  "]), min_size=1, max_size=9))
def test_white_space_does_not_tell_where_a_text_is_from(spaces: list[str]) -> None:
    title, abstract = AGENT
    pieces = abstract.split()
    broken = "".join(word + spaces[n % len(spaces)] for n, word in enumerate(pieces)).rstrip()

    assert forecast(title, broken, []) == forecast(title, abstract, [])


@pytest.mark.parametrize(
    ("arxiv", "elsewhere"),
    [
        (r"a rate of $O(\log n)$ at most", "a rate of O(log n) at most"),
        (r"when $\alpha \leq \beta$ holds", "when alpha leq beta holds"),
        (r"when $\alpha \leq \beta$ holds", r"when \alpha \leq \beta holds"),
        (r"gains of 12\% overall", "gains of 12% overall"),
        (r"the \textbf{best} of all", "the best of all"),
        (r"on $\mathbb{R}^n$ alone", r"on mathbb{R}^n alone"),
    ],
)
def test_tex_does_not_tell_where_a_text_is_from(arxiv: str, elsewhere: str) -> None:
    assert terms("", arxiv) == terms("", elsewhere)


def test_the_packaged_model_holds_words_and_pairs_of_words_only_and_is_small() -> None:
    model = packaged()

    assert all(1 <= len(term.split("_")) <= 2 for term in model.words.positions)
    assert all(word.isalpha() and len(word) < 40 for term in model.words.positions for word in term.split("_"))
    assert tuple(model.traits) == TRAITS
    assert (files("flows.editions") / "forecast.weights").stat().st_size < 1_000_000  # type: ignore[attr-defined]


def test_a_model_survives_its_file_but_for_rounding() -> None:
    model = unpacked(packed(-1.0, {"hive": (25.0, 2.0), "wool_pasture": (4.0, -1.0)}, dict.fromkeys(TRAITS, 0.25)))
    (said,) = model.words.logits(model.words.values({"wool_pasture": 1}))

    assert said == pytest.approx(-1.0 - 4 / 25, abs=0.02)
    rest = 0.25 * sum(traits("Wool pasture", "", 0))
    assert model.logit("Wool pasture", "", 0) == pytest.approx(said + rest, abs=0.02)


@given(st.floats(allow_nan=False))
def test_odds_however_great_are_a_probability(logit: float) -> None:
    assert 0 <= probability(logit) <= 1


# ---- training ---------------------------------------------------------------------------------------------------


def lessons(days: int = 10) -> list[Lesson]:
    """Papers on bees are picked, those on sheep are announced."""
    bees, sheep = "Nectar and hive: a swarm of bees dances in summer.", "A flock of sheep is shorn for wool in spring."
    return [
        Lesson(f"{text[:3]}-{day}-{n}", f"Counting, part {n}", text, 2 + n, f"2026-06-{day:02}", text is bees)
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
    assert others == [Lesson("2606.00003", "Sheep", "Wool and pasture.", 2, "2026-06-08", picked=False)]


def test_a_day_without_enough_picked_papers_has_those_that_there_are() -> None:
    lesson = lessons()[0]
    other = Lesson("other", "Sheep", "Wool", 1, lesson.day, picked=False)
    answers = list(Judged(((lesson, 1.0), (other, -1.0)), 1.0, 0.0).answers())

    assert [(answer.picked, round(answer.forecast, 3)) for answer in answers] == [(False, 0.269), (True, 0.731)]


# ---- how good? --------------------------------------------------------------------------------------------------


def test_the_figures_of_a_small_case_are_those_made_by_hand() -> None:
    found = report(Answer(score, hit) for score, hit in ((0.9, True), (0.8, False), (0.7, True), (0.1, False)))

    assert found.auc == 0.75
    assert found.average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert (found.papers, found.picked, found.chance, found.days) == (4, 2, 0.5, 1)
    assert found.first == found.first_by_chance == 2


def test_forecasts_that_are_all_alike_are_worth_what_chance_is_worth() -> None:
    found = report(Answer(0.05, n % 20 == 0, f"day {n % 3}") for n in range(1200))

    assert found.auc == 0.5
    assert found.average_precision == pytest.approx(found.chance) == 0.05
    assert found.first_by_chance == pytest.approx(1.0)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=60))
def test_the_area_under_the_curve_is_the_share_of_pairs_in_the_right_order(pairs: list[tuple[float, bool]]) -> None:
    hits, misses = ([score for score, hit in pairs if hit is wanted] for wanted in (True, False))
    if not (hits and misses):
        with pytest.raises(Problem, match="nothing to compare"):
            report(Answer(*pair) for pair in pairs)
        return
    right = sum((hit > miss) + (hit == miss) / 2 for hit in hits for miss in misses)
    found = report(Answer(*pair) for pair in pairs)

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


def test_the_command_tells_figures_in_lines_and_as_json(tmp_path: Path) -> None:
    file = tmp_path / "papers.jsonl"
    file.write_text(
        "\n".join(
            json.dumps({"title": title, "abstract": abstract, "authors": ["A"] * 9, "picked": hit, "day": day})
            for day in ("one", "two")
            for (title, abstract), hit in ((AGENT, True), (ENTROPY, False))
        )
    )

    assert (
        json.loads(forecast_judge.evaluate(file, as_json=True)).items() >= {"auc": 1.0, "picked": 2, "days": 2}.items()
    )
    assert "4 papers, 2 days, 2 picked (50.0%)\n  AUC                 1.000" in forecast_judge.evaluate(
        file, as_json=False
    )
