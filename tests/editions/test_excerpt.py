"""Abstracts and titles cut to size."""

from __future__ import annotations

import json
import time
import unicodedata
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions import maths
from flows.editions.excerpt import excerpt, short_title


def test_a_short_text_is_left_alone() -> None:
    assert excerpt("One  sentence.\nTwo sentences.") == "One sentence. Two sentences."
    assert excerpt("") == ""


def test_a_long_text_ends_with_the_last_sentence_that_has_room() -> None:
    assert (
        excerpt("We do this well. Then we do that. And more of it follows.", 40) == "We do this well. Then we do that."
    )


@pytest.mark.parametrize(
    "beginning",
    [
        "We compare many tasks (e.g. Translation and Parsing)",
        "As was shown by Lee et al. They were first to see it",
        "It is drawn in Fig. 3 for all of them and in Eq. (2)",
        "Ours vs. Theirs is what everybody wanted to know now",
        "It was J. S. Bach who wrote the music for the viola",
        "It gains 3.5 points on A and 2.5 points on B, we say",
        "This uses (i.e. Only uses) the data of the labels of",
    ],
)
def test_a_point_within_a_sentence_ends_none(beginning: str) -> None:
    cut = excerpt(beginning + " and goes on for much longer than there is room for.", 50)
    assert cut.endswith("…")
    assert len(cut) > 35


def test_a_sentence_that_ends_too_early_is_followed_to_a_word() -> None:
    cut = excerpt("Yes. " + "But this one goes on, and on, " * 5, 60)
    assert cut == "Yes. But this one goes on, and on, But this one goes on…"


def test_a_sentence_may_end_in_a_quotation_or_a_bracket() -> None:
    assert excerpt('They say "never again." (And they did.) Then it all began anew and went on.', 45) == (
        'They say "never again." (And they did.)'
    )


def test_a_formula_is_never_cut() -> None:
    source = r"It runs in time $O(n \log n + m \log m + k \log k)$ for $5 and \textbf{is the best of them all} here."
    whole = maths.text(source)
    for limit in range(2, 90):
        cut = excerpt(source, limit)
        assert whole.startswith(maths.text(cut).removesuffix("…"))
        assert len(maths.text(cut)) <= limit


def test_the_limit_counts_what_is_read() -> None:
    source = r"\textbf{\emph{Word}} " * 30 + "end. And the rest of it."
    assert len(maths.text(excerpt(source, 100))) > 90


def test_one_endless_word_is_cut() -> None:
    assert excerpt("x" * 500, 20) == "x" * 19 + "…"
    assert excerpt("\\textbf{" + "x " * 500 + "}", 20).endswith("…")


@pytest.mark.parametrize("part", ["\\frac ", "{ ", "$ ", "x^{ ", ". A", "\\url{a} "])
def test_a_hostile_abstract_takes_no_longer_than_it_must(part: str) -> None:
    started = time.process_time()
    excerpt(part * (maths.LIMIT // len(part)))
    assert time.process_time() - started < 2


@given(
    st.text() | st.lists(st.sampled_from(["word. ", "A ", "$x$ ", "{", "}", "$", "\\b{ ", "e.g. "])).map("".join),
    st.integers(0, 60),
)
def test_no_excerpt_is_too_long(source: str, limit: int) -> None:
    assert len(maths.text(excerpt(source, limit))) <= limit
    assert maths.text(excerpt(source)) == maths.text(source) or len(maths.text(source)) > 420


@pytest.mark.parametrize(
    ("title", "short"),
    [
        ("MusaCoder: Code That Sings", "MusaCoder"),
        (r"$\texttt{Pa}^2$: Papers", "Pa²"),
        ("A: B", "A: B"),
        ("Lighthouse:Reading Its Own Log", "Lighthouse"),
        ("A Ratio of 16:9 and Ab:C", "A Ratio of 16:9 and Ab:C"),
        ("What Is a Title?", "What Is a Title?"),
        ("One Two Three: " * 8, "One Two Three"),
        ("see https://example.org/x", "see https://example.org/x"),
        (
            "Learning to cut long titles, and what is left of them when it has been done",
            "Learning to cut long titles, and what is left of them when…",
        ),
        ("x" * 100, "x" * 59 + "…"),
        ("two\r\nBcc: lines", "two Bcc"),
        ("", ""),
    ],
)
def test_a_title_becomes_a_name(title: str, short: str) -> None:
    assert short_title(title) == short


@given(st.text(), st.integers(1, 80))
def test_a_short_title_fits_a_subject_line(title: str, limit: int) -> None:
    short = short_title(title, limit)
    assert len(short) <= limit
    assert not [c for c in short if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]


def test_the_bundled_sample_is_readable() -> None:
    sample = json.loads(files("flows.papers").joinpath("sample.json").read_text("utf-8"))
    assert len(sample) == 25
    for paper in sample:
        assert 500 <= len(paper["abstract"]) <= 1400
        assert 60 <= len(maths.text(excerpt(paper["abstract"]))) <= 420
        assert len(short_title(paper["title"])) <= 60
