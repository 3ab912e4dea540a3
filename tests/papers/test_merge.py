"""One paper of several sources, and of several readings."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from flows.papers.merge import merge, refresh
from flows.papers.model import Paper, PaperId

DAYS = st.dates(dt.date(2026, 6, 1), dt.date(2026, 6, 9))
WORDS = st.sampled_from(["", "a", "b", "ab", "$a$", "abc"])
TUPLES = st.lists(st.sampled_from(["x", "y", "zz"]), max_size=3, unique=True).map(tuple)
NUMBERS = st.none() | st.integers(0, 5)
PAPERS = st.builds(
    Paper,
    id=st.sampled_from([PaperId("2606.00001"), PaperId("2606.00002")]),
    title=st.sampled_from(["one", "two", "three"]),
    day=DAYS,
    sources=st.sampled_from([("arxiv",), ("huggingface",), ("arxiv", "huggingface"), ("sample",)]),
    abstract=WORDS,
    authors=TUPLES,
    published=st.none() | DAYS,
    listed_at=st.none() | DAYS.map(lambda day: dt.datetime.combine(day, dt.time(7), dt.UTC)),
    categories=TUPLES,
    announced=st.sampled_from(["", "new", "cross", "replace", "other"]),
    upvotes=NUMBERS,
    comments=NUMBERS,
    keywords=TUPLES,
    ai_summary=WORDS,
    organisation=WORDS,
    stars=NUMBERS,
    note=WORDS,
)
HUB = Paper(
    id=PaperId("2606.00001"),
    title="Costs of 5",
    day=dt.date(2026, 6, 19),
    sources=("huggingface",),
    authors=("Ines Falk",),
    upvotes=7,
    comments=0,
    ai_summary="Short.",
    keywords=("k",),
)
ARXIV = Paper(
    id=PaperId("2606.00001"),
    title="Costs of $5$",
    day=dt.date(2026, 6, 18),
    sources=("arxiv",),
    authors=("Ines Falk", "Noor Ito"),
    categories=("cs.AI",),
    announced="new",
)


@given(st.lists(PAPERS, max_size=6), st.randoms(use_true_random=False), st.integers(0, 6))
def test_neither_order_nor_grouping_changes_what_is_merged(papers: list[Paper], chance: object, cut: int) -> None:
    """Shuffled, merged in two steps, or merged twice, it is the same."""
    whole = merge(papers)
    shuffled = list(papers)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert merge(shuffled) == whole
    assert merge([*merge(papers[:cut]), *merge(papers[cut:])]) == whole
    assert merge(whole) == whole
    assert [paper.id for paper in whole] == sorted({paper.id for paper in papers})


def test_the_richest_field_stands() -> None:
    """The earlier day, both sources, the title that kept its mathematics, the votes of the one that has any."""
    (paper,) = merge([HUB, ARXIV])
    assert (paper.day, paper.sources) == (dt.date(2026, 6, 18), ("arxiv", "huggingface"))
    assert (paper.title, paper.authors) == ("Costs of $5$", ("Ines Falk", "Noor Ito"))
    assert (paper.upvotes, paper.comments, paper.stars) == (7, 0, None)
    assert (paper.categories, paper.ai_summary, paper.announced) == (("cs.AI",), "Short.", "new")


def test_votes_are_unknown_only_where_nobody_could_vote() -> None:
    """None is not 0."""
    assert merge([ARXIV, ARXIV])[0].upvotes is None
    assert merge([ARXIV, replace(HUB, upvotes=0)])[0].upvotes == 0


def test_a_later_reading_brings_fresh_votes_and_loses_nothing() -> None:
    """Votes can fall; a summary that is missing this time is still known."""
    known = replace(HUB, categories=("cs.AI",), note="9 pages")
    again = replace(HUB, title="Costs of five", upvotes=3, ai_summary="", keywords=(), day=dt.date(2026, 6, 20))
    paper = refresh(known, again)
    assert (paper.title, paper.upvotes, paper.comments) == ("Costs of five", 3, 0)
    assert (paper.ai_summary, paper.keywords, paper.categories, paper.note) == ("Short.", ("k",), ("cs.AI",), "9 pages")
    assert paper.day == dt.date(2026, 6, 19)


@given(PAPERS)
def test_reading_the_same_again_changes_nothing(paper: Paper) -> None:
    """A day can be collected as often as one likes."""
    assert refresh(paper, paper) == replace(paper, sources=tuple(sorted(paper.sources)))
